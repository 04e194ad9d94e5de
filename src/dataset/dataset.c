#include "dataset/dataset.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "dataset/sql_text.h"
#include "io/json.h"

#define DATASET_VERSION 2
#define KIND "dataset"
#define SQL_MEMORY_MB 1024
#define DATASET_JSON_MAX ((size_t)16 << 20)

struct df_dataset {
    df_folder *files;
    char *input;
    /* of ingest: counted once, then kept by what is written and reset */
    atomic_int *n_parts;
};

const char *df_dataset_folder(const df_dataset *ds)
{
    return df_folder_path(ds->files);
}

df_folder *df_dataset_files(const df_dataset *ds)
{
    return ds->files;
}

df_status df_dataset_is_one(const char *folder, bool *is_one, df_error *err)
{
    return df_folder_is_ours(folder, KIND, is_one, err);
}

char *df_dataset_part_path(const df_dataset *ds, const char *stage, int part, const char *extension)
{
    df_str path = {0};
    df_str_printf(&path, "%s/%s/part-%05d.%s", df_dataset_folder(ds), stage, part, extension);
    if (path.failed)
        df_str_free(&path);
    return path.data;
}

bool df_dataset_has_part(const df_dataset *ds, const char *stage, int part)
{
    assert(part >= 0);
    /* no memory is needed: its lack is not taken for "no such part" */
    char path[PATH_MAX];
    int n =
        snprintf(path, sizeof path, "%s/%s/part-%05d.parquet", df_dataset_folder(ds), stage, part);
    return n < PATH_MAX && df_file_exists(path);
}

int df_dataset_parts(const df_dataset *ds)
{
    return atomic_load(ds->n_parts);
}

/* A look that fails is no end: a dataset must not look shorter than it is. */
static df_status count_parts(const df_dataset *ds, int *n, df_error *err)
{
    char path[PATH_MAX];
    bool found;
    for (*n = 0;; ++*n) {
        DF_TRY(df_path(path, err, "%s/ingest/part-%05d.parquet", df_dataset_folder(ds), *n));
        DF_TRY(df_file_find(path, &found, err));
        if (!found)
            return DF_OK;
    }
}

bool df_dataset_has_all(const df_dataset *ds, const char *stage)
{
    int n = df_dataset_parts(ds);
    for (int part = 0; part < n; part++)
        if (!df_dataset_has_part(ds, stage, part))
            return false;
    return n > 0;
}

static df_status check_columns(const df_table *t, const df_table_type *type, const char *path,
                               df_error *err)
{
    int c = 0;
    for (; type->columns[c].name && c < df_table_n_columns(t); c++) {
        const df_column is = df_table_column_at(t, c), wanted = type->columns[c];
        if (strcmp(is.name, wanted.name) != 0 || is.type != wanted.type)
            return df_fail(err, DF_FORMAT, "%s: column %d is %.60s and not %s", path, c + 1,
                           is.name, wanted.name);
    }
    if (!type->columns[c].name && c == df_table_n_columns(t))
        return DF_OK;
    return df_fail(err, DF_FORMAT, "%s: %d columns, not those of %s", path, df_table_n_columns(t),
                   type->name);
}

/* A part is complete from its first moment on: one that is no table of its type
 * was damaged later. */
df_status df_dataset_read(const df_dataset *ds, const df_table_type *type, int part, df_table **out,
                          df_error *err)
{
    assert(part >= 0);
    char *path = df_dataset_part_path(ds, type->name, part, "parquet");
    df_error why = {""};
    df_table *t = NULL;
    df_status status =
        path ? df_table_read(&t, path, &why) : df_no_memory(&why, "read %s", type->name);
    if (status == DF_OK)
        status = check_columns(t, type, path, &why);
    free(path);
    if (status == DF_OK) {
        *out = t;
        return DF_OK;
    }
    df_table_close(t);
    return df_fail(err, status, "%.400s%s", why.message,
                   status == DF_FORMAT ? ": delete the file, and the next run makes it again" : "");
}

df_status df_dataset_write(const df_dataset *ds, const char *stage, int part, const df_table *t,
                           df_error *err)
{
    assert(part >= 0);
    char name[256];
    snprintf(name, sizeof name, "%s/part-%05d.parquet", stage, part);
    DF_TRY(df_dataset_write_table(ds, name, t, err));
    if (strcmp(stage, "ingest") == 0 && part == df_dataset_parts(ds))
        atomic_store(ds->n_parts, part + 1);
    return DF_OK;
}

df_status df_dataset_write_table(const df_dataset *ds, const char *name, const df_table *t,
                                 df_error *err)
{
    df_draft draft;
    DF_TRY(df_folder_draft(ds->files, name, &draft, err));
    df_error why = {""};
    df_status status = df_table_write(t, draft.path, &why);
    if (status == DF_OK)
        return df_draft_commit(&draft, err);
    df_draft_drop(&draft);
    return df_fail(err, status, "write %s/%s: %.300s", df_dataset_folder(ds), name, why.message);
}

df_status df_dataset_run_sql(const df_dataset *ds, const char *sql, df_error *err)
{
    char spill[PATH_MAX];
    df_sql *session;
    DF_TRY(df_folder_scratch(ds->files, "sql", spill, err));
    DF_TRY(df_sql_open(&session, SQL_MEMORY_MB, spill, err));
    df_status status = df_sql_exec(session, sql, err);
    df_sql_close(session);
    return status;
}

/* Reads dataset.json, or begins a new one where there is none. A file of another version is
 * refused. */
static df_status load(const df_dataset *ds, df_json **out, df_error *err)
{
    char path[PATH_MAX];
    DF_TRY(df_path(path, err, "%s/dataset.json", df_dataset_folder(ds)));
    const char *fresh = "{\"version\": 2, \"stages\": {}}";
    char *text = NULL;
    size_t size = strlen(fresh);
    bool exists;
    DF_TRY(df_file_find(path, &exists, err));            /* only a missing one is begun anew */
    if (exists)
        DF_TRY(df_file_read(path, DATASET_JSON_MAX, &text, &size, err));
    df_json *root = NULL;
    df_status status = df_json_parse(&root, exists ? text : fresh, size, path, err);
    free(text);
    if (status == DF_NOMEM)
        return status;
    if (status != DF_OK || df_json_int(df_json_member(root, "version"), 0) != DATASET_VERSION ||
        df_json_kind(df_json_member(root, "stages")) != DF_JSON_OBJECT) {
        df_json_close(root);
        return df_fail(
            err, DF_FORMAT,
            "%s: not a densefusion dataset of version %d; give another output folder (captions "
            "that it has can be taken over: --caption.engine=replay "
            "--caption.replay.answers=captions.jsonl)",
            path, DATASET_VERSION);
    }
    *out = root;
    return DF_OK;
}

static df_status save(const df_dataset *ds, const df_json *root, df_error *err)
{
    char *text = df_json_pretty(root);
    if (!text)
        return df_no_memory(err, "write dataset.json");
    df_status status = df_folder_write(ds->files, "dataset.json", text, strlen(text), err);
    free(text);
    return status;
}

/* Takes over the folder. */
static df_status open_in(df_dataset **out, df_folder *files, df_error *err)
{
    df_dataset *ds = calloc(1, sizeof *ds);
    df_json *root = NULL;
    if (!ds) {
        df_folder_close(files);
        return df_no_memory(err, "open a dataset");
    }
    ds->files = files;
    df_status status = load(ds, &root, err);
    if (status == DF_OK) {
        const char *input = df_json_text(df_json_member(root, "input"));
        ds->input = strdup(input ? input : "");
        ds->n_parts = malloc(sizeof *ds->n_parts);
        if (!ds->input || !ds->n_parts)
            status = df_no_memory(err, "open %s", df_dataset_folder(ds));
    }
    df_json_close(root);
    int n_parts = 0;
    if (status == DF_OK)
        status = count_parts(ds, &n_parts, err);
    if (status == DF_OK)
        atomic_init(ds->n_parts, n_parts);
    if (status == DF_OK)
        *out = ds;
    else
        df_dataset_close(ds);
    return status;
}

static df_status not_one(const char *folder, df_error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/dataset.json", folder) >= PATH_MAX || !df_file_exists(path))
        return df_fail(err, DF_IO, "%s: no dataset there", folder);
    return df_fail(err, DF_IO,
                   "%s: dataset.json is there, but not dataset.files: an older version made it, or "
                   "it was copied in "
                   "part",
                   folder);
}

df_status df_dataset_open(df_dataset **out, const char *folder, df_error *err)
{
    bool is_one;
    df_folder *files;
    DF_TRY(df_dataset_is_one(folder, &is_one, err));
    if (!is_one)
        return not_one(folder, err);
    DF_TRY(df_folder_open(&files, folder, KIND, err));
    return open_in(out, files, err);
}

df_status df_dataset_create(df_dataset **out, const char *folder, df_error *err)
{
    df_folder *files;
    DF_TRY(df_folder_create(&files, folder, KIND, err));
    return open_in(out, files, err);
}

void df_dataset_close(df_dataset *ds)
{
    if (!ds)
        return;
    df_folder_close(ds->files);
    free(ds->n_parts);
    free(ds->input);
    free(ds);
}

const char *df_dataset_input(const df_dataset *ds)
{
    return ds->input;
}

df_status df_dataset_set_input(df_dataset *ds, const char *path, df_error *err)
{
    df_json *root = NULL;
    DF_TRY(load(ds, &root, err));
    df_status status = DF_OK;
    char *copy = strdup(path);
    if (!copy)
        status = df_no_memory(err, "%s", path);
    else if (!df_json_set(root, "input", df_json_new_text(path)))
        status = df_fail(err, DF_FORMAT, "%s: the path is not UTF-8 text", path);
    if (status == DF_OK)
        status = save(ds, root, err);
    df_json_close(root);
    if (status != DF_OK) {
        free(copy);
        return status;
    }
    free(ds->input);
    ds->input = copy;
    return DF_OK;
}

df_status df_dataset_stage_made(const df_dataset *ds, const char *stage, char **made, df_error *err)
{
    df_json *root = NULL;
    DF_TRY(load(ds, &root, err));
    const df_json *entry = df_json_member(df_json_member(root, "stages"), stage);
    const char *text = df_json_text(df_json_member(entry, "fingerprint"));
    *made = text ? strdup(text) : NULL;
    df_json_close(root);
    return text && !*made ? df_no_memory(err, "read dataset.json") : DF_OK;
}

df_status df_dataset_stage_commit(df_dataset *ds, const char *stage, const char *fingerprint,
                                  df_error *err)
{
    df_json *root = NULL;
    DF_TRY(load(ds, &root, err));
    df_json *entry = df_json_new_object();
    df_status status = DF_OK;
    bool text = df_json_set(entry, "fingerprint", df_json_new_text(fingerprint));
    if (!df_json_set(df_json_edit(root, "stages"), stage, entry) || !text)
        status = df_fail(err, DF_FORMAT, "%s: the fingerprint is not UTF-8 text", stage);
    if (status == DF_OK)
        status = save(ds, root, err);
    df_json_close(root);
    return status;
}

/* Journals stay: what a server was paid for is found again by its key, whatever made the stage
 * stale. */
static bool is_part(const char *name, const void *ctx)
{
    const char *dot = strrchr(name, '.');
    (void)ctx;
    return strncmp(name, "part-", 5) == 0 && dot && strcmp(dot, ".journal") != 0;
}

df_status df_dataset_stage_reset(df_dataset *ds, const char *stage, df_error *err)
{
    df_json *root = NULL;
    DF_TRY(load(ds, &root, err));
    df_status status = DF_OK;
    if (df_json_remove(df_json_edit(root, "stages"), stage))
        status = save(ds, root, err);
    df_json_close(root);
    if (status != DF_OK)
        return status;
    if (strcmp(stage, "ingest") == 0)
        atomic_store(ds->n_parts, 0);
    return df_folder_remove_chosen(ds->files, stage, is_part, NULL, err);
}

static df_status query_counts(const df_dataset *ds, const char *stage, const char *where,
                              df_table **out, df_error *err)
{
    df_str sql = {0};
    df_str_printf(
        &sql, "SELECT CAST(file_index AS BIGINT) AS part, count(*) FILTER (%s) AS n FROM ", where);
    df_status status = df_dataset_append_sql(ds, stage, &sql, err);
    df_str_append(&sql, " GROUP BY part ORDER BY part");
    if (status == DF_OK)
        status = sql.failed ? df_no_memory(err, "read %s", stage)
                            : df_table_query(out, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}

df_status df_dataset_count(const df_dataset *ds, const char *stage, const char *where,
                           int64_t **first, df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    df_table *counts = NULL;
    int64_t *sum = calloc((size_t)n_parts + 1, sizeof *sum), at = 0;
    df_status status = !sum      ? df_no_memory(err, "read %s", stage)
                       : n_parts ? query_counts(ds, stage, where, &counts, err)
                                 : DF_OK;
    /* a part without rows has no line */
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        bool has = at < df_table_rows(counts) && df_table_int(counts, at, 0) == part;
        sum[part + 1] = sum[part] + (has ? df_table_int(counts, at++, 1) : 0);
    }
    df_table_close(counts);
    if (status == DF_OK)
        *first = sum;
    else
        free(sum);
    return status;
}

df_status df_dataset_append_sql(const df_dataset *ds, const char *stage, df_str *sql, df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    df_sql_read(sql, DF_SQL_PARQUET);
    for (int part = 0; part < n_parts; part++) {
        if (!df_dataset_has_part(ds, stage, part))
            return df_fail(err, DF_CONFIG, "part %d has no %s yet; run `densefusion %s` first",
                           part, stage, stage);
        char *path = df_dataset_part_path(ds, stage, part, "parquet");
        df_status status = df_sql_read_file(sql, path, err);
        free(path);
        DF_TRY(status);
    }
    df_sql_read_end(sql, DF_SQL_PARQUET, ", union_by_name = false");
    return sql->failed ? df_no_memory(err, "read %s", stage) : DF_OK;
}

df_status df_dataset_skipped(const df_dataset *ds, df_table **out, df_error *err)
{
    char path[PATH_MAX];
    bool found;
    DF_TRY(df_path(path, err, "%s/ingest/skipped.parquet", df_dataset_folder(ds)));
    DF_TRY(df_file_find(path, &found, err));
    if (!found)
        return DF_OK;
    df_str sql = {0};
    df_str_append(&sql, "SELECT reason, count(*) AS n FROM ");
    df_status status = df_sql_read_parquet(&sql, path, "", err);
    df_str_append(&sql, " GROUP BY reason ORDER BY n DESC, reason");
    if (status == DF_OK)
        status =
            sql.failed ? df_no_memory(err, "count") : df_table_query(out, df_str_text(&sql), err);
    df_str_free(&sql);
    return status;
}
