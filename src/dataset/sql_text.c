#include "dataset/sql_text.h"

#include <string.h>

#include "base/file.h"

/* Of CSV the caller tells the columns and the delimiter. A line that starts with # is a row, and
 * none before the header is passed over. */
static const struct {
    const char *function, *options;
} readers[] = {
    [DF_SQL_PARQUET] = {"read_parquet", "hive_partitioning = false"},
    [DF_SQL_CSV] =
        {"read_csv",
         "hive_partitioning = false, compression = 'none', auto_detect = false, header = true, "
         "quote = '\"', escape = '\"', comment = '', skip = 0, strict_mode = true"},
    [DF_SQL_JSON] = {"read_json", "hive_partitioning = false, compression = 'uncompressed', "
                                  "format = 'newline_delimited'"},
};

static void append_between(df_str *sql, char quote, const char *text)
{
    df_str_append_n(sql, &quote, 1);
    for (const char *p = text; *p; p++) {
        if (*p == quote)
            df_str_append_n(sql, &quote, 1);
        df_str_append_n(sql, p, 1);
    }
    df_str_append_n(sql, &quote, 1);
}

void df_sql_append_quoted(df_str *sql, const char *text)
{
    append_between(sql, '\'', text);
}

void df_sql_append_column(df_str *sql, const char *name)
{
    append_between(sql, '"', name);
}

/* Only the start of a path makes an address or a home folder of it: "./~", "./s3://x" and
 * "./file:x" are neither. */
void df_sql_append_path(df_str *sql, const char *path)
{
    df_str local = {0};
    df_str_printf(&local, "%s%s", path[0] == '/' ? "" : "./", path);
    df_sql_append_quoted(sql, df_str_text(&local));
    sql->failed |= local.failed;
    df_str_free(&local);
}

/* Readers take * ? [ for patterns, but not in brackets. A pattern is also cut at each backslash,
 * inside brackets too, so that one is spelled as the printable character that is neither from ] to
 * ~ nor from the space to [. */
static void append_pattern(df_str *sql, const char *path)
{
    df_str pattern = {0};
    const bool special = strpbrk(path, "*?[") != NULL;
    for (const char *p = path; *p; p++)
        if (special && *p == '\\')
            df_str_append(&pattern, "[!]-~ -[]");
        else if (special && strchr("*?[", *p))
            df_str_printf(&pattern, "[%c]", *p);
        else
            df_str_append_n(&pattern, p, 1);
    df_sql_append_path(sql, df_str_text(&pattern));
    sql->failed |= pattern.failed;
    df_str_free(&pattern);
}

void df_sql_read(df_str *sql, df_sql_reader reader)
{
    df_str_printf(sql, "%s([", readers[reader].function);
}

df_status df_sql_read_file(df_str *sql, const char *path, df_error *err)
{
    if (!path)
        return df_no_memory(err, "read a table");
    DF_TRY(df_file_check(path, err));
    df_str_append(sql, sql->size && sql->data[sql->size - 1] == '[' ? "" : ", ");
    append_pattern(sql, path);
    return sql->failed ? df_no_memory(err, "read %s", path) : DF_OK;
}

void df_sql_read_end(df_str *sql, df_sql_reader reader, const char *options)
{
    df_str_printf(sql, "], %s%s)", readers[reader].options, options);
}

df_status df_sql_read_parquet(df_str *sql, const char *path, const char *options, df_error *err)
{
    df_sql_read(sql, DF_SQL_PARQUET);
    DF_TRY(df_sql_read_file(sql, path, err));
    df_sql_read_end(sql, DF_SQL_PARQUET, options);
    return DF_OK;
}

void df_sql_to_parquet(df_str *sql, const char *path)
{
    /* a draft is our own temporary file already */
    df_sql_to_parquets(sql, path, ", USE_TMP_FILE false");
}

void df_sql_to_parquets(df_str *sql, const char *folder, const char *options)
{
    df_str_append(sql, " TO ");
    df_sql_append_path(sql, folder);
    df_str_printf(sql, " (FORMAT parquet, COMPRESSION zstd%s)", options);
}
