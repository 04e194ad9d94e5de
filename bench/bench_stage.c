/* One stage over a dataset that is there, with default options: bench_stage DATASET STAGE THREADS
 * SHARE Prints stage,threads,captions,seconds,captions a second. The stage's own parts must be
 * gone: a part that exists is passed over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stage/stage.h"
#include "tables/tables.h"

static int64_t captions(const df_dataset *ds)
{
    int64_t n = 0;
    for (int part = 0; part < df_dataset_parts(ds); part++) {
        df_table *t;
        if (df_dataset_read(ds, &df_caption_table, part, &t, NULL) != DF_OK)
            continue;
        n += df_table_rows(t);
        df_table_close(t);
    }
    return n;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const df_stage *stage = argc == 5 ? df_stage_find(argv[2]) : NULL;
    if (!stage || !stage->run) {
        fprintf(stderr, "usage: bench_stage DATASET STAGE THREADS SHARE\n");
        return 2;
    }
    df_error err = {""};
    df_dataset *ds = NULL;
    void *config = calloc(1, stage->config_size + 1);
    const df_run run = {.n_threads = atoi(argv[3]), .share = argv[4]};
    df_status status = df_dataset_open(&ds, argv[1], &err);
    if (status == DF_OK)
        status = df_options_defaults(stage->options, config, &err);
    double start = seconds();
    if (status == DF_OK)
        status = stage->run(ds, config, &run, &err);
    double spent = seconds() - start;
    if (status == DF_OK)
        printf("%s,%d,%lld,%.3f,%.0f\n", argv[2], run.n_threads, (long long)captions(ds), spent,
               (double)captions(ds) / spent);
    else
        fprintf(stderr, "%s\n", err.message);
    df_options_free(stage->options, config);
    free(config);
    df_dataset_close(ds);
    return status == DF_OK ? 0 : 1;
}
