/* SQL text that names files. What DuckDB would guess from a file's path, or from the first rows in
 * it, is said here. */
#ifndef DF_DATASET_SQL_TEXT_H
#define DF_DATASET_SQL_TEXT_H
#include "base/status.h"
#include "base/str.h"

typedef enum { DF_SQL_PARQUET, DF_SQL_CSV, DF_SQL_JSON } df_sql_reader;

/* Appends a reader over files, to follow FROM: its beginning, each file, its end. A path is the one
 * file that it spells: no pattern, no address, no home folder, and a folder called KEY=VALUE is no
 * column. options: more of the reader's, each after a comma ("" for none); over several files they
 * say union_by_name. df_sql_read_file: DF_IO for a path with no regular file; DF_NOMEM for NULL, so
 * that a path made in the call may fail. */
void df_sql_read(df_str *sql, df_sql_reader reader);
df_status df_sql_read_file(df_str *sql, const char *path, df_error *err);
void df_sql_read_end(df_str *sql, df_sql_reader reader, const char *options);
/* All three, for one Parquet file. */
df_status df_sql_read_parquet(df_str *sql, const char *path, const char *options, df_error *err);
/* Appends " TO 'PATH' (...)", the end of a COPY: to a Parquet file at exactly this path, or to a
 * folder of them; options as above. */
void df_sql_to_parquet(df_str *sql, const char *path);
void df_sql_to_parquets(df_str *sql, const char *folder, const char *options);

/* 'path', for what is no pattern to DuckDB */
void df_sql_append_path(df_str *sql, const char *path);
/* 'text' with quotes doubled */
void df_sql_append_quoted(df_str *sql, const char *text);
/* "name" with quotes doubled */
void df_sql_append_column(df_str *sql, const char *name);
#endif
