/* export: the captions as others read them, and the list of what was selected. JSON lines first; the Parquet file is
 * made from them, so both say the same. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "dataset/joined.h"
#include "io/json.h"
#include "stage/conversation.h"
#include "stage/export_coco.h"
#include "stage/export_evidence.h"
#include "stage/export_tuning.h"

typedef struct { bool passed_only, evidence; char *instruction, *coco; df_tuning_split tuning; } export_config;

/* Two files that grow row by row; the line buffer is shared. */
typedef struct {
    FILE *lines, *llava;
    char lines_path[PATH_MAX], llava_path[PATH_MAX];         /* temporary names */
    df_str text;
    int64_t n;
    const export_config *config;
} export_out;

static void append_reason(void *ctx, const char *piece, size_t n)
{
    df_str *text = ctx;
    if (text->data[text->size - 1] != '[')
        df_str_append(text, ", ");
    df_json_append_text_n(text, piece, n);
}

static void append_member(df_str *text, const char *key, const char *value)
{
    df_str_printf(text, ", \"%s\": ", key);
    df_json_append_text(text, value);
}

static void append_known(df_str *text, const df_joined *j, int64_t row, const char *column)
{
    const char *value = df_joined_text(j, DF_OF_INGEST, row, column);
    if (*value)
        append_member(text, column, value);
}

static void append_line(df_str *text, const df_joined *j, int64_t row)
{
    char id[DF_ROW_ID_MAX];
    df_row_id(j->part, row, id);
    df_str_printf(text, "{\"id\": \"%s\"", id);
    append_member(text, "image", df_joined_text(j, DF_OF_INGEST, row, "path"));
    append_member(text, "caption", df_joined_text(j, DF_OF_CAPTION, row, "caption"));
    append_member(text, "verdict", df_joined_text(j, DF_OF_CHECK, row, "verdict"));
    df_str_append(text, ", \"reasons\": [");
    if (!text->failed)
        df_text_split(df_joined_text(j, DF_OF_CHECK, row, "reasons"), ';', append_reason, text);
    df_str_printf(text, "], \"width\": %lld, \"height\": %lld",
                  (long long)df_joined_int(j, DF_OF_INGEST, row, "width", 0),
                  (long long)df_joined_int(j, DF_OF_INGEST, row, "height", 0));
    append_known(text, j, row, "url");
    append_known(text, j, row, "alt_text");
    df_str_append(text, "}\n");
}

static df_status put(FILE *file, const char *path, const df_str *text, df_error *err)
{
    if (text->failed)
        return df_fail(err, DF_NOMEM, "write %s: out of memory", path);
    if (text->size && fwrite(text->data, 1, text->size, file) != text->size)
        return df_fail(err, DF_IO, "write %s: %s", path, strerror(errno));
    return DF_OK;
}

static df_status put_row(export_out *out, const df_joined *j, int64_t row, df_error *err)
{
    char id[DF_ROW_ID_MAX];
    df_str_clear(&out->text);
    append_line(&out->text, j, row);
    DF_TRY(put(out->lines, out->lines_path, &out->text, err));
    df_str_clear(&out->text);
    df_str_append(&out->text, out->n++ ? ",\n" : "[\n");
    df_row_id(j->part, row, id);
    df_conversation_append(&out->text, id, df_joined_text(j, DF_OF_INGEST, row, "path"),
                           out->config->instruction ? out->config->instruction : "",
                           df_joined_text(j, DF_OF_CAPTION, row, "caption"));
    return put(out->llava, out->llava_path, &out->text, err);
}

static df_status put_part(export_out *out, const df_dataset *ds, int part, df_error *err)
{
    if (!df_dataset_has_part(ds, "caption", part))
        return df_fail(err, DF_CONFIG, "export: part %d has no captions yet; run `densefusion caption` first", part);
    df_joined j;
    DF_TRY(df_joined_open(&j, ds, part, err));
    df_status status = DF_OK;
    for (int64_t row = 0; row < j.n_rows && status == DF_OK; row++) {
        bool wanted = df_joined_kept(&j, row, NULL, NULL) && df_joined_has(&j, DF_OF_CAPTION, row, "caption");
        if (wanted && out->config->passed_only)
            wanted = strcmp(df_joined_text(&j, DF_OF_CHECK, row, "verdict"), "pass") == 0;
        if (wanted)
            status = put_row(out, &j, row, err);
    }
    df_joined_close(&j);
    return status;
}

static df_status open_temporary(FILE **file, char path[PATH_MAX], const char *folder, const char *name, df_error *err)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s.tmp", folder, name) >= PATH_MAX)
        return df_fail(err, DF_IO, "write %s: path is too long", name);
    *file = fopen(path, "wb");
    return *file ? DF_OK : df_fail(err, DF_IO, "write %s: %s", path, strerror(errno));
}

static df_status close_and_commit(FILE **file, const char *tmp, df_error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s", (int)(strlen(tmp) - strlen(".tmp")), tmp);
    int failed = fclose(*file);
    *file = NULL;
    return failed ? df_fail(err, DF_IO, "write %s: %s", path, strerror(errno)) : df_file_commit(tmp, path, err);
}

static void drop(FILE *file, const char *tmp)
{
    if (!file)
        return;
    fclose(file);
    unlink(tmp);
}

/* From the lines, so that it has their columns and their rows in their order. The columns are spelled out: DuckDB would
 * guess types from a sample. */
static df_status write_parquet(const df_dataset *ds, df_error *err)
{
    char lines[PATH_MAX], tmp[PATH_MAX], path[PATH_MAX];
    const char *folder = df_dataset_folder(ds);
    if ((size_t)snprintf(path, sizeof path, "%s/export/captions.parquet", folder) >= sizeof path ||
        (size_t)snprintf(tmp, sizeof tmp, "%s/export/captions.parquet.tmp", folder) >= sizeof tmp)
        return df_fail(err, DF_IO, "write captions.parquet: path is too long");
    snprintf(lines, sizeof lines, "%s/captions.jsonl", folder);
    char *from = df_sql_path(lines), *to = df_sql_quote(tmp);
    df_str sql = {0};
    if (from && to)
        df_str_printf(
            &sql,
            "COPY (SELECT * FROM read_json(%s, format = 'newline_delimited', columns = {id: 'VARCHAR', "
            "image: 'VARCHAR', caption: 'VARCHAR', verdict: 'VARCHAR', reasons: 'VARCHAR[]', width: 'BIGINT', "
            "height: 'BIGINT', url: 'VARCHAR', alt_text: 'VARCHAR'})) TO %s (FORMAT parquet, COMPRESSION zstd)",
            from, to);
    bool memory = from && to && !sql.failed;
    df_status status =
        memory ? df_sql_run(df_str_text(&sql), err) : df_fail(err, DF_NOMEM, "write %s: out of memory", path);
    if (status == DF_OK)
        status = df_file_commit(tmp, path, err);
    else
        unlink(tmp);
    df_str_free(&sql);
    free(from);
    free(to);
    return status;
}

/* ---- the list ---- */

/* What `select` kept, captioned or not: a list that img2dataset fetches and `ingest` reads. */
static df_status write_selected(const df_dataset *ds, df_error *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/export/selected.parquet", df_dataset_folder(ds)) >= sizeof path ||
        (size_t)snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp)
        return df_fail(err, DF_IO, "write selected.parquet: path is too long");
    char *to = df_sql_quote(tmp);
    df_str sql = {0};
    df_str_append(&sql, "COPY (SELECT i.path, i.url, i.width, i.height, i.alt_text, s.cluster, s.\"rank\" FROM ");
    df_status status = df_dataset_append_sql(ds, "ingest", &sql, err);
    df_str_append(&sql, " i JOIN ");
    if (status == DF_OK)
        status = df_dataset_append_sql(ds, "select", &sql, err);
    df_str_printf(&sql, " s ON i.file_index = s.file_index AND i.\"row\" = s.\"row\" WHERE s.kept = 1 "
                        "ORDER BY i.file_index, i.\"row\") TO %s (FORMAT parquet, COMPRESSION zstd)", to ? to : "");
    if (status == DF_OK && (!to || sql.failed))
        status = df_fail(err, DF_NOMEM, "write %s: out of memory", path);
    if (status == DF_OK)
        status = df_sql_run(df_str_text(&sql), err);
    if (status == DF_OK)
        status = df_file_commit(tmp, path, err);
    else
        unlink(tmp);
    df_str_free(&sql);
    free(to);
    return status;
}

/* ---- the stage ---- */

static df_status write_rows(export_out *out, const df_dataset *ds, const df_run *run, df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    df_status status = DF_OK;
    for (int part = 0; part < n_parts && status == DF_OK; part++) {
        status = df_run_stopped(run) ? DF_STOPPED : put_part(out, ds, part, err);
        df_run_progress(run, "export", part + 1, n_parts);
    }
    if (status != DF_OK)
        return status;
    df_str_clear(&out->text);
    df_str_append(&out->text, out->n ? "\n]\n" : "[]\n");
    DF_TRY(put(out->llava, out->llava_path, &out->text, err));
    DF_TRY(close_and_commit(&out->lines, out->lines_path, err));
    return close_and_commit(&out->llava, out->llava_path, err);
}

static df_status write_captions(const df_dataset *ds, const char *folder, const void *config, const df_run *run,
                                df_error *err)
{
    export_out out = {.config = config};
    df_status status = open_temporary(&out.lines, out.lines_path, df_dataset_folder(ds), "captions.jsonl", err);
    if (status == DF_OK)
        status = open_temporary(&out.llava, out.llava_path, folder, "llava.json", err);
    if (status == DF_OK)
        status = write_rows(&out, ds, run, err);
    drop(out.lines, out.lines_path);
    drop(out.llava, out.llava_path);
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

/* Whose boxes go into coco.json: a stage's name, NULL for none. Of a dataset that has not fused there are none. */
static const char *boxes_of(const df_dataset *ds, const export_config *config)
{
    const char *stage = config->coco && strcmp(config->coco, "raw") == 0 ? "detect" : "fuse";
    return (!config->coco || strcmp(config->coco, "none") != 0) && df_dataset_has_all(ds, stage) ? stage : NULL;
}

/* Always the whole dataset: run->parts chooses work, not what others are given. A dataset without captions has a list,
 * or boxes, that others can use. */
static df_status export_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    char folder[PATH_MAX];
    if ((size_t)snprintf(folder, sizeof folder, "%s/export", df_dataset_folder(ds)) >= sizeof folder)
        return df_fail(err, DF_IO, "export: path is too long");
    const bool selected = df_dataset_has_all(ds, "select");
    const char *boxes = boxes_of(ds, config);
    DF_TRY(df_file_mkdir(folder, err));
    if (selected)
        DF_TRY(write_selected(ds, err));
    if (boxes)
        DF_TRY(df_export_coco(ds, folder, strcmp(boxes, "fuse") == 0, run, err));
    else
        df_export_no_coco(folder);
    const bool evidence = ((const export_config *)config)->evidence;
    DF_TRY(df_export_evidence(ds, folder, evidence, run, err));
    DF_TRY(df_export_tuning(ds, folder, ((const export_config *)config)->tuning, run, err));
    if ((selected || boxes || evidence) && !has_any(ds, "caption"))
        return DF_OK;
    return write_captions(ds, folder, config, run, err);
}

static df_status export_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const char *coco = ((const export_config *)config)->coco;
    (void)run;
    (void)out;
    if (!coco || strcmp(coco, "fused") == 0 || strcmp(coco, "raw") == 0 || strcmp(coco, "none") == 0)
        return DF_OK;
    return df_fail(err, DF_CONFIG, "export.coco: \"%.60s\" is not fused, raw or none", coco);
}

static const df_option options[] = {
    {"passed_only", DF_OPT_BOOL, offsetof(export_config, passed_only), "false", 0, 0,
     "leave out captions that failed the check"},
    {"instruction", DF_OPT_TEXT, offsetof(export_config, instruction), "Describe this image in detail.", 0, 0,
     "what the human says in llava.json, after the image mark"},
    {"coco", DF_OPT_TEXT, offsetof(export_config, coco), "fused", 0, 0,
     "boxes in coco.json: fused, raw (every detector's, before fusion), or none"},
    {"evidence", DF_OPT_BOOL, offsetof(export_config, evidence), "false", 0, 0,
     "write the tables of tag, detect and read with path and url, as tag.from, detect.from and read.from take them"},
    {"held_out", DF_OPT_REAL, offsetof(export_config, tuning.held_out), "0.02", 0, 1,
     "tuning set: about this share of the clusters is kept from training, for evaluation"},
    {"split_seed", DF_OPT_INT, offsetof(export_config, tuning.seed), "0", 0, 2147483647, "tuning set: which clusters"},
    {0},
};
const df_stage df_stage_export = {
    .name = "export",
    .summary = "write captions.jsonl, Parquet, LLaVA conversations, boxes as COCO JSON, the list of what was selected",
    .reads = (const char *const[]){"ingest", "filter", "cluster", "dedup", "select", "tag", "detect", "read", "fuse",
                                   "caption", "check", NULL},
    .options = options, .config_size = sizeof(export_config), .run = export_run,
    .depends = export_depends,
};
