/* What the tables say of each vector, for select. */
#include <math.h>
#include <stdlib.h>

#include "base/pool.h"
#include "dataset/sql_text.h"
#include "stage/select/select.h"
#include "tables/cluster.h"
#include "tables/dedup.h"
#include "tables/ingest.h"

typedef struct {
    df_table *ingest, *cluster, *dedup, *scores;
} tables;

/* Scores of the part's images in row order; of a path met twice in the scores
 * the highest counts. */
static df_status read_scores(const df_selecting *s, int part, df_table **out, df_error *err)
{
    char *path = df_dataset_part_path(s->ds, "ingest", part, "parquet");
    df_str sql = {0};
    df_error why = {""};
    df_str_append(&sql, "SELECT CAST(max(s.score) AS DOUBLE) FROM ");
    df_status status = df_sql_read_parquet(&sql, path, "", &why);
    df_str_append(&sql, " i LEFT JOIN ");
    if (status == DF_OK)
        status = df_sql_read_parquet(&sql, s->config->scores, "", &why);
    df_str_append(&sql, " s ON i.path = s.path GROUP BY i.\"row\" ORDER BY i.\"row\"");
    if (status == DF_OK)
        status =
            sql.failed ? df_no_memory(&why, NULL) : df_table_query(out, df_str_text(&sql), &why);
    df_str_free(&sql);
    free(path);
    return status == DF_OK
               ? DF_OK
               : df_fail(err, status, "select.scores: %s: %.300s", s->config->scores, why.message);
}

static df_status read_tables(const df_selecting *s, int part, tables *t, df_error *err)
{
    if (!df_dataset_has_part(s->ds, "cluster", part))
        return df_fail(err, DF_FORMAT,
                       "cluster/part-%05d.parquet is missing: densefusion cluster %s (who skips "
                       "cluster skips dedup "
                       "and select too)",
                       part, df_dataset_folder(s->ds));
    DF_TRY(df_dataset_read(s->ds, &df_ingest_table, part, &t->ingest, err));
    DF_TRY(df_dataset_read(s->ds, &df_cluster_table, part, &t->cluster, err));
    if (df_dataset_has_part(s->ds, "dedup", part)) /* when it never ran, all survive */
        DF_TRY(df_dataset_read(s->ds, &df_dedup_table, part, &t->dedup, err));
    return s->by == DF_BY_SCORE ? read_scores(s, part, &t->scores, err) : DF_OK;
}

/* The number by which an image is ranked within its cluster: the higher, the earlier. */
static double key_of(const df_selecting *s, const tables *t, int64_t i, int64_t row)
{
    double similarity = df_table_real(t->cluster, i, DF_CLUSTER_SIMILARITY),
           width = df_table_real(t->ingest, row, DF_INGEST_WIDTH),
           height = df_table_real(t->ingest, row, DF_INGEST_HEIGHT),
           bytes = df_table_real(t->ingest, row, DF_INGEST_SIZE);
    switch (s->by) {
    case DF_BY_FARTHEST:
        return -similarity;
    case DF_BY_RESOLUTION:
        return width * height;
    case DF_BY_QUALITY:
        return fmin(bytes, width * height / 2);
    case DF_BY_SCORE:
        return df_table_null(t->scores, row, 0) ? NAN : df_table_real(t->scores, row, 0);
    case DF_BY_NEAREST:
    case DF_BY_BALANCED:
    case DF_BY_COUNT:
        break;
    }
    return similarity;
}

/* Both tables are in row order; dedup has more rows: those without a vector. */
static bool survives(const df_table *dedup, int64_t row, int64_t *at)
{
    while (*at < df_table_rows(dedup) && df_table_int(dedup, *at, DF_DEDUP_ROW) < row)
        ++*at;
    return *at < df_table_rows(dedup) && df_table_int(dedup, *at, DF_DEDUP_ROW) == row &&
           df_table_bool(dedup, *at, DF_DEDUP_KEPT);
}

/* Fills the records of a part from its tables; an image that dedup removed is in no cluster. */
static df_status fill(const df_selecting *s, int part, const tables *t, df_select_item *items,
                      df_error *err)
{
    int64_t n = df_vectors_first(s->vectors, part + 1) - df_vectors_first(s->vectors, part), at = 0;
    bool fits = df_table_rows(t->cluster) == n;
    for (int64_t i = 0; i < n && fits; i++) {
        int64_t row = df_table_int(t->cluster, i, DF_CLUSTER_ROW),
                cluster = df_table_int(t->cluster, i, DF_CLUSTER_CLUSTER);
        fits =
            row >= 0 && row < df_table_rows(t->ingest) && cluster >= 0 && cluster < DF_CLUSTERS_MAX;
        if (!fits)
            break;
        bool here = !t->dedup || survives(t->dedup, row, &at);
        items[i] = (df_select_item){.place = df_place_pack((df_place){part, row}),
                                    .key = key_of(s, t, i, row),
                                    .cluster = here ? (int32_t)cluster : -1};
    }
    return fits ? DF_OK
                : df_fail(err, DF_FORMAT,
                          "cluster/part-%05d.parquet does not tell of embed's vectors, which were "
                          "made anew or changed: densefusion cluster %s",
                          part, df_dataset_folder(s->ds));
}

/* Reads the tables of a part and writes its records. A thread of the pool. */
static df_status make_part(void *ctx, int64_t part, int thread, df_error *err)
{
    df_selecting *s = ctx;
    tables t = {0};
    (void)thread;
    if (df_run_stopped(s->run))
        return df_stopped(err);
    int64_t first = df_vectors_first(s->vectors, (int)part),
            n = df_vectors_first(s->vectors, (int)part + 1) - first;
    df_select_item *items = calloc((size_t)n + 1, sizeof *items);
    df_status status =
        items ? read_tables(s, (int)part, &t, err) : df_no_memory(err, "read cluster");
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

df_status df_select_make_items(df_selecting *s, df_error *err)
{
    return df_pool_run(s->run->n_threads, df_dataset_parts(s->ds), make_part, s, err);
}
