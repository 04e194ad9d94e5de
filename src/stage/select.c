/* select: of each cluster the first so many, by a stated ranking; or exactly so many of all, as evenly over the
 * clusters as their sizes allow. Its working memory is select/part-items.partial, a record per vector. */
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "algo/half.h"
#include "algo/rank.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/pool.h"
#include "dataset/vectors.h"
#include "io/records.h"
#include "stage/members.h"

typedef struct {
    int64_t per_cluster, total;
    char *by, *scores;
} select_config;

static const df_option options[] = {
    {"per_cluster", DF_OPT_INT, offsetof(select_config, per_cluster), "0", 0, 1e12,
     "images of a cluster at most (paper: 20 of each of 50,000 clusters); 0: all"},
    {"total", DF_OPT_INT, offsetof(select_config, total), "0", 0, 1e12,
     "images in all, exactly, when as many are left; spread evenly over the clusters; 0: all"},
    {"by", DF_OPT_TEXT, offsetof(select_config, by), "nearest", 0, 0,
     "which come first: nearest to the centroid, farthest, resolution, quality (bytes of picture), score, balanced "
     "(varied)"},
    {"scores", DF_OPT_TEXT, offsetof(select_config, scores), NULL, 0, 0,
     "for by=score: Parquet with columns `path` and `score`, the highest first"},
    {0},
};

static const df_column columns[] = {{"row", DF_COLUMN_INT},     {"kept", DF_COLUMN_INT}, {"reason", DF_COLUMN_TEXT},
                                    {"cluster", DF_COLUMN_INT}, {"rank", DF_COLUMN_INT}, {0}};

typedef enum { BY_NEAREST, BY_FARTHEST, BY_RESOLUTION, BY_QUALITY, BY_SCORE, BY_BALANCED, BY_COUNT } ranking;
static const char *const by_names[BY_COUNT] = {"nearest", "farthest", "resolution", "quality", "score", "balanced"};

/* On disk, one per vector. */
typedef struct {
    int64_t place, rank; /* rank 1: the first of its cluster */
    double key;
    int32_t cluster; /* -1: did not survive dedup */
    int32_t limit; /* which it is above */
} select_item;
enum { LIMIT_NONE, LIMIT_CLUSTER, LIMIT_TOTAL };

typedef struct {
    df_dataset *ds;
    const select_config *config;
    const df_run *run;
    ranking by;
    df_vectors *vectors;
    df_records *items;
    int64_t n, n_clusters, quota; /* quota of `total` per cluster */
    df_members members; /* the survivors */
    bool *one_more; /* [n_clusters]: gives one above the quota */
    select_item *chunk; /* [DF_MEMBERS_READ] */
    int64_t n_done;
    pthread_mutex_t lock; /* of n_clusters, n_done and progress */
} selecting;

/* ---- what the tables say ---- */

typedef struct {
    df_table *ingest, *cluster, *dedup, *scores;
} tables;

/* Scores of the part's images in row order; of a path met twice in the scores the highest counts. */
static df_status read_scores(const selecting *s, int part, df_table **out, df_error *err)
{
    char *path = df_dataset_part_path(s->ds, "ingest", part, "parquet");
    char *ingest = path ? df_sql_path(path) : NULL, *scores = df_sql_path(s->config->scores);
    df_str sql = {0};
    df_str_printf(&sql,
                  "SELECT CAST(max(s.score) AS DOUBLE) FROM read_parquet(%s) i LEFT JOIN read_parquet(%s) s "
                  "ON i.path = s.path GROUP BY i.\"row\" ORDER BY i.\"row\"",
                  ingest ? ingest : "", scores ? scores : "");
    df_error why = {""};
    df_status status = ingest && scores && !sql.failed ? df_table_query(out, df_str_text(&sql), &why)
                                                       : df_fail(&why, DF_NOMEM, "out of memory");
    df_str_free(&sql);
    free(scores);
    free(ingest);
    free(path);
    return status == DF_OK ? DF_OK : df_fail(err, status, "select.scores: %s: %.300s", s->config->scores, why.message);
}

static df_status read_tables(const selecting *s, int part, tables *t, df_error *err)
{
    if (!df_dataset_has_part(s->ds, "cluster", part))
        return df_fail(err, DF_FORMAT, "cluster/part-%05d.parquet is missing: densefusion cluster %s", part,
                       df_dataset_folder(s->ds));
    DF_TRY(df_dataset_read(s->ds, "ingest", part, &t->ingest, err));
    DF_TRY(df_dataset_read(s->ds, "cluster", part, &t->cluster, err));
    if (df_dataset_has_part(s->ds, "dedup", part)) /* when it never ran, all survive */
        DF_TRY(df_dataset_read(s->ds, "dedup", part, &t->dedup, err));
    return s->by == BY_SCORE ? read_scores(s, part, &t->scores, err) : DF_OK;
}

static double key_of(const selecting *s, const tables *t, int64_t i, int64_t row)
{
    double similarity = df_table_real(t->cluster, i, df_table_column(t->cluster, "similarity")),
           width = df_table_real(t->ingest, row, df_table_column(t->ingest, "width")),
           height = df_table_real(t->ingest, row, df_table_column(t->ingest, "height")),
           bytes = df_table_real(t->ingest, row, df_table_column(t->ingest, "size"));
    switch (s->by) {
    case BY_FARTHEST:
        return -similarity;
    case BY_RESOLUTION:
        return width * height;
    case BY_QUALITY:
        return fmin(bytes, width * height / 2);
    case BY_SCORE:
        return df_table_null(t->scores, row, 0) ? NAN : df_table_real(t->scores, row, 0);
    case BY_NEAREST:
    case BY_BALANCED:
    case BY_COUNT:
        break;
    }
    return similarity;
}

/* Both tables are in row order; dedup has more rows: those without a vector. */
static bool survives(const df_table *dedup, int64_t row, int64_t *at)
{
    int of_row = df_table_column(dedup, "row");
    while (*at < df_table_rows(dedup) && df_table_int(dedup, *at, of_row) < row)
        ++*at;
    return *at < df_table_rows(dedup) && df_table_int(dedup, *at, of_row) == row &&
           df_table_int(dedup, *at, df_table_column(dedup, "kept")) == 1;
}

static df_status fill(const selecting *s, int part, const tables *t, select_item *items, df_error *err)
{
    int of_row = df_table_column(t->cluster, "row"), of_cluster = df_table_column(t->cluster, "cluster");
    int64_t n = df_vectors_first(s->vectors, part + 1) - df_vectors_first(s->vectors, part), at = 0;
    bool fits = df_table_rows(t->cluster) == n;
    for (int64_t i = 0; i < n && fits; i++) {
        int64_t row = df_table_int(t->cluster, i, of_row), cluster = df_table_int(t->cluster, i, of_cluster);
        fits = row >= 0 && row < df_table_rows(t->ingest) && cluster >= 0 && cluster < DF_CLUSTERS_MAX;
        if (!fits)
            break;
        bool here = !t->dedup || survives(t->dedup, row, &at);
        items[i] = (select_item){
            .place = (int64_t)part << 32 | row, .key = key_of(s, t, i, row), .cluster = here ? (int32_t)cluster : -1};
    }
    return fits ? DF_OK
                : df_fail(err, DF_FORMAT,
                          "cluster/part-%05d.parquet does not tell of embed's vectors, which were "
                          "made anew or changed: densefusion cluster %s",
                          part, df_dataset_folder(s->ds));
}

static df_status make_part(void *ctx, int64_t part, int thread, df_error *err)
{
    selecting *s = ctx;
    tables t = {0};
    (void)thread;
    if (df_run_stopped(s->run))
        return df_fail(err, DF_STOPPED, "stopped");
    int64_t first = df_vectors_first(s->vectors, (int)part), n = df_vectors_first(s->vectors, (int)part + 1) - first;
    select_item *items = calloc((size_t)n + 1, sizeof *items);
    df_status status =
        items ? read_tables(s, (int)part, &t, err) : df_fail(err, DF_NOMEM, "read cluster: out of memory");
    if (status == DF_OK)
        status = fill(s, (int)part, &t, items, err);
    if (status == DF_OK)
        status = df_records_write(s->items, first, n, items, err);
    pthread_mutex_lock(&s->lock);
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        if (items[i].cluster >= s->n_clusters)
            s->n_clusters = items[i].cluster + 1;
    pthread_mutex_unlock(&s->lock);
    df_table_close(t.ingest);
    df_table_close(t.cluster);
    df_table_close(t.dedup);
    df_table_close(t.scores);
    free(items);
    return status;
}

static df_status read_members(void *ctx, int64_t first, int64_t n, int32_t *cluster, df_member *members, df_error *err)
{
    selecting *s = ctx;
    DF_TRY(df_records_read(s->items, first, n, s->chunk, err));
    for (int64_t i = 0; i < n; i++) {
        cluster[i] = s->chunk[i].cluster;
        members[i] = (df_member){first + i, s->chunk[i].place, s->chunk[i].key};
    }
    return DF_OK;
}

/* ---- how many of each cluster ---- */

static int64_t cluster_limit(const selecting *s, int64_t cluster)
{
    int64_t n = df_members_count(&s->members, cluster), most = s->config->per_cluster;
    return most && most < n ? most : n;
}

static int64_t total_limit(const selecting *s, int64_t cluster)
{
    return s->config->total ? s->quota + s->one_more[cluster] : INT64_MAX;
}

/* The largest clusters give one more; of equals the one with the lower number. */
static df_status give_rest(selecting *s, int64_t rest, df_error *err)
{
    int64_t k = s->n_clusters;
    double *size = malloc(((size_t)k + 1) * sizeof *size);
    int64_t *order = malloc(((size_t)k + 1) * sizeof *order);
    for (int64_t i = 0; size && i < k; i++)
        size[i] = (double)(cluster_limit(s, i) > s->quota ? df_members_count(&s->members, i) : 0);
    df_status status =
        size && order ? df_rank_order(size, k, order, err) : df_fail(err, DF_NOMEM, "select: out of memory");
    for (int64_t i = 0; status == DF_OK && i < rest; i++)
        s->one_more[order[i]] = true;
    free(size);
    free(order);
    return status;
}

static df_status share_total(selecting *s, df_error *err)
{
    int64_t k = s->n_clusters, all = 0, rest = 0;
    s->one_more = calloc((size_t)k + 1, sizeof *s->one_more);
    int64_t *sizes = malloc(((size_t)k + 1) * sizeof *sizes);
    for (int64_t i = 0; sizes && i < k; i++)
        all += sizes[i] = cluster_limit(s, i);
    if (sizes && s->config->total)
        df_rank_quota(sizes, k, s->config->total, &s->quota, &rest);
    free(sizes);
    if (!sizes || !s->one_more)
        return df_fail(err, DF_NOMEM, "select: out of memory");
    if (s->config->total > all)
        df_run_note(s->run, "select: the total is to be %lld, but only %lld images are left to choose from",
                    (long long)s->config->total, (long long)all);
    return give_rest(s, rest, err);
}

/* ---- one cluster ---- */

/* Of a cluster that memory does not hold, the nearest to the centroid are spread, the others follow as they are. */
static df_status spread(const selecting *s, const df_member *members, int64_t n, int64_t n_wanted, int64_t *order,
                        df_error *err)
{
    static const size_t memory_bytes = (size_t)192 << 20;
    size_t dim = (size_t)df_vectors_dim(s->vectors);
    int64_t fit = (int64_t)(memory_bytes / (size_t)(s->run->n_threads > 0 ? s->run->n_threads : 1) / (dim * 6));
    n = n < fit ? n : fit;
    uint16_t *halfs = malloc(((size_t)n + 1) * dim * sizeof *halfs);
    float *x = malloc(((size_t)n + 1) * dim * sizeof *x), *closest = malloc(((size_t)n + 1) * sizeof *closest);
    int64_t *index = malloc(((size_t)n + 1) * sizeof *index), *picked = malloc(((size_t)n + 1) * sizeof *picked);
    df_status status =
        halfs && x && closest && index && picked ? DF_OK : df_fail(err, DF_NOMEM, "select: out of memory");
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        index[i] = members[order[i]].index;
    if (status == DF_OK)
        status = df_vectors_gather(s->vectors, index, n, halfs, err);
    if (status == DF_OK) {
        df_half_to_float_n(halfs, x, (size_t)n * dim);
        df_rank_spread(x, n, (int)dim, 0, n_wanted, closest, picked);
        for (int64_t i = 0; i < n; i++)
            index[i] = order[picked[i]];
        memcpy(order, index, (size_t)n * sizeof *order);
    }
    free(halfs);
    free(x);
    free(closest);
    free(index);
    free(picked);
    return status;
}

static df_status write_ranks(const selecting *s, int64_t cluster, const df_member *members, const int64_t *order,
                             int64_t n, df_error *err)
{
    int64_t of_cluster = cluster_limit(s, cluster), of_total = total_limit(s, cluster);
    for (int64_t i = 0; i < n; i++) {
        const df_member *m = &members[order[i]];
        select_item item = {.place = m->place,
                            .rank = i + 1,
                            .key = m->key,
                            .cluster = (int32_t)cluster,
                            .limit = i >= of_cluster ? LIMIT_CLUSTER
                                     : i >= of_total ? LIMIT_TOTAL
                                                     : LIMIT_NONE};
        DF_TRY(df_records_write(s->items, m->index, 1, &item, err));
    }
    return DF_OK;
}

static df_status rank_cluster(void *ctx, int64_t item, int thread, df_error *err)
{
    selecting *s = ctx;
    int64_t n, cluster = s->members.from + item, wanted = cluster_limit(s, cluster), of_total = total_limit(s, cluster);
    const df_member *members = df_members_of(&s->members, cluster, &n);
    (void)thread;
    if (df_run_stopped(s->run))
        return df_fail(err, DF_STOPPED, "stopped");
    double *key = malloc(((size_t)n + 1) * sizeof *key);
    int64_t *order = malloc(((size_t)n + 1) * sizeof *order);
    df_status status = key && order ? DF_OK : df_fail(err, DF_NOMEM, "select: out of memory");
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        key[i] = members[i].key;
    if (status == DF_OK)
        status = df_rank_order(key, n, order, err);
    if (status == DF_OK && s->by == BY_BALANCED && n > 0)
        status = spread(s, members, n, wanted < of_total ? wanted : of_total, order, err);
    if (status == DF_OK)
        status = write_ranks(s, cluster, members, order, n, err);
    free(key);
    free(order);
    pthread_mutex_lock(&s->lock);
    s->n_done += n;
    df_run_progress(s->run, "select", s->n_done, df_members_left(&s->members, 0));
    pthread_mutex_unlock(&s->lock);
    return status;
}

static df_status rank_all(selecting *s, df_error *err)
{
    s->members = (df_members){.n = s->n, .n_clusters = s->n_clusters, .run = s->run, .read = read_members, .ctx = s};
    DF_TRY(df_members_count_all(&s->members, err));
    DF_TRY(share_total(s, err));
    for (int64_t from = 0; from < s->n_clusters; from = s->members.to) {
        DF_TRY(df_members_load(&s->members, from, err));
        DF_TRY(df_pool_run(s->run->n_threads, s->members.to - from, rank_cluster, s, err));
    }
    return DF_OK;
}

/* ---- parts ---- */

static df_status fill_part(const selecting *s, int part, df_table *out, df_error *err)
{
    static const char *const reasons[] = {NULL, "rank", "total"};
    int64_t end = df_vectors_first(s->vectors, part + 1);
    for (int64_t i = df_vectors_first(s->vectors, part); i < end; i++) {
        select_item item;
        DF_TRY(df_records_read(s->items, i, 1, &item, err));
        if (item.cluster >= 0)
            DF_TRY(df_table_append(out,
                                   (const df_value[]){DF_INT(item.place & 0xFFFFFFFF), DF_INT(item.limit == LIMIT_NONE),
                                                      DF_TEXT(reasons[item.limit]), DF_INT(item.cluster),
                                                      DF_INT(item.rank)},
                                   err));
    }
    return DF_OK;
}

static df_status write_part(void *ctx, int64_t part, int thread, df_error *err)
{
    const selecting *s = ctx;
    df_table *out = NULL;
    (void)thread;
    if (df_run_stopped(s->run))
        return df_fail(err, DF_STOPPED, "stopped");
    if (df_dataset_has_part(s->ds, "select", (int)part))
        return DF_OK;
    DF_TRY(df_table_create(&out, columns, err));
    df_status status = fill_part(s, (int)part, out, err);
    if (status == DF_OK)
        status = df_dataset_write(s->ds, "select", (int)part, out, err);
    df_table_close(out);
    return status;
}

/* ---- the stage ---- */

static df_status use_config(selecting *s, df_error *err)
{
    const char *by = s->config->by ? s->config->by : "";
    while (s->by < BY_COUNT && strcmp(by, by_names[s->by]) != 0)
        s->by++;
    if (s->by == BY_COUNT)
        return df_fail(err, DF_CONFIG,
                       "select.by: \"%s\" is not one of nearest, farthest, resolution, quality, score, balanced", by);
    if (s->by == BY_SCORE && (!s->config->scores || !s->config->scores[0]))
        return df_fail(err, DF_CONFIG, "select.scores: by=score needs a Parquet file with columns `path` and `score`");
    return DF_OK;
}

static df_status open_select(selecting *s, char path[PATH_MAX], df_error *err)
{
    DF_TRY(use_config(s, err));
    DF_TRY(df_vectors_open(&s->vectors, s->ds, err));
    s->n = df_vectors_count(s->vectors);
    s->chunk = malloc(DF_MEMBERS_READ * sizeof *s->chunk);
    if (!s->chunk)
        return df_fail(err, DF_NOMEM, "select: out of memory");
    if ((size_t)snprintf(path, PATH_MAX, "%s/select", df_dataset_folder(s->ds)) >= PATH_MAX - 32)
        return df_fail(err, DF_IO, "%s: path is too long", df_dataset_folder(s->ds));
    DF_TRY(df_file_mkdir(path, err));
    memcpy(path + strlen(path), "/part-items.partial", sizeof "/part-items.partial");
    unlink(path);
    return df_records_open(&s->items, path, sizeof(select_item), s->n, err);
}

static df_status select_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    char path[PATH_MAX] = "";
    int n_parts = df_dataset_parts(ds);
    selecting s = {.ds = ds, .config = config, .run = run, .lock = PTHREAD_MUTEX_INITIALIZER};
    df_status status = open_select(&s, path, err);
    if (status == DF_OK)
        status = df_pool_run(run->n_threads, n_parts, make_part, &s, err);
    if (status == DF_OK)
        status = rank_all(&s, err);
    if (status == DF_OK)
        status = df_pool_run(run->n_threads, n_parts, write_part, &s, err);
    df_members_free(&s.members);
    df_vectors_close(s.vectors);
    if (s.items)
        unlink(path);
    df_records_close(s.items);
    free(s.one_more);
    free(s.chunk);
    pthread_mutex_destroy(&s.lock);
    return status;
}

static df_status select_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const select_config *c = config;
    char *bytes, hex[DF_HASH_HEX];
    size_t size;
    (void)run;
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
    .summary = "of each group of similar images, the first so many",
    .reads = (const char *const[]){"ingest", "embed", "cluster", "dedup", NULL},
    .columns = columns,
    .options = options,
    .config_size = sizeof(select_config),
    .whole = true,
    .run = select_run,
    .depends = select_depends,
};
