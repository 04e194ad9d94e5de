/* Decode and resize of JPEGs: bench_decode SIDE REPEATS FILE...
 * Prints a line a file: file,images a second on one core (fastest of the repeats). The last line is
 * all files together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "image/image.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    double total = 0;
    if (argc < 4) {
        fprintf(stderr, "usage: bench_decode SIDE REPEATS FILE...\n");
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        char *bytes;
        size_t size;
        double best = 1e9;
        df_error err;
        if (df_file_read(argv[i], 1 << 30, &bytes, &size, &err) != DF_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        for (int k = 0; k < atoi(argv[2]); k++) {
            df_image image = {0};
            double start = seconds();
            if (df_image_decode((const uint8_t *)bytes, size, atoi(argv[1]), &image, &err) !=
                DF_OK) {
                fprintf(stderr, "%s: %s\n", argv[i], err.message);
                return 1;
            }
            double spent = seconds() - start;
            best = spent < best ? spent : best;
            df_image_free(&image);
        }
        printf("%s,%zu,%.1f\n", strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i], size,
               1 / best);
        total += best;
        free(bytes);
    }
    printf("all,,%.1f\n", (argc - 3) / total);
    return 0;
}
