/* The tables of embed, cluster and ingest, joined to a record per vector. */
#include <pthread.h>
#include <stdlib.h>

#include "base/pool.h"
#include "stage/dedup/dedup.h"
#include "stage/members.h"
#include "tables/cluster.h"
#include "tables/embed.h"
#include "tables/ingest.h"

enum { HASH_BITS_MIN = 8 };

typedef struct {
    df_dedup *d;
    pthread_mutex_t lock;
} making;
typedef struct {
    df_table *embed, *cluster, *ingest;
} tables;

static df_status mismatch(const df_dedup *d, int part, df_error *err)
{
    return df_fail(err, DF_FORMAT,
                   "cluster/part-%05d.parquet does not tell of embed's vectors, which were made "
                   "anew or changed: "
                   "densefusion cluster %s",
                   part, df_dataset_folder(d->ds));
}

/* A flat picture, or one that only gets brighter to one side, has the hash of every other such
 * picture. */
static bool tells_something(uint64_t hash)
{
    int n = 0;
    for (uint64_t h = hash; h; h &= h - 1)
        n++;
    return n >= HASH_BITS_MIN && n <= 64 - HASH_BITS_MIN;
}

static df_status read_tables(const df_dedup *d, int part, tables *t, df_error *err)
{
    if (!df_dataset_has_part(d->ds, "cluster", part))
        return df_fail(err, DF_FORMAT,
                       "cluster/part-%05d.parquet is missing: densefusion cluster %s (who skips "
                       "cluster skips dedup "
                       "and select too)",
                       part, df_dataset_folder(d->ds));
    DF_TRY(df_dataset_read(d->ds, &df_embed_table, part, &t->embed, err));
    DF_TRY(df_dataset_read(d->ds, &df_cluster_table, part, &t->cluster, err));
    return df_dataset_read(d->ds, &df_ingest_table, part, &t->ingest, err);
}

static void read_size(const df_table *ingest, int64_t row, df_dedup_item *item)
{
    if (row >= df_table_rows(ingest))
        return;
    int64_t width = df_table_int(ingest, row, DF_INGEST_WIDTH),
            height = df_table_int(ingest, row, DF_INGEST_HEIGHT);
    bool sane = width > 0 && height > 0 && width < INT32_MAX && height < INT32_MAX;
    item->pixels = sane ? width * height : 0;
    item->bytes = df_table_int(ingest, row, DF_INGEST_SIZE);
}

/* The i-th row of embed without a problem is the i-th row of cluster. */
static df_status fill(const df_dedup *d, int part, const tables *t, df_dedup_item *items,
                      df_error *err)
{
    int64_t n = df_vectors_first(d->vectors, part + 1) - df_vectors_first(d->vectors, part), at = 0;
    if (df_table_rows(t->cluster) != n)
        return mismatch(d, part, err);
    for (int64_t i = 0; i < df_table_rows(t->embed) && at < n; i++) {
        if (!df_table_null(t->embed, i, DF_EMBED_PROBLEM))
            continue;
        int64_t row = df_table_int(t->embed, i, DF_EMBED_ROW),
                cluster = df_table_int(t->cluster, at, DF_CLUSTER_CLUSTER);
        if (row < 0 || row > INT32_MAX || row != df_table_int(t->cluster, at, DF_CLUSTER_ROW))
            return mismatch(d, part, err);
        if (df_table_null(t->cluster, at, DF_CLUSTER_CLUSTER) || cluster < 0 ||
            cluster >= DF_CLUSTERS_MAX)
            return df_fail(err, DF_FORMAT,
                           "cluster/part-%05d.parquet: row %lld is in no cluster from 0 to %d",
                           part, (long long)row, DF_CLUSTERS_MAX - 1);
        uint64_t hash = (uint64_t)df_table_int(t->embed, i, DF_EMBED_PHASH);
        items[at] = (df_dedup_item){
            .place = df_place_pack((df_place){part, row}),
            .hash = hash,
            .to_centroid = df_table_real(t->cluster, at, DF_CLUSTER_SIMILARITY),
            .cluster = (int32_t)cluster,
            .hashed = !df_table_null(t->embed, i, DF_EMBED_PHASH) && tells_something(hash)};
        read_size(t->ingest, row, &items[at++]);
    }
    return at == n ? DF_OK : mismatch(d, part, err);
}

/* Reads the tables of a part and writes its records. A thread of the pool. */
static df_status make_part(void *ctx, int64_t part, int thread, df_error *err)
{
    making *m = ctx;
    df_dedup *d = m->d;
    (void)thread;
    if (df_run_stopped(d->run))
        return df_stopped(err);
    tables t = {0};
    int64_t first = df_vectors_first(d->vectors, (int)part),
            n = df_vectors_first(d->vectors, (int)part + 1) - first;
    df_dedup_item *items = calloc((size_t)n + 1, sizeof *items);
    df_status status =
        items ? read_tables(d, (int)part, &t, err) : df_no_memory(err, "read cluster");
    if (status == DF_OK)
        status = fill(d, (int)part, &t, items, err);
    if (status == DF_OK)
        status = df_records_write(d->items, first, n, items, err);
    pthread_mutex_lock(&m->lock);
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        if (items[i].cluster >= d->n_clusters)
            d->n_clusters = items[i].cluster + 1;
    pthread_mutex_unlock(&m->lock);
    df_table_close(t.embed);
    df_table_close(t.cluster);
    df_table_close(t.ingest);
    free(items);
    return status;
}

df_status df_dedup_make_items(df_dedup *d, df_error *err)
{
    making m = {.d = d, .lock = PTHREAD_MUTEX_INITIALIZER};
    d->n_clusters = 0;
    df_status status = df_pool_run(d->run->n_threads, df_dataset_parts(d->ds), make_part, &m, err);
    pthread_mutex_destroy(&m.lock);
    return status;
}
