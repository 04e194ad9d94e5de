/* densefusion kmeans map|reduce OUT: one half of a round of `cluster`, for machines that share the
 * dataset's folder. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "pipeline/config.h"
#include "pipeline/lock.h"
#include "progress.h"
#include "put.h"
#include "stage/cluster/cluster.h"

static df_status map(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    bool finished = false;
    DF_TRY(df_cluster_map(ds, config, run, &finished, err));
    if (finished)
        put_line(stdout, "finished: densefusion cluster %s gives every image its cluster",
                 df_dataset_folder(ds));
    else
        printf("mapped\n");
    return DF_OK;
}

/* The reduce half of a round, and what to do after it. */
static df_status reduce(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    bool finished = false;
    int round = 0;
    DF_TRY(df_cluster_reduce(ds, config, run, &round, &finished, err));
    if (finished && round < 0)
        put_line(stdout, "finished: densefusion cluster %s gives every image its cluster",
                 df_dataset_folder(ds));
    else if (finished)
        put_line(stdout,
                 "finished after %d rounds: densefusion cluster %s gives every image its cluster",
                 round, df_dataset_folder(ds));
    else
        printf("round %d done\n", round);
    return DF_OK;
}

static df_status check_parts(const args *a, const df_dataset *ds, df_error *err)
{
    for (int i = 0; i < a->n_parts; i++)
        if (a->parts[i] >= df_dataset_parts(ds))
            return df_fail(err, DF_CONFIG, "part %d: the dataset has parts 0 to %d", a->parts[i],
                           df_dataset_parts(ds) - 1);
    return DF_OK;
}

int cmd_kmeans(const command *self, const args *a)
{
    bool maps = a->n_positional == 2 && strcmp(a->positional[0], "map") == 0;
    if (!maps && (a->n_positional != 2 || strcmp(a->positional[0], "reduce") != 0))
        return command_usage(self, "say map or reduce, and the dataset's folder");
    if (!maps && a->parts)
        return command_usage(self, "reduce takes all parts");
    df_config config;
    int code = command_config(&config, a);
    if (code != EXIT_DONE)
        return code;
    progress p;
    progress_init(&p);
    df_run run = {.n_threads = df_config_threads(&config),
                  .parts = a->parts,
                  .n_parts = a->n_parts,
                  .progress = progress_update,
                  .note = progress_note,
                  .ctx = &p};
    df_dataset *ds = NULL;
    df_lock lock = {.fd = -1};
    df_error err = {""};
    const void *cluster = config.configs[df_config_find(&config, "cluster")];
    df_status status = df_dataset_open(&ds, a->positional[1], &err);
    /* several processes may map at the same time; reduce must be alone */
    if (status == DF_OK)
        status = df_lock_open(&lock, ds, maps, &err);
    if (status == DF_OK)
        status = check_parts(a, ds, &err);
    if (status == DF_OK) {
        progress_begin(&p, maps ? "kmeans map" : "kmeans reduce");
        status = maps ? map(ds, cluster, &run, &err) : reduce(ds, cluster, &run, &err);
    }
    progress_end(&p);
    df_lock_close(&lock);
    df_dataset_close(ds);
    df_config_free(&config);
    return command_failed(status, &err);
}
