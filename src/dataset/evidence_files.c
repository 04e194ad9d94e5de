#include "dataset/evidence_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/evidence_import.h"

typedef struct {
    char **paths;
    int n;
} file_list;

/* ---- which files ---- */

static void free_files(file_list *files)
{
    for (int i = 0; i < files->n; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (file_list){0};
}

static bool add(file_list *files, const char *folder, const char *name)
{
    char **more = realloc(files->paths, ((size_t)files->n + 1) * sizeof *more);
    if (!more)
        return false;
    files->paths = more;
    df_str path = {0};
    df_str_printf(&path, "%s%s%s", folder, *folder ? "/" : "", name);
    if (path.failed)
        df_str_free(&path);
    return path.data && (files->paths[files->n++] = path.data);
}

static bool ends_in(const char *name, const char *extension)
{
    const size_t n = strlen(name), m = strlen(extension);
    return n > m && name[0] != '.' && strcmp(name + n - m, extension) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* DuckDB's readers, by extension. CSV has no types: what should be a number is made one later. */
static const struct {
    const char *extension, *reader, *options;
} readers[] = {
    {".parquet", "read_parquet", "union_by_name = true, file_row_number = true"},
    {".csv", "read_csv", "union_by_name = true, header = true, all_varchar = true"},
    {".jsonl", "read_json", "union_by_name = true, format = 'newline_delimited'"},
};
enum { N_READERS = sizeof readers / sizeof *readers };

/* The files of the folder, or the file itself; *reader: how they are read. */
static df_status list_files(const char *stage, const char *from, file_list *files, int *reader, df_error *err)
{
    struct stat st;
    if (stat(from, &st) != 0)
        return df_fail(err, DF_CONFIG, "%s.from: %s: %s", stage, from, strerror(errno));
    for (*reader = 0; *reader < N_READERS && !files->n; ++*reader) {
        const char *extension = readers[*reader].extension;
        bool memory = true;
        DIR *dir = S_ISDIR(st.st_mode) ? opendir(from) : NULL;
        if (!S_ISDIR(st.st_mode) && ends_in(from, extension))
            memory = add(files, "", from);
        for (struct dirent *e; memory && dir && (e = readdir(dir));)
            if (ends_in(e->d_name, extension))
                memory = add(files, from, e->d_name);
        if (dir)
            closedir(dir);
        if (!memory)
            return df_fail(err, DF_NOMEM, "%s.from: out of memory", stage);
    }
    --*reader;
    if (!files->n)
        return df_fail(err, DF_CONFIG,
                       "%s.from: %s is no .parquet, .csv or .jsonl file, no folder of them and no dataset", stage,
                       from);
    qsort(files->paths, (size_t)files->n, sizeof *files->paths, by_name);
    return DF_OK;
}

static bool is_dataset(const char *from)
{
    char path[PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s/dataset.json", from) < sizeof path && df_file_exists(path);
}

/* ---- reading ---- */

static df_status append_files(const char *stage, const char *from, df_str *sql, df_error *err)
{
    file_list files = {0};
    int reader;
    df_status status = list_files(stage, from, &files, &reader, err);
    if (status == DF_OK) {
        df_str_printf(sql, "(SELECT *, %s AS df_seq FROM %s([",
                      reader ? "row_number() OVER ()" : "(file_index::BIGINT << 40) + file_row_number",
                      readers[reader].reader);
        for (int i = 0; i < files.n; i++) {
            char *path = df_sql_path(files.paths[i]);
            df_str_printf(sql, "%s%s", i ? ", " : "", path ? path : "");
            sql->failed |= !path;
            free(path);
        }
        df_str_printf(sql, "], %s))", readers[reader].options);
    }
    free_files(&files);
    return status;
}

static df_status append_dataset(const char *stage, const df_dataset *ds, df_str *sql, df_error *err)
{
    df_str_append(
        sql, "(SELECT e.* EXCLUDE (\"row\"), i.path, (e.file_index::BIGINT << 40) + e.file_row_number AS df_seq FROM ");
    DF_TRY(df_dataset_append_sql(ds, stage, sql, err));
    df_str_append(sql, " e JOIN ");
    DF_TRY(df_dataset_append_sql(ds, "ingest", sql, err));
    df_str_append(sql, " i ON e.file_index = i.file_index AND e.\"row\" = i.\"row\")");
    return DF_OK;
}

df_status df_evidence_files_sql(const char *stage, const char *from, df_str *sql, df_error *err)
{
    df_status status;
    if (is_dataset(from)) {
        df_dataset *ds;
        df_error why = {""};
        status = df_dataset_open(&ds, from, &why);
        if (status == DF_OK) {
            status = append_dataset(stage, ds, sql, &why);
            df_dataset_close(ds);
        }
        if (status != DF_OK)
            return df_fail(err, status, "%s.from: %.100s: %.350s", stage, from, why.message);
    } else {
        DF_TRY(append_files(stage, from, sql, err));
    }
    return sql->failed ? df_fail(err, DF_NOMEM, "%s.from: out of memory", stage) : DF_OK;
}

/* ---- what they are ---- */

static df_status describe_dataset(const char *stage, const char *from, df_str *out, df_error *err)
{
    df_dataset *ds;
    DF_TRY(df_dataset_open(&ds, from, err));
    const char *const stages[] = {"ingest", stage};
    for (int part = 0; part < df_dataset_parts(ds); part++)
        for (int k = 0; k < 2; k++) {
            char *path = df_dataset_part_path(ds, stages[k], part, "parquet");
            if (path)
                df_file_describe(path, out);
            out->failed |= !path;
            free(path);
        }
    df_dataset_close(ds);
    return DF_OK;
}

df_status df_evidence_import_describe(const char *stage, const char *from, df_str *out, df_error *err)
{
    df_str names = {0};
    file_list files = {0};
    int reader;
    char hex[DF_HASH_HEX];
    df_status status =
        is_dataset(from) ? describe_dataset(stage, from, &names, err) : list_files(stage, from, &files, &reader, err);
    for (int i = 0; i < files.n; i++)
        df_file_describe(files.paths[i], &names);
    free_files(&files);
    df_hash_hex(df_str_text(&names), names.size, hex);
    if (status == DF_OK)
        df_str_printf(out, "evidence %s\n", hex);
    if (status == DF_OK && (names.failed || out->failed))
        status = df_fail(err, DF_NOMEM, "%s.from: out of memory", stage);
    df_str_free(&names);
    return status;
}
