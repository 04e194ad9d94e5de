/* Captions image files:  caption photo.jpg ...
 * cc caption.c $(pkg-config --cflags --libs densefusion) -o caption */
#include <densefusion.h>
#include <stdio.h>
#include <stdlib.h>

static df_status caption_file(df_pipeline *p, const char *path, df_error *err)
{
    static unsigned char bytes[64 << 20];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);

    char *caption = NULL;
    df_status status = df_pipeline_caption(p, bytes, size, NULL, &caption, err);
    if (status == DF_OK)
        printf("%s: %s\n", path, caption);
    free(caption);
    return status;
}

int main(int argc, char **argv)
{
    df_error err;
    df_pipeline *p;
    if (df_pipeline_open(&p, NULL, &err) != DF_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int failed = 0;
    for (int i = 1; i < argc; i++)
        if (caption_file(p, argv[i], &err) != DF_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], err.message);
            failed = 1;
        }
    df_pipeline_close(p);
    return failed;
}
