/* How fast images are scanned and decoded: CSV (case, n, threads, seconds, CPU seconds, images per
 * CPU second, which is the rate of one core also on a busy machine). Files are read once before the
 * clock starts, so the cache is warm.
 *
 *     bench_scan FOLDER JPEG      a folder of images, and a photograph of about 2 megapixels */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "image/image.h"
#include "stage/stage.h"
#include "tables/tables.h"

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(df_status status, const df_error *err)
{
    if (status == DF_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static int64_t rows_of(const df_dataset *ds)
{
    int64_t n = 0;
    for (int part = 0; part < df_dataset_parts(ds); part++) {
        df_error err;
        df_table *t = NULL;
        must(df_dataset_read(ds, &df_ingest_table, part, &t, &err), &err);
        n += df_table_rows(t);
        df_table_close(t);
    }
    return n;
}

static void scan(const char *folder, const char *hash, int n_threads, const char *name)
{
    df_error err;
    const df_stage *stage = df_stage_find("ingest");
    char out[] = "/tmp/df-bench-XXXXXX", command[64];
    df_dataset *ds;
    void *config = calloc(1, stage->config_size);
    if (!mkdtemp(out) || !config)
        exit(1);
    must(df_options_defaults(stage->options, config, &err), &err);
    must(df_option_set(stage->options, config, "ingest", "hash", hash, &err), &err);
    must(df_option_set(stage->options, config, "ingest", "part_rows", "10000", &err), &err);
    must(df_dataset_create(&ds, out, &err), &err);
    df_run run = {.n_threads = n_threads, .input = folder};
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    must(stage->run(ds, config, &run, &err), &err);
    double seconds = now(CLOCK_MONOTONIC) - start;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    int64_t n = rows_of(ds);
    printf("%s,%lld,%d,%.3f,%.3f,%.0f\n", name, (long long)n, n_threads, seconds, cpu,
           (double)n / cpu);
    df_dataset_close(ds);
    df_options_free(stage->options, config);
    free(config);
    snprintf(command, sizeof command, "rm -rf %s", out);
    if (system(command) != 0)
        exit(1);
}

static void decode(const char *path, int side)
{
    df_error err;
    char *bytes;
    size_t size;
    must(df_file_read(path, (size_t)1 << 28, &bytes, &size, &err), &err);
    int n = 0;
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID), seconds;
    do {
        df_image image = {0};
        must(df_image_decode((const uint8_t *)bytes, size, side, &image, &err), &err);
        df_image_free(&image);
        n++;
    } while ((seconds = now(CLOCK_MONOTONIC) - start) < 3);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("decode to %d px,%d,1,%.3f,%.3f,%.0f\n", side, n, seconds, cpu, n / cpu);
    free(bytes);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench_scan FOLDER JPEG\n");
        return 2;
    }
    puts("case,n,threads,seconds,cpu_seconds,images_per_cpu_second");
    scan(argv[1], "true", 2, "warm the cache");
    scan(argv[1], "false", 1, "headers alone");
    scan(argv[1], "false", 2, "headers alone");
    scan(argv[1], "true", 1, "with content hash");
    decode(argv[2], 336);
    decode(argv[2], 2048);
    return 0;
}
