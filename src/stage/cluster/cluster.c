/* cluster: spherical k-means over the vectors of `embed` (paper section 3.1: 50,000 clusters), then
 * the cluster of each vector. */
#include "stage/cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage/cluster/work.h"
#include "tables/cluster.h"
#include "tables/embed.h"

static const df_option options[] = {
    {"k", DF_OPT_INT, offsetof(df_cluster_config, k), "0", 0, 1e7,
     "clusters (paper: 50000); 0: the square root of the number of images, at most 50000"},
    {"iters", DF_OPT_INT, offsetof(df_cluster_config, iters), "25", 1, 99999,
     "rounds at most; it ends before when no centroid moves any more (paper: not stated; "
     "SemDeDup's code: 100)"},
    {"sample", DF_OPT_INT, offsetof(df_cluster_config, sample), "0", 0, 1e9,
     "train on this many images a cluster, then assign all images in one pass (faiss: 256); 0: "
     "train on all"},
    {"start", DF_OPT_TEXT, offsetof(df_cluster_config, start), "sample", 0, 0,
     "first centroids: `sample` draws images, `plusplus` spreads them (k-means++ among 16 k "
     "images: "
     "16 k x k dot products)"},
    {"seed", DF_OPT_INT, offsetof(df_cluster_config, seed), "1234", 0, 1e15,
     "seed of all random choices"},
    {"memory", DF_OPT_INT, offsetof(df_cluster_config, memory), "1024", 0, 1e7,
     "MiB of memory beyond the centroids; more is faster, the result is the same"},
    {0},
};

/* ---- training ---- */

typedef struct {
    const df_run *run;
    int64_t before, total;
} pass_progress;

static void show_progress(void *ctx, int64_t done, int64_t total)
{
    const pass_progress *p = ctx;
    df_run_progress(p->run, "cluster", p->before + done, p->total);
    (void)total;
}

/* A block at work takes about this of each thread; the rest of the memory is for what is kept. */
static size_t kept_memory(const df_cluster_work *w)
{
    size_t all = (size_t)w->config->memory << 20;
    size_t a_thread =
        (size_t)1024 * ((size_t)w->d * 3 + (size_t)w->k / 8 + 400) + ((size_t)w->d << 3);
    size_t sums = ((size_t)w->k * (size_t)w->d) * 10;
    size_t blocks = a_thread * (size_t)(w->run->n_threads < 1 ? 1 : w->run->n_threads);
    return all > sums + blocks ? all - sums - blocks : 0;
}

static df_status open_kmeans(df_kmeans **km, const df_cluster_work *w, const df_rows *rows,
                             pass_progress *p, df_error *err)
{
    df_kmeans_options o = {.n_threads = w->run->n_threads,
                           .memory = kept_memory(w),
                           .stop = w->run->stop,
                           .progress = show_progress,
                           .ctx = p};
    return df_kmeans_open(km, rows, w->centroid, w->k, &o, err);
}

static df_status train_round(df_cluster_work *w, df_kmeans *km, float *centroid, df_error *err)
{
    DF_TRY(df_kmeans_assign(km, NULL, err));
    memcpy(centroid, w->centroid, (size_t)w->k * (size_t)w->d * sizeof *centroid);
    DF_TRY(df_centroids_update(df_kmeans_sums(km), df_kmeans_counts(km), w->k, w->d,
                               (uint64_t)w->config->seed, w->round, centroid, NULL, err));
    DF_TRY(df_cluster_work_advance(w, centroid, err));
    return df_kmeans_move(km, centroid, err);
}

/* Trains the centroids: rounds of k-means until none is left, each kept on disk when it ends. */
static df_status train(df_cluster_work *w, df_error *err)
{
    df_training t;
    df_kmeans *km = NULL;
    DF_TRY(df_cluster_work_start(w, err));
    if (w->finished)
        return DF_OK;
    DF_TRY(df_training_init(&t, w, NULL, 0, err));
    pass_progress p = {.run = w->run, .total = t.rows.n * w->config->iters};
    float *centroid = malloc((size_t)w->k * (size_t)w->d * sizeof *centroid);
    df_status status = centroid ? open_kmeans(&km, w, &t.rows, &p, err) : df_no_memory(err, NULL);
    while (status == DF_OK && !w->finished) {
        p.before = t.rows.n * w->round;
        status = train_round(w, km, centroid, err);
    }
    df_kmeans_close(km);
    free(centroid);
    df_training_free(&t);
    return status;
}

/* ---- the cluster of every vector ---- */

static df_status read_vectors(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    return df_vectors_read(ctx, first, n, out, err);
}

/* cluster, similarity: of the part's vectors. */
static df_status write_part(const df_cluster_work *w, int part, const int32_t *cluster,
                            const float *similarity, df_error *err)
{
    df_table *embed = NULL, *out = NULL;
    DF_TRY(df_dataset_read(w->ds, &df_embed_table, part, &embed, err));
    df_status status = df_table_create(&out, df_cluster_table.columns, err);
    for (int64_t i = 0, vector = 0; status == DF_OK && i < df_table_rows(embed); i++) {
        if (!df_table_null(embed, i, DF_EMBED_PROBLEM))
            continue;
        status =
            df_table_append(out,
                            (df_value[DF_CLUSTER_COLUMNS]){
                                [DF_CLUSTER_ROW] = DF_INT(df_table_int(embed, i, DF_EMBED_ROW)),
                                [DF_CLUSTER_CLUSTER] = DF_INT(cluster[vector]),
                                [DF_CLUSTER_SIMILARITY] = DF_REAL((double)similarity[vector])},
                            err);
        vector++;
    }
    if (status == DF_OK)
        status = df_dataset_write(w->ds, "cluster", part, out, err);
    df_table_close(out);
    df_table_close(embed);
    return status;
}

/* Neighbouring parts that lack their table are looked at together: small parts would leave threads
 * idle. */
enum { LABELLED_AT_ONCE = 1 << 18 };

static bool lacks(const df_cluster_work *w, int part)
{
    return df_run_wants(w->run, part) && !df_dataset_has_part(w->ds, "cluster", part);
}

/* Assigns the vectors of parts [begin, end) to their nearest centroid and writes these parts. */
static df_status label_parts(const df_cluster_work *w, df_kmeans *km, int begin, int end,
                             df_error *err)
{
    int64_t first = df_vectors_first(w->vectors, begin),
            n = df_vectors_first(w->vectors, end) - first;
    int32_t *cluster = malloc(((size_t)n + 1) * sizeof *cluster);
    float *similarity = malloc(((size_t)n + 1) * sizeof *similarity);
    df_status status = cluster && similarity ? DF_OK : df_no_memory(err, "part %d", begin);
    if (status == DF_OK && n > 0)
        status = df_kmeans_label(km, first, n, cluster, similarity, err);
    for (int part = begin; status == DF_OK && part < end; part++) {
        int64_t at = df_vectors_first(w->vectors, part) - first;
        status = write_part(w, part, cluster + at, similarity + at, err);
    }
    free(cluster);
    free(similarity);
    return status;
}

/* Labels the parts that are missing, as many at a time as keep all threads busy. */
static df_status label(const df_cluster_work *w, df_error *err)
{
    df_kmeans *km = NULL;
    df_rows rows = {.n = w->n, .d = w->d, .read = read_vectors, .ctx = w->vectors};
    df_kmeans_options o = {.n_threads = w->run->n_threads};
    df_status status = w->n > 0 ? df_kmeans_open(&km, &rows, w->centroid, w->k, &o, err) : DF_OK;
    int n_parts = df_dataset_parts(w->ds);
    for (int part = 0, end; status == DF_OK && part < n_parts; part = end) {
        int64_t first = df_vectors_first(w->vectors, part);
        for (end = part; end < n_parts && lacks(w, end); end++)
            if (df_vectors_first(w->vectors, end + 1) - first > LABELLED_AT_ONCE && end > part)
                break;
        if (end == part) {
            end++;
            continue;
        }
        status = df_run_stopped(w->run) ? df_stopped(err) : label_parts(w, km, part, end, err);
        df_run_progress(w->run, "cluster", df_vectors_first(w->vectors, end), w->n);
    }
    df_kmeans_close(km);
    return status;
}

static df_status check_config(const df_cluster_config *c, df_error *err)
{
    if (strcmp(c->start, "sample") != 0 && strcmp(c->start, "plusplus") != 0)
        return df_fail(err, DF_CONFIG, "cluster.start: \"%s\" is neither sample nor plusplus",
                       c->start);
    return DF_OK;
}

static df_status cluster_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    df_cluster_work w;
    DF_TRY(check_config(config, err));
    DF_TRY(df_cluster_work_open(&w, ds, config, run, run->parts == NULL, err));
    df_status status = w.n > 0 && !w.finished ? train(&w, err) : DF_OK;
    if (status == DF_OK)
        status = label(&w, err);
    df_cluster_work_close(&w);
    return status;
}

/* ---- the halves of a round ---- */

/* The map half of a round: assigns the vectors of some parts and writes their sums and counts. */
static df_status map_parts(df_cluster_work *w, const int *parts, int n_parts, df_error *err)
{
    df_training t;
    df_kmeans *km = NULL;
    DF_TRY(df_training_init(&t, w, parts, n_parts, err));
    pass_progress p = {.run = w->run, .total = t.rows.n};
    df_status status = open_kmeans(&km, w, &t.rows, &p, err);
    if (status == DF_OK)
        status = df_kmeans_assign(km, NULL, err);
    if (status == DF_OK)
        status = df_cluster_work_write_sums(w, parts, n_parts, df_kmeans_sums(km),
                                            df_kmeans_counts(km), err);
    df_kmeans_close(km);
    df_training_free(&t);
    return status;
}

df_status df_cluster_map(df_dataset *ds, const void *config, const df_run *run, bool *finished,
                         df_error *err)
{
    df_cluster_work w;
    int n_all = df_dataset_parts(ds), *all = NULL;
    DF_TRY(check_config(config, err));
    DF_TRY(df_cluster_work_open(&w, ds, config, run, false, err));
    df_status status =
        w.n > 0 ? df_cluster_work_start(&w, err) : df_fail(err, DF_FORMAT, "there are no vectors");
    if (status == DF_OK && !w.finished) {
        all = malloc(((size_t)n_all + 1) * sizeof *all);
        for (int part = 0; all && part < n_all; part++)
            all[part] = part;
        status = all ? map_parts(&w, run->parts ? run->parts : all,
                                 run->parts ? run->n_parts : n_all, err)
                     : df_no_memory(err, NULL);
    }
    *finished = w.finished;
    free(all);
    df_cluster_work_close(&w);
    return status;
}

/* The reduce half of a round: adds the sums of all machines up and moves the centroids. */
static df_status reduce(df_cluster_work *w, df_error *err)
{
    size_t size = (size_t)w->k * (size_t)w->d;
    int64_t *sum = calloc(size, sizeof *sum), *count = calloc((size_t)w->k, sizeof *count);
    float *centroid = malloc(size * sizeof *centroid);
    df_status status = sum && count && centroid ? df_cluster_work_read_sums(w, sum, count, err)
                                                : df_no_memory(err, NULL);
    if (status == DF_OK) {
        memcpy(centroid, w->centroid, size * sizeof *centroid);
        status = df_centroids_update(sum, count, w->k, w->d, (uint64_t)w->config->seed, w->round,
                                     centroid, NULL, err);
    }
    if (status == DF_OK)
        status = df_cluster_work_advance(w, centroid, err);
    free(sum);
    free(count);
    free(centroid);
    return status;
}

df_status df_cluster_reduce(df_dataset *ds, const void *config, const df_run *run, int *round,
                            bool *finished, df_error *err)
{
    df_cluster_work w;
    DF_TRY(check_config(config, err));
    DF_TRY(df_cluster_work_open(&w, ds, config, run, false, err));
    df_status status =
        w.round < 0 && !w.finished
            ? df_fail(err, DF_FORMAT, "nothing is mapped yet: densefusion kmeans map %s",
                      df_dataset_folder(ds))
            : DF_OK;
    if (status == DF_OK && !w.finished)
        status = reduce(&w, err);
    *round = w.round;
    *finished = w.finished;
    df_cluster_work_close(&w);
    return status;
}

/* Adds nothing to the fingerprint. Called to check the options before old output is deleted. */
static df_status cluster_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    (void)run;
    (void)out;
    return check_config(config, err);
}

const df_stage df_stage_cluster = {
    .name = "cluster",
    .summary = "group similar images with spherical k-means",
    .reads = (const char *const[]){"embed", NULL},
    .table = &df_cluster_table,
    .options = options,
    .config_size = sizeof(df_cluster_config),
    .whole = true,
    .ready = df_cluster_work_finished,
    .run = cluster_run,
    .depends = cluster_depends,
};
