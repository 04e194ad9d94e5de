#include "stage/report/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tables/clusters.h"
#include "io/json_writer.h"
#include "tables/ingest.h"

/* twice what a contact sheet shows: sharp on dense screens */
enum { SIDE_PX = 240 };

/* An image that is shown, wherever it is met; sorted by place, so that each part is read once. */
typedef struct {
    int64_t part, row;
    df_thumb_name thumb;
} shown_image;
typedef struct {
    shown_image *items;
    int64_t n;
} shown_images;

static int by_place(const void *a, const void *b)
{
    const shown_image *x = a, *y = b;
    return x->part != y->part ? (x->part > y->part) - (x->part < y->part)
                              : (x->row > y->row) - (x->row < y->row);
}

static int64_t number(const df_table *t, int64_t row, const char *column)
{
    return df_table_int(t, row, df_table_column(t, column));
}

static void collect(shown_images *s, const df_table *t, const char *part, const char *row)
{
    int of_part = df_table_column(t, part), of_row = df_table_column(t, row);
    for (int64_t i = 0; i < df_table_rows(t); i++)
        if (!df_table_null(t, i, of_part))
            s->items[s->n++] = (shown_image){.part = df_table_int(t, i, of_part),
                                             .row = df_table_int(t, i, of_row)};
}

static void sort_and_unite(shown_images *s)
{
    int64_t n = 0;
    if (s->n > 1)
        qsort(s->items, (size_t)s->n, sizeof *s->items, by_place);
    for (int64_t i = 0; i < s->n; i++)
        if (i == 0 || by_place(&s->items[i], &s->items[n - 1]) != 0)
            s->items[n++] = s->items[i];
    s->n = n;
}

/* The pictures of one part: items [from, to). */
static df_status make_part(df_thumbs *thumbs, shown_image *items, int64_t n, df_error *err)
{
    df_table *ingest = NULL;
    int64_t *rows = malloc(((size_t)n + 1) * sizeof *rows);
    df_thumb_name *names = calloc((size_t)n + 1, sizeof *names);
    df_status status = rows && names ? df_dataset_read(thumbs->ds, &df_ingest_table,
                                                       (int)items->part, &ingest, err)
                                     : df_no_memory(err, "report");
    for (int64_t i = 0; status == DF_OK && i < n; i++) {
        rows[i] = items[i].row;
        if (rows[i] < 0 || rows[i] >= df_table_rows(ingest))
            status = df_fail(err, DF_FORMAT, "report: part %lld has no row %lld",
                             (long long)items->part, (long long)rows[i]);
    }
    if (status == DF_OK)
        status = df_thumbs_make(thumbs, (int)items->part, ingest, rows, n, SIDE_PX, names, err);
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        memcpy(items[i].thumb, names[i], sizeof names[i]);
    df_table_close(ingest);
    free(rows);
    free(names);
    return status;
}

/* Makes a small picture of every image that is shown of clusters and pairs, part by part. */
static df_status make_pictures(df_thumbs *thumbs, shown_images *s, const df_table *members,
                               const df_table *pairs, df_error *err)
{
    size_t most = (size_t)df_table_rows(members) + 2 * (size_t)df_table_rows(pairs);
    s->items = calloc(most + 1, sizeof *s->items);
    if (!s->items)
        return df_no_memory(err, "report");
    collect(s, members, "part", "row");
    collect(s, pairs, "part", "row");
    collect(s, pairs, "nearest_part", "nearest_row");
    sort_and_unite(s);
    for (int64_t from = 0, to; from < s->n; from = to) {
        for (to = from + 1; to < s->n && s->items[to].part == s->items[from].part;)
            to++;
        DF_TRY(make_part(thumbs, s->items + from, to - from, err));
    }
    return DF_OK;
}

/* ---- JSON ---- */

static void put_real(df_json_writer *w, const char *key, double v)
{
    df_json_put_real(w, key, round(v * 10000) / 10000);
}

static double real(const df_table *t, int64_t row, const char *column)
{
    return df_table_real(t, row, df_table_column(t, column));
}

static void put_known(df_json_writer *w, const char *key, const df_table *t, int64_t row,
                      const char *column)
{
    if (!df_table_null(t, row, df_table_column(t, column)))
        df_json_put_text(w, key, df_table_text(t, row, df_table_column(t, column)));
}

/* id, path and thumb of the image that three columns of a row name. */
static void put_image(df_json_writer *w, const shown_images *s, const df_table *t, int64_t row,
                      const char *const columns[3])
{
    shown_image key = {.part = number(t, row, columns[0]), .row = number(t, row, columns[1])};
    const shown_image *found = bsearch(&key, s->items, (size_t)s->n, sizeof key, by_place);
    char id[DF_PLACE_ID_MAX];
    df_place_print((df_place){(int32_t)key.part, key.row}, id);
    df_json_put_text(w, "id", id);
    put_known(w, "path", t, row, columns[2]);
    if (found && *found->thumb)
        df_json_put_text(w, "thumb", found->thumb);
}

static const char *const own[3] = {"part", "row", "path"};
static const char *const other[3] = {"nearest_part", "nearest_row", "nearest_path"};

static void put_members(df_json_writer *w, const shown_images *s, const df_table *members,
                        int64_t cluster)
{
    df_json_begin_list(w, "images");
    for (int64_t i = 0; i < df_table_rows(members); i++) {
        if (number(members, i, "cluster") != cluster)
            continue;
        df_json_begin_object(w, NULL);
        put_image(w, s, members, i, own);
        put_real(w, "similarity", real(members, i, "similarity"));
        put_known(w, "reason", members, i, "reason");
        df_json_end(w);
    }
    df_json_end(w);
}

/* Writes the largest clusters with some of their members. */
static void put_clusters(df_json_writer *w, const shown_images *s, const df_table *largest,
                         const df_table *members)
{
    df_json_begin_list(w, "clusters");
    for (int64_t i = 0; i < df_table_rows(largest); i++) {
        df_json_begin_object(w, NULL);
        df_json_put_int(w, "cluster", number(largest, i, "cluster"));
        df_json_put_int(w, "members", number(largest, i, "members"));
        put_real(w, "similarity", real(largest, i, "similarity"));
        if (!df_table_null(largest, i, df_table_column(largest, "selected"))) {
            df_json_put_int(w, "removed", number(largest, i, "removed"));
            df_json_put_int(w, "selected", number(largest, i, "selected"));
        }
        put_members(w, s, members, number(largest, i, "cluster"));
        df_json_end(w);
    }
    df_json_end(w);
}

static void put_pairs(df_json_writer *w, const shown_images *s, const df_table *pairs)
{
    df_json_begin_list(w, "pairs");
    for (int64_t i = 0; i < df_table_rows(pairs); i++) {
        df_json_begin_object(w, NULL);
        put_image(w, s, pairs, i, own);
        put_real(w, "similarity", real(pairs, i, "similarity"));
        put_known(w, "reason", pairs, i, "reason");
        df_json_begin_object(w, "nearest");
        put_image(w, s, pairs, i, other);
        df_json_end(w);
        df_json_end(w);
    }
    df_json_end(w);
}

/* Writes the histogram of similarities and the counts beside it. */
static void put_similarities(df_json_writer *w, const df_similarities *s)
{
    df_json_begin_list(w, "bins");
    for (int i = 0; i < DF_SIMILARITY_BINS; i++)
        df_json_put_int(w, NULL, s->bins[i]);
    df_json_end(w);
    df_json_put_int(w, "first", s->n_first);
    df_json_put_int(w, "copies", s->n_copies);
    df_json_put_int(w, "no_vector", s->n_no_vector);
    df_json_put_int(w, "kept", s->n_kept);
    df_json_put_int(w, "similar", s->n_similar);
    if (s->n_kept > s->n_first)
        put_real(w, "highest_kept", s->highest_kept);
    if (s->n_similar)
        put_real(w, "lowest_removed", s->lowest_removed);
}

/* ---- */

static df_status read_members(const df_dataset *ds, const df_table *largest, int64_t limit,
                              df_table **members, df_error *err)
{
    int64_t n = df_table_rows(largest), *ids = malloc(((size_t)n + 1) * sizeof *ids);
    if (!ids)
        return df_no_memory(err, "report");
    for (int64_t i = 0; i < n; i++)
        ids[i] = number(largest, i, "cluster");
    df_status status = df_clusters_members(ds, ids, n, limit, members, err);
    free(ids);
    return status;
}

df_status df_report_clusters(df_str *out, df_thumbs *thumbs,
                             const df_report_clusters_config *config, df_error *err)
{
    const df_dataset *ds = thumbs->ds;
    df_table *largest = NULL, *members = NULL, *pairs = NULL;
    df_similarities similarities;
    shown_images shown = {0};
    if (!df_dataset_has_all(ds, "cluster") || !df_dataset_has_all(ds, "dedup"))
        return DF_OK;
    df_status status = df_clusters_largest(ds, config->clusters, &largest, err);
    if (status == DF_OK)
        status = read_members(ds, largest, config->members, &members, err);
    if (status == DF_OK)
        status = df_clusters_pairs(ds, config->pairs, 0, &pairs, err);
    if (status == DF_OK)
        status = df_clusters_similarities(ds, &similarities, err);
    if (status == DF_OK)
        status = make_pictures(thumbs, &shown, members, pairs, err);
    if (status == DF_OK) {
        df_json_writer w = {.out = out, .compact = true};
        df_str_append(out, "densefusion.setClusters(");
        df_json_begin_object(&w, NULL);
        put_clusters(&w, &shown, largest, members);
        put_pairs(&w, &shown, pairs);
        put_similarities(&w, &similarities);
        df_json_end(&w);
        df_str_append(out, ");\n");
    }
    free(shown.items);
    df_table_close(largest);
    df_table_close(members);
    df_table_close(pairs);
    return status;
}
