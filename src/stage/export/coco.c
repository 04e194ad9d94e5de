#include "stage/export/coco.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "tables/joined.h"
#include "io/json_writer.h"
#include "tables/tables.h"

/* of image ids: part and row as in captions.jsonl, read as one number */
enum { ROWS_PER_PART = 1000000 };

static const char file_name[] = "export/coco.json";

/* Where a table of boxes has what COCO wants; -1: nowhere. */
typedef struct {
    int kind, label, score, source, count, side[4];
} columns;
static const columns of_raw = {-1,
                               DF_DETECT_LABEL,
                               DF_DETECT_SCORE,
                               DF_DETECT_SOURCE,
                               -1,
                               {DF_DETECT_X0, DF_DETECT_Y0, DF_DETECT_X1, DF_DETECT_Y1}};
static const columns of_fused = {
    DF_FUSE_EVIDENCE_KIND,
    DF_FUSE_EVIDENCE_TEXT,
    DF_FUSE_EVIDENCE_SCORE,
    DF_FUSE_EVIDENCE_SOURCE,
    DF_FUSE_EVIDENCE_COUNT,
    {DF_FUSE_EVIDENCE_X0, DF_FUSE_EVIDENCE_Y0, DF_FUSE_EVIDENCE_X1, DF_FUSE_EVIDENCE_Y1}};

typedef struct {
    const df_dataset *ds;
    const df_run *run;
    const df_table_type *type;               /* that holds the boxes */
    columns at;                              /* of that table */
    df_table *labels;                        /* sorted; a category's id is its place, from 1 */
    df_stream file;
    df_str text;                             /* of the file: what is not in it yet */
    df_json_writer json;                     /* writes to text */
    int64_t n_boxes;
} coco;

static df_status put(coco *c, df_error *err)
{
    df_status status = df_stream_put(&c->file, &c->text, err);
    df_str_clear(&c->text);
    return status;
}

/* ---- categories ---- */

static df_status read_labels(coco *c, df_error *err)
{
    df_str sql = {0};
    df_str_printf(&sql, "SELECT DISTINCT %s AS label FROM ", c->type->columns[c->at.label].name);
    df_status status = df_dataset_append_sql(c->ds, c->type->name, &sql, err);
    df_str_printf(&sql, " WHERE label IS NOT NULL%s ORDER BY label",
                  c->at.kind >= 0 ? " AND kind = 'box'" : "");
    if (status == DF_OK)
        status = sql.failed ? df_no_memory(err, "write %s", file_name)
                            : df_table_query(&c->labels, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}

static int64_t category_of(const coco *c, const char *label)
{
    int64_t low = 0, high = df_table_rows(c->labels);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(df_table_text(c->labels, middle, 0), label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low + 1;
}

static df_status put_categories(coco *c, df_error *err)
{
    for (int64_t i = 0; i < df_table_rows(c->labels); i++) {
        df_json_begin_object(&c->json, NULL);
        df_json_put_int(&c->json, "id", i + 1);
        df_json_put_text(&c->json, "name", df_table_text(c->labels, i, 0));
        df_json_end(&c->json);
        DF_TRY(put(c, err));
    }
    return DF_OK;
}

/* ---- images ---- */

static int64_t image_id(const df_joined *j, int64_t row)
{
    return (int64_t)j->part * ROWS_PER_PART + row;
}

/* Writes an image as COCO has it. */
static df_status put_image(coco *c, const df_joined *j, int64_t row, df_error *err)
{
    df_json_writer *w = &c->json;
    df_json_begin_object(w, NULL);
    df_json_put_int(w, "id", image_id(j, row));
    df_json_put_text(w, "file_name", df_joined_text(j, &df_ingest_table, row, DF_INGEST_PATH));
    if (df_joined_has(j, &df_ingest_table, row, DF_INGEST_WIDTH) &&
        df_joined_has(j, &df_ingest_table, row, DF_INGEST_HEIGHT)) {
        df_json_put_int(w, "width", df_joined_int(j, &df_ingest_table, row, DF_INGEST_WIDTH, 0));
        df_json_put_int(w, "height", df_joined_int(j, &df_ingest_table, row, DF_INGEST_HEIGHT, 0));
    }
    if (df_joined_has(j, &df_ingest_table, row, DF_INGEST_URL))
        df_json_put_text(w, "coco_url", df_joined_text(j, &df_ingest_table, row, DF_INGEST_URL));
    df_json_end(w);
    return put(c, err);
}

static df_status put_images(coco *c, const df_joined *j, df_error *err)
{
    for (int64_t row = 0; row < j->n_rows; row++)
        if (df_joined_kept(j, row, NULL, NULL))
            DF_TRY(put_image(c, j, row, err));
    return DF_OK;
}

/* ---- boxes ---- */

/* iscrowd: a box that stands for several objects is what COCO calls a crowd. */
static void append_box(coco *c, const df_table *t, int64_t i, int64_t image, const double side[4])
{
    const double box[4] = {side[0], side[1], side[2] - side[0], side[3] - side[1]};
    const int64_t count = df_table_null(t, i, c->at.count) ? 1 : df_table_int(t, i, c->at.count);
    df_json_writer *w = &c->json;
    df_json_begin_object(w, NULL);
    df_json_put_int(w, "id", ++c->n_boxes);
    df_json_put_int(w, "image_id", image);
    df_json_put_int(w, "category_id", category_of(c, df_table_text(t, i, c->at.label)));
    df_json_begin_list(w, "bbox");
    for (int k = 0; k < 4; k++)
        df_json_put_real(w, NULL, box[k]);
    df_json_end(w);
    df_json_put_real(w, "area", box[2] * box[3]);
    df_json_put_int(w, "iscrowd", count > 1);
    df_json_put_real(w, "score", df_table_real(t, i, c->at.score));
    if (count > 1)
        df_json_put_int(w, "count", count);
    df_json_put_text(w, "source", df_table_text(t, i, c->at.source));
    df_json_end(w);
}

static df_status put_box(coco *c, const df_joined *j, const df_table *t, int64_t i, df_error *err)
{
    const int64_t row = df_table_int(t, i, DF_ROW);
    double side[4];
    bool whole = c->at.kind < 0 || strcmp(df_table_text(t, i, c->at.kind), "box") == 0;
    for (int k = 0; k < 4; k++) {
        side[k] = df_table_real(t, i, c->at.side[k]);
        whole = whole && isfinite(side[k]);
    }
    if (!whole || row < 0 || row >= j->n_rows || !df_joined_kept(j, row, NULL, NULL))
        return DF_OK;
    append_box(c, t, i, image_id(j, row), side);
    return put(c, err);
}

static df_status put_boxes(coco *c, const df_joined *j, df_error *err)
{
    df_table *t = NULL;
    df_status status = df_dataset_read(c->ds, c->type, j->part, &t, err);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(t); i++)
        status = put_box(c, j, t, i, err);
    df_table_close(t);
    return status;
}

/* ---- the file ---- */

typedef df_status (*part_fn)(coco *c, const df_joined *j, df_error *err);

static df_status put_parts(coco *c, const char *name, part_fn each, df_error *err)
{
    df_json_begin_list(&c->json, name);
    for (int part = 0; part < df_dataset_parts(c->ds); part++) {
        df_joined j;
        if (df_run_stopped(c->run))
            return df_stopped(err);
        DF_TRY(df_joined_open(&j, c->ds, part, err));
        df_status status = each(c, &j, err);
        df_joined_close(&j);
        DF_TRY(status);
    }
    df_json_end(&c->json);
    return put(c, err);
}

static df_status put_all(coco *c, df_error *err)
{
    DF_TRY(read_labels(c, err));
    df_json_begin_object(&c->json, NULL);
    DF_TRY(put_parts(c, "images", put_images, err));
    DF_TRY(put_parts(c, "annotations", put_boxes, err));
    df_json_begin_list(&c->json, "categories");
    DF_TRY(put_categories(c, err));
    df_json_end(&c->json);
    df_json_end(&c->json);
    df_str_append(&c->text, "\n");
    return put(c, err);
}

df_status df_export_coco(const df_dataset *ds, bool fused, const df_run *run, df_error *err)
{
    coco c = {.ds = ds, .run = run};
    c.type = fused ? &df_fuse_evidence_table : &df_detect_table;
    c.json = (df_json_writer){.out = &c.text, .lines = 2};
    c.at = fused ? of_fused : of_raw;
    df_status status = df_stream_open(&c.file, df_dataset_files(ds), file_name, err);
    if (status == DF_OK)
        status = put_all(&c, err);
    if (status == DF_OK)
        status = df_stream_commit(&c.file, err);
    df_stream_drop(&c.file);
    df_table_close(c.labels);
    df_str_free(&c.text);
    return status;
}

df_status df_export_no_coco(const df_dataset *ds, df_error *err)
{
    return df_folder_remove(df_dataset_files(ds), file_name, err);
}
