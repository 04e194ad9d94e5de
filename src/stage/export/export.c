/* export: the captions as others read them, and the list of what was selected. JSON lines first;
 * the Parquet file is made from them, so both say the same. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/stream.h"
#include "tables/joined.h"
#include "dataset/sql_text.h"
#include "io/json_writer.h"
#include "stage/export/coco.h"
#include "stage/export/conversation.h"
#include "stage/export/evidence.h"
#include "stage/export/tuning.h"
#include "tables/caption.h"
#include "tables/check.h"
#include "tables/ingest.h"

typedef struct {
    bool passed_only, evidence;
    char *instruction, *coco;
    df_tuning_split tuning;
} export_config;

/* Two files that grow row by row; the line buffer is shared. */
typedef struct {
    df_stream lines, llava;
    df_str text;
    int64_t n;
    const export_config *config;
} export_out;

static void put_known(df_json_writer *w, const df_joined *j, int64_t row, int column)
{
    const char *value = df_joined_text(j, &df_ingest_table, row, column);
    if (*value)
        df_json_put_text(w, df_ingest_table.columns[column].name, value);
}

/* Appends an image's line of captions.jsonl. */
static void append_line(df_str *text, const df_joined *j, int64_t row)
{
    char id[DF_PLACE_ID_MAX];
    int64_t n;
    const char *const *reasons = df_joined_texts(j, &df_check_table, row, DF_CHECK_REASONS, &n);
    df_json_writer w = {.out = text};
    df_place_print((df_place){j->part, row}, id);
    df_json_begin_object(&w, NULL);
    df_json_put_text(&w, "id", id);
    df_json_put_text(&w, "image", df_joined_text(j, &df_ingest_table, row, DF_INGEST_PATH));
    df_json_put_text(&w, "caption", df_joined_text(j, &df_caption_table, row, DF_CAPTION_CAPTION));
    df_json_put_text(&w, "verdict", df_joined_text(j, &df_check_table, row, DF_CHECK_VERDICT));
    df_json_begin_list(&w, "reasons");
    for (int64_t i = 0; i < n; i++)
        df_json_put_text(&w, NULL, reasons[i]);
    df_json_end(&w);
    df_json_put_int(&w, "width", df_joined_int(j, &df_ingest_table, row, DF_INGEST_WIDTH, 0));
    df_json_put_int(&w, "height", df_joined_int(j, &df_ingest_table, row, DF_INGEST_HEIGHT, 0));
    put_known(&w, j, row, DF_INGEST_URL);
    put_known(&w, j, row, DF_INGEST_ALT_TEXT);
    df_json_end(&w);
    df_str_append(text, "\n");
}

static df_status put_row(export_out *out, const df_joined *j, int64_t row, df_error *err)
{
    char id[DF_PLACE_ID_MAX];
    df_str_clear(&out->text);
    append_line(&out->text, j, row);
    DF_TRY(df_stream_put(&out->lines, &out->text, err));
    df_str_clear(&out->text);
    df_str_append(&out->text, out->n++ ? ",\n" : "[\n");
    df_place_print((df_place){j->part, row}, id);
    df_conversation_append(&out->text, id, df_joined_text(j, &df_ingest_table, row, DF_INGEST_PATH),
                           out->config->instruction ? out->config->instruction : "",
                           df_joined_text(j, &df_caption_table, row, DF_CAPTION_CAPTION));
    return df_stream_put(&out->llava, &out->text, err);
}

/* Writes the captioned images of a part to both files. */
static df_status put_part(export_out *out, const df_dataset *ds, int part, df_error *err)
{
    if (!df_dataset_has_part(ds, "caption", part))
        return df_fail(err, DF_CONFIG,
                       "export: part %d has no captions yet; run `densefusion caption` first",
                       part);
    df_joined j;
    DF_TRY(df_joined_open(&j, ds, part, err));
    df_status status = DF_OK;
    for (int64_t row = 0; row < j.n_rows && status == DF_OK; row++) {
        bool wanted = df_joined_kept(&j, row, NULL, NULL) &&
                      df_joined_has(&j, &df_caption_table, row, DF_CAPTION_CAPTION);
        if (wanted && out->config->passed_only)
            wanted =
                strcmp(df_joined_text(&j, &df_check_table, row, DF_CHECK_VERDICT), "pass") == 0;
        if (wanted)
            status = put_row(out, &j, row, err);
    }
    df_joined_close(&j);
    return status;
}

/* From the lines, so that it has their columns and their rows in their order. The columns are
 * spelled out: DuckDB would guess types from a sample. */
static df_status write_parquet(const df_dataset *ds, df_error *err)
{
    char lines[PATH_MAX];
    df_draft draft;
    DF_TRY(df_path(lines, err, "%s/captions.jsonl", df_dataset_folder(ds)));
    DF_TRY(df_folder_draft(df_dataset_files(ds), "export/captions.parquet", &draft, err));
    df_str sql = {0};
    df_str_append(&sql, "COPY (SELECT * FROM ");
    df_sql_read(&sql, DF_SQL_JSON);
    df_status status = df_sql_read_file(&sql, lines, err);
    df_sql_read_end(
        &sql, DF_SQL_JSON,
        ", columns = {id: 'VARCHAR', image: 'VARCHAR', caption: 'VARCHAR', verdict: 'VARCHAR', "
        "reasons: 'VARCHAR[]', width: 'BIGINT', height: 'BIGINT', url: 'VARCHAR', alt_text: "
        "'VARCHAR'}");
    df_str_append(&sql, ")");
    df_sql_to_parquet(&sql, draft.path);
    if (status == DF_OK)
        status = sql.failed ? df_no_memory(err, "write captions.parquet")
                            : df_dataset_run_sql(ds, df_str_text(&sql), err);
    if (status == DF_OK)
        status = df_draft_commit(&draft, err);
    df_draft_drop(&draft);
    df_str_free(&sql);
    return status;
}

/* ---- the list ---- */

/* What `select` kept, captioned or not: a list that img2dataset fetches and `ingest` reads. */
static df_status write_selected(const df_dataset *ds, df_error *err)
{
    df_draft draft;
    DF_TRY(df_folder_draft(df_dataset_files(ds), "export/selected.parquet", &draft, err));
    df_str sql = {0};
    df_str_append(
        &sql,
        "COPY (SELECT i.path, i.url, i.width, i.height, i.alt_text, s.cluster, s.\"rank\" FROM ");
    df_status status = df_dataset_append_sql(ds, "ingest", &sql, err);
    df_str_append(&sql, " i JOIN ");
    if (status == DF_OK)
        status = df_dataset_append_sql(ds, "select", &sql, err);
    df_str_printf(&sql, " s ON i.file_index = s.file_index AND i.\"row\" = s.\"row\" WHERE s.kept "
                        "ORDER BY i.file_index, i.\"row\")");
    df_sql_to_parquet(&sql, draft.path);
    if (status == DF_OK && sql.failed)
        status = df_no_memory(err, "write selected.parquet");
    if (status == DF_OK)
        status = df_dataset_run_sql(ds, df_str_text(&sql), err);
    if (status == DF_OK)
        status = df_draft_commit(&draft, err);
    df_draft_drop(&draft);
    df_str_free(&sql);
    return status;
}

/* ---- the stage ---- */

/* Writes all parts, ends the lists, and gives the files their names. */
static df_status write_rows(export_out *out, const df_dataset *ds, const df_run *run, df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    df_status status = DF_OK;
    for (int part = 0; part < n_parts && status == DF_OK; part++) {
        status = df_run_stopped(run) ? df_stopped(err) : put_part(out, ds, part, err);
        df_run_progress(run, "export", part + 1, n_parts);
    }
    if (status != DF_OK)
        return status;
    df_str_clear(&out->text);
    df_str_append(&out->text, out->n ? "\n]\n" : "[]\n");
    DF_TRY(df_stream_put(&out->llava, &out->text, err));
    DF_TRY(df_stream_commit(&out->lines, err));
    return df_stream_commit(&out->llava, err);
}

static df_status write_captions(const df_dataset *ds, const void *config, const df_run *run,
                                df_error *err)
{
    export_out out = {.config = config};
    df_status status = df_stream_open(&out.lines, df_dataset_files(ds), "captions.jsonl", err);
    if (status == DF_OK)
        status = df_stream_open(&out.llava, df_dataset_files(ds), "export/llava.json", err);
    if (status == DF_OK)
        status = write_rows(&out, ds, run, err);
    df_stream_drop(&out.lines);
    df_stream_drop(&out.llava);
    df_str_free(&out.text);
    return status == DF_OK ? write_parquet(ds, err) : status;
}

static bool has_any(const df_dataset *ds, const char *stage)
{
    for (int part = 0; part < df_dataset_parts(ds); part++)
        if (df_dataset_has_part(ds, stage, part))
            return true;
    return false;
}

/* The stage that gives the boxes of coco.json: detect, or fuse; NULL when none are asked for, or
 * that stage has not run. */
static const char *boxes_of(const df_dataset *ds, const export_config *config)
{
    const char *stage = config->coco && strcmp(config->coco, "raw") == 0 ? "detect" : "fuse";
    return (!config->coco || strcmp(config->coco, "none") != 0) && df_dataset_has_all(ds, stage)
               ? stage
               : NULL;
}

/* Always the whole dataset: run->parts chooses work, not what others are given. A dataset without
 * captions has a list, or boxes, that others can use. */
static df_status export_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const bool selected = df_dataset_has_all(ds, "select");
    const char *boxes = boxes_of(ds, config);
    if (selected)
        DF_TRY(write_selected(ds, err));
    DF_TRY(boxes ? df_export_coco(ds, strcmp(boxes, "fuse") == 0, run, err)
                 : df_export_no_coco(ds, err));
    const bool evidence = ((const export_config *)config)->evidence;
    DF_TRY(df_export_evidence(ds, evidence, run, err));
    DF_TRY(df_export_tuning(ds, ((const export_config *)config)->tuning, run, err));
    if ((selected || boxes || evidence) && !has_any(ds, "caption"))
        return DF_OK;
    return write_captions(ds, config, run, err);
}

static df_status export_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const char *coco = ((const export_config *)config)->coco;
    (void)run;
    (void)out;
    if (!coco || strcmp(coco, "fused") == 0 || strcmp(coco, "raw") == 0 ||
        strcmp(coco, "none") == 0)
        return DF_OK;
    return df_fail(err, DF_CONFIG, "export.coco: \"%.60s\" is not fused, raw or none", coco);
}

static const df_option options[] = {
    {"passed_only", DF_OPT_BOOL, offsetof(export_config, passed_only), "false", 0, 0,
     "leave out captions that failed the check"},
    {"instruction", DF_OPT_TEXT, offsetof(export_config, instruction),
     "Describe this image in detail.", 0, 0,
     "what the human says in llava.json, after the image mark"},
    {"coco", DF_OPT_TEXT, offsetof(export_config, coco), "fused", 0, 0,
     "boxes in coco.json: fused, raw (every detector's, before fusion), or none"},
    {"evidence", DF_OPT_BOOL, offsetof(export_config, evidence), "false", 0, 0,
     "write the tables of tag, detect and read with path and url, as tag.from, detect.from and "
     "read.from take them"},
    {"held_out", DF_OPT_REAL, offsetof(export_config, tuning.held_out), "0.02", 0, 1,
     "tuning set: about this share of the clusters is kept from training, for evaluation"},
    {"split_seed", DF_OPT_INT, offsetof(export_config, tuning.seed), "0", 0, 2147483647,
     "tuning set: seed of the choice of clusters that are held out"},
    {0},
};
const df_stage df_stage_export = {
    .name = "export",
    .summary = "write captions.jsonl, Parquet, LLaVA conversations, boxes as COCO JSON, the list "
               "of what was selected",
    .reads = (const char *const[]){"ingest", "cluster", DF_DECIDERS, "tag", "detect", "read",
                                   "fuse", "caption", "check", NULL},
    .options = options,
    .config_size = sizeof(export_config),
    .run = export_run,
    .depends = export_depends,
};
