/* select: of each cluster the first so many, by a stated ranking; or exactly so many of all, as
 * evenly over the clusters as their sizes allow. */
#include "stage/select/select.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/pool.h"
#include "tables/select.h"

static const df_option options[] = {
    {"per_cluster", DF_OPT_INT, offsetof(df_select_config, per_cluster), "0", 0, 1e12,
     "images of a cluster at most (paper: 20 of each of 50,000 clusters); 0: all"},
    {"total", DF_OPT_INT, offsetof(df_select_config, total), "0", 0, 1e12,
     "images in all, spread evenly over the clusters; exactly this many, where as many are left; "
     "0: all"},
    {"by", DF_OPT_TEXT, offsetof(df_select_config, by), "nearest", 0, 0,
     "which come first: nearest to the centroid, farthest, resolution, quality (bytes of picture), "
     "score, balanced "
     "(varied)"},
    {"scores", DF_OPT_TEXT, offsetof(df_select_config, scores), NULL, 0, 0,
     "for by=score: Parquet with columns `path` and `score`, the highest first"},
    {0},
};

/* ---- parts ---- */

/* Fills a part of select from the records. */
static df_status fill_part(const df_selecting *s, int part, df_table *out, df_error *err)
{
    static const char *const reasons[] = {NULL, "rank", "total"};
    int64_t end = df_vectors_first(s->vectors, part + 1);
    for (int64_t i = df_vectors_first(s->vectors, part); i < end; i++) {
        df_select_item item;
        DF_TRY(df_records_read(s->items, i, 1, &item, err));
        if (item.limit < DF_LIMIT_NONE || item.limit > DF_LIMIT_TOTAL)
            return df_fail(err, DF_FORMAT, "select/part-items.partial is damaged: run again");
        if (item.cluster >= 0)
            DF_TRY(df_table_append(
                out,
                (const df_value[DF_SELECT_COLUMNS]){
                    [DF_SELECT_ROW] = DF_INT(df_place_unpack(item.place).row),
                    [DF_SELECT_KEPT] = DF_BOOL(item.limit == DF_LIMIT_NONE),
                    [DF_SELECT_REASON] = DF_TEXT(reasons[item.limit]),
                    [DF_SELECT_CLUSTER] = DF_INT(item.cluster),
                    [DF_SELECT_RANK] = DF_INT(item.rank),
                    [DF_SELECT_KEY] = isnan(item.key) ? DF_NULL : DF_REAL(item.key)},
                err));
    }
    return DF_OK;
}

/* Writes a part that is missing. A thread of the pool. */
static df_status write_part(void *ctx, int64_t part, int thread, df_error *err)
{
    const df_selecting *s = ctx;
    df_table *out = NULL;
    (void)thread;
    if (df_run_stopped(s->run))
        return df_stopped(err);
    if (df_dataset_has_part(s->ds, "select", (int)part))
        return DF_OK;
    DF_TRY(df_table_create(&out, df_select_table.columns, err));
    df_status status = fill_part(s, (int)part, out, err);
    if (status == DF_OK)
        status = df_dataset_write(s->ds, "select", (int)part, out, err);
    df_table_close(out);
    return status;
}

/* ---- the stage ---- */

static const char *const by_names[DF_BY_COUNT] = {"nearest", "farthest", "resolution",
                                                  "quality", "score",    "balanced"};

/* Reads select.by. */
static df_status choose_ranking(const df_select_config *config, df_ranking *out, df_error *err)
{
    const char *by = config->by ? config->by : "";
    int i = 0;
    while (i < DF_BY_COUNT && strcmp(by, by_names[i]) != 0)
        i++;
    if (i == DF_BY_COUNT)
        return df_fail(err, DF_CONFIG,
                       "select.by: \"%s\" is not one of nearest, farthest, resolution, quality, "
                       "score, balanced",
                       by);
    if (i == DF_BY_SCORE && (!config->scores || !config->scores[0]))
        return df_fail(
            err, DF_CONFIG,
            "select.scores: by=score needs a Parquet file with columns `path` and `score`");
    *out = (df_ranking)i;
    return DF_OK;
}

static const char working_file[] = "select/part-items.partial";

static df_status open_select(df_selecting *s, df_error *err)
{
    DF_TRY(choose_ranking(s->config, &s->by, err));
    DF_TRY(df_vectors_open(&s->vectors, s->ds, err));
    s->n = df_vectors_count(s->vectors);
    s->chunk = malloc(DF_MEMBERS_READ * sizeof *s->chunk);
    if (!s->chunk)
        return df_no_memory(err, "select");
    DF_TRY(df_folder_remove(df_dataset_files(s->ds), working_file, err));
    return df_records_open(&s->items, df_dataset_files(s->ds), working_file, sizeof(df_select_item),
                           s->n, err);
}

/* Ranks all clusters, then writes the parts. */
static df_status select_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    df_selecting s = {.ds = ds, .config = config, .run = run, .lock = PTHREAD_MUTEX_INITIALIZER};
    df_status status = open_select(&s, err);
    if (status == DF_OK)
        status = df_select_make_items(&s, err);
    if (status == DF_OK)
        status = df_select_rank(&s, err);
    if (status == DF_OK)
        status = df_pool_run(run->n_threads, n_parts, write_part, &s, err);
    df_members_free(&s.members);
    df_vectors_close(s.vectors);
    if (s.items)
        /* else the next run does it */
        (void)df_folder_remove(df_dataset_files(ds), working_file, NULL);
    df_records_close(s.items);
    free(s.one_more);
    free(s.chunk);
    pthread_mutex_destroy(&s.lock);
    return status;
}

/* The scores of a user's file are part of the fingerprint. */
static df_status select_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const df_select_config *c = config;
    char *bytes, hex[DF_HASH_HEX];
    size_t size;
    df_ranking by;
    (void)run;
    DF_TRY(choose_ranking(c, &by, err));     /* before what is there is removed */
    if (!c->scores || !c->scores[0])
        return DF_OK;
    DF_TRY(df_file_read(c->scores, (size_t)4 << 30, &bytes, &size, err));
    df_hash_hex(bytes, size, hex);
    free(bytes);
    df_str_printf(out, "scores %s\n", hex);
    return DF_OK;
}

const df_stage df_stage_select = {
    .name = "select",
    .summary = "the best images of each cluster, by a number for each or for all",
    .reads = (const char *const[]){"ingest", "embed", "cluster", "dedup", NULL},
    .table = &df_select_table,
    .options = options,
    .config_size = sizeof(df_select_config),
    .whole = true,
    .run = select_run,
    .depends = select_depends,
    .revision = 1, /* select.key */
};
