#include "stage/import/evidence_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/sql_text.h"
#include "io/lines.h"
#include "stage/import/evidence_import.h"

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

/* By df_sql_reader: when a folder has files of several, those of the first count. */
static const char *const extensions[] = {".parquet", ".csv", ".jsonl"};
enum { N_READERS = sizeof extensions / sizeof *extensions };

/* The files of the folder, or the file itself; *reader: how they are read. */
static df_status list_files(const char *stage, const char *from, file_list *files,
                            df_sql_reader *reader, df_error *err)
{
    struct stat st;
    if (stat(from, &st) != 0)
        return df_fail(err, DF_CONFIG, "%s.from: %s: %s", stage, from, strerror(errno));
    for (int r = 0; r < N_READERS && !files->n; r++) {
        const char *extension = extensions[r];
        *reader = (df_sql_reader)r;
        bool memory = true;
        DIR *dir = S_ISDIR(st.st_mode) ? opendir(from) : NULL;
        if (S_ISDIR(st.st_mode) && !dir)
            return df_fail(err, DF_IO, "%s.from: open %s: %s", stage, from, strerror(errno));
        if (!S_ISDIR(st.st_mode) && ends_in(from, extension))
            memory = add(files, "", from);
        for (struct dirent *e; memory && dir && (errno = 0, e = readdir(dir)) != NULL;)
            if (ends_in(e->d_name, extension))
                memory = add(files, from, e->d_name);
        const int code = memory && dir ? errno : 0;
        if (dir)
            closedir(dir);
        if (code != 0)
            return df_fail(err, DF_IO, "%s.from: list %s: %s", stage, from, strerror(code));
        if (!memory)
            return df_no_memory(err, "%s.from", stage);
    }
    if (!files->n)
        return df_fail(
            err, DF_CONFIG,
            "%s.from: %s is no .parquet, .csv or .jsonl file, no folder of them and no dataset",
            stage, from);
    qsort(files->paths, (size_t)files->n, sizeof *files->paths, by_name);
    return DF_OK;
}

static bool is_dataset(const char *from)
{
    char path[PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s/dataset.json", from) < sizeof path &&
           df_file_exists(path);
}

/* ---- reading ---- */

static df_status append_reader(const file_list *files, df_sql_reader reader, const char *options,
                               df_str *sql, df_error *err)
{
    df_sql_read(sql, reader);
    for (int i = 0; i < files->n; i++)
        DF_TRY(df_sql_read_file(sql, files->paths[i], err));
    df_sql_read_end(sql, reader, options);
    return DF_OK;
}

static void append_column(df_str *options, const char *name, int i)
{
    df_str_append(options, i ? ", " : ", columns = {");
    df_sql_append_quoted(options, name);
    df_str_append(options, ": 'VARCHAR'");
}

/* A column without a name, or of one that came before, is called by its number. */
static void append_csv_columns(const df_csv_record *header, df_str *options)
{
    for (int i = 0; i < header->n_fields; i++) {
        bool plain = header->fields[i][0] != '\0';
        for (int k = 0; k < i && plain; k++)
            plain = strcasecmp(header->fields[k], header->fields[i]) != 0;
        char number[32];
        snprintf(number, sizeof number, "column %d", i + 1);
        append_column(options, plain ? header->fields[i] : number, i);
    }
    df_str_printf(options, "}, delim = '%c'", header->delimiter);
}

/* How to read a CSV file, by its header, as lists are read; "" for an empty file. */
static df_status read_header(const char *path, df_str *options, df_error *err)
{
    df_csv_record header = {.delimiter = 0};
    df_lines *lines = NULL;
    df_str_clear(options);
    DF_TRY(df_lines_open(&lines, path, err));
    df_status status = df_csv_next(lines, &header, err);
    if (status == DF_OK && header.broken)
        status = df_fail(err, DF_FORMAT, "%s: no header line: %s", path, header.broken);
    if (status == DF_OK && header.n_fields > 0)
        append_csv_columns(&header, options);
    df_lines_close(lines);
    return status;
}

/* A reader over each run of files that have the same header. */
static df_status append_csv(const file_list *files, df_str *sql, df_error *err)
{
    df_str options = {0}, before = {0};
    df_status status = DF_OK;
    for (int i = 0; i < files->n && status == DF_OK; i++) {
        status = read_header(files->paths[i], &options, err);
        if (status != DF_OK || !options.size)
            continue;
        const bool first = !before.size, other = first || strcmp(before.data, options.data) != 0;
        if (other && !first)
            df_sql_read_end(sql, DF_SQL_CSV, before.data);
        if (other) {
            df_str_append(sql, first ? "(SELECT * FROM " : " UNION ALL BY NAME SELECT * FROM ");
            df_sql_read(sql, DF_SQL_CSV);
        }
        status = df_sql_read_file(sql, files->paths[i], err);
        df_str_clear(&before);
        df_str_append(&before, df_str_text(&options));
    }
    if (status == DF_OK && !before.size)
        status = df_fail(err, DF_FORMAT, "%s: no header line", files->paths[0]);
    df_sql_read_end(sql, DF_SQL_CSV, df_str_text(&before));
    df_str_append(sql, ")");
    sql->failed |= options.failed || before.failed;
    df_str_free(&options);
    df_str_free(&before);
    return status;
}

/* Every key of every line is a column of text, as in CSV: from a sample DuckDB would make dates of
 * words and pass over keys that come late. */
static df_status append_json(const file_list *files, df_str *sql, df_error *err)
{
    df_table *t = NULL;
    df_str ask = {0}, options = {0};
    df_str_append(&ask, "SELECT column_name FROM (DESCRIBE SELECT * FROM ");
    df_status status = append_reader(files, DF_SQL_JSON,
                                     ", union_by_name = true, sample_size = -1, maximum_depth = 1, "
                                     "map_inference_threshold = -1, field_appearance_threshold = 0",
                                     &ask, err);
    df_str_append(&ask, ")");
    if (status == DF_OK)
        status = ask.failed ? df_no_memory(err, NULL) : df_table_query(&t, df_str_text(&ask), err);
    df_str_free(&ask);
    if (status != DF_OK)
        return status;
    for (int64_t i = 0; i < df_table_rows(t); i++)
        append_column(&options, df_table_text(t, i, 0), (int)i);
    df_str_append(&options, "}, union_by_name = true");
    df_table_close(t);
    status = append_reader(files, DF_SQL_JSON, df_str_text(&options), sql, err);
    sql->failed |= options.failed;
    df_str_free(&options);
    return status;
}

/* Appends a SELECT over a user's files of evidence; df_seq is the order of their rows. */
static df_status append_files(const char *stage, const char *from, df_str *sql, df_error *err)
{
    file_list files = {0};
    df_sql_reader reader = DF_SQL_PARQUET;
    df_error why = {""};
    df_status status = list_files(stage, from, &files, &reader, err);
    if (status != DF_OK) {
        free_files(&files);
        return status;
    }
    df_str_printf(sql, "(SELECT *, %s AS df_seq FROM ",
                  reader == DF_SQL_PARQUET ? "(file_index::BIGINT << 40) + file_row_number"
                                           : "row_number() OVER ()");
    switch (reader) {
    case DF_SQL_PARQUET:
        status = append_reader(&files, reader, ", union_by_name = true, file_row_number = true",
                               sql, &why);
        break;
    case DF_SQL_CSV:
        status = append_csv(&files, sql, &why);
        break;
    case DF_SQL_JSON:
        status = append_json(&files, sql, &why);
        break;
    }
    df_str_append(sql, ")");
    free_files(&files);
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s.from: %.400s", stage, why.message);
}

static df_status append_dataset(const char *stage, const df_dataset *ds, df_str *sql, df_error *err)
{
    df_str_append(sql, "(SELECT e.* EXCLUDE (\"row\"), i.path, (e.file_index::BIGINT << 40) + "
                       "e.file_row_number AS df_seq FROM ");
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
    return sql->failed ? df_no_memory(err, "%s.from", stage) : DF_OK;
}

/* ---- what they are ---- */

/* Describes the parts of another dataset that evidence is taken from: they are part of the
 * fingerprint. */
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

df_status df_evidence_import_describe(const char *stage, const char *from, df_str *out,
                                      df_error *err)
{
    df_str names = {0};
    file_list files = {0};
    df_sql_reader reader;
    char hex[DF_HASH_HEX];
    df_status status = is_dataset(from) ? describe_dataset(stage, from, &names, err)
                                        : list_files(stage, from, &files, &reader, err);
    for (int i = 0; i < files.n; i++)
        df_file_describe(files.paths[i], &names);
    free_files(&files);
    df_hash_hex(df_str_text(&names), names.size, hex);
    if (status == DF_OK)
        df_str_printf(out, "evidence %s\n", hex);
    if (status == DF_OK && (names.failed || out->failed))
        status = df_no_memory(err, "%s.from", stage);
    df_str_free(&names);
    return status;
}
