/* Stands in for libFuzzer's main: shows every file of the named folders to the target, in no order
 * that matters. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        char path[4096];
        char *bytes = NULL;
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.' || df_file_read(path, 64 << 20, &bytes, &size, NULL) != DF_OK)
            continue;
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, size);
        free(bytes);
        n++;
    }
    if (dir)
        closedir(dir);
    printf("%s: %d inputs\n", folder, n);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    return n > 0 ? 0 : 1;
}
