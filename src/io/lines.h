/* Reads lines of a text file, and records of a CSV file (RFC 4180), one at a time and in bounded
 * memory. A broken record is reported and does not spoil the next. */
#ifndef DF_IO_LINES_H
#define DF_IO_LINES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* most bytes of a line or CSV record; most lines of a record */
enum { DF_LINE_MAX = 1 << 20, DF_CSV_LINES_MAX = 64 };

typedef struct df_lines df_lines;
/* df_lines_close frees *out; NULL is fine. */
df_status df_lines_open(df_lines **out, const char *path, df_error *err);
void df_lines_close(df_lines *l);
/* most bytes of a line, instead of DF_LINE_MAX */
void df_lines_limit(df_lines *l, size_t max_bytes);
/* The next line that is not blank, without its end; it lives until the next call. *line is NULL at
 * the end of the file. *broken: why the line is useless (too long, or holds a zero byte), else
 * NULL. *number counts from 1. */
df_status df_lines_next(df_lines *l, const char **line, int64_t *number, const char **broken,
                        df_error *err);

/* Whether the last line was longer than the limit. */
bool df_lines_is_long(const df_lines *l);

/* A CSV record. delimiter: set by the caller; 0: the most frequent of comma, semicolon and tab in
 * this line is taken. A quoted field may span lines. *n_fields is -1 at the end of the file, 0 for
 * a broken record. Fields live until the next call. */
typedef struct {
    char **fields;
    int n_fields;
    int64_t number;
    const char *broken;
    char delimiter;
} df_csv_record;
df_status df_csv_next(df_lines *l, df_csv_record *record, df_error *err);
#endif
