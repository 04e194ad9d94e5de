/* A part's table in memory (a part is at most about 10,000 images), read and written as Parquet
 * through DuckDB. */
#ifndef DF_DATASET_TABLE_H
#define DF_DATASET_TABLE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

/* What the cells of a column hold, and in brackets its type in Parquet. */
typedef enum {
    DF_COLUMN_INT,                           /* BIGINT */
    DF_COLUMN_BOOL,                          /* BOOLEAN */
    DF_COLUMN_REAL,                          /* DOUBLE */
    DF_COLUMN_TEXT,                          /* VARCHAR */
    DF_COLUMN_TEXTS,                         /* VARCHAR[] */
    DF_COLUMN_REALS,                         /* DOUBLE[] */
    DF_COLUMN_VECTOR,                        /* BLOB: float16 in the machine's order */
} df_column_type;
/* a list ends with {0} */
typedef struct {
    const char *name;
    df_column_type type;
    const char *about;
} df_column;
/* the first column of every table of images: ingest's row */
enum { DF_ROW };
/* What the rows of a table are. src/tables has one for each table of a dataset, with an enum of its
 * columns. */
typedef struct {
    const char *name; /* the folder of its parts: "detect", "fuse/left" */
    const char *about; /* its rows, for docs/FORMAT.md */
    const df_column *columns;
    /* At most one row per image: df_joined finds it by the image. */
    bool per_image;
    /* Columns: whether the image stays, and why another does not. 0: the table does not decide, its
     * first is `row`. */
    int decides, reason;
    /* SQL that is true of a row that went well, and SQL for why another did not: what `status`
     * counts. NULL: nothing. */
    const char *passed, *why;
} df_table_type;
/* One cell. The field of its column's type counts; texts and lists are borrowed. All-zero is null,
 * so that a row may leave out columns: (df_value[DF_TAG_COLUMNS]){[DF_TAG_ROW] = DF_INT(7)}. */
typedef struct {
    bool has; /* false: null */
    int64_t i; /* INT; of BOOL 0 or 1 */
    double f;
    const char *s;
    int64_t n; /* items of a list */
    union {
        const char *const *texts;
        const double *reals;
        const uint16_t *vector;
    };
} df_value;
typedef struct df_table df_table;

#define DF_INT(v) ((df_value){.has = true, .i = (v)})
#define DF_BOOL(v) ((df_value){.has = true, .i = (v) ? 1 : 0})
#define DF_REAL(v) ((df_value){.has = true, .f = (v)})
#define DF_TEXT(v) ((df_value){.has = (v) != NULL, .s = (v)})
#define DF_TEXTS(items, count) ((df_value){.has = true, .texts = (items), .n = (count)})
#define DF_REALS(items, count) ((df_value){.has = true, .reals = (items), .n = (count)})
#define DF_VECTOR(items, count) ((df_value){.has = true, .vector = (items), .n = (count)})
#define DF_NULL ((df_value){.has = false})

df_status df_table_create(df_table **out, const df_column *columns, df_error *err);
void df_table_close(df_table *t);
/* values: [n_columns], by column; texts and lists are copied. */
df_status df_table_append(df_table *t, const df_value *values, df_error *err);
/* same columns */
df_status df_table_append_table(df_table *t, const df_table *more, df_error *err);
int64_t df_table_rows(const df_table *t);
int df_table_n_columns(const df_table *t);
df_column df_table_column_at(const df_table *t, int column);
/* Index of a column by name, any case; -1 when there is none. */
int df_table_column(const df_table *t, const char *name);
/* true too when column is -1 */
bool df_table_null(const df_table *t, int64_t row, int column);
/* The cell as it is; text and lists live with the table. */
df_value df_table_value(const df_table *t, int64_t row, int column);
/* 0 where null or not a number; reals are truncated */
int64_t df_table_int(const df_table *t, int64_t row, int column);
/* false where null or not BOOL */
bool df_table_bool(const df_table *t, int64_t row, int column);
/* 0 where null or not a number; ints are converted */
double df_table_real(const df_table *t, int64_t row, int column);
/* "" where null or not text; lives with the table */
const char *df_table_text(const df_table *t, int64_t row, int column);
/* The items of a list, *n of them, and 0 where null or of another type; they live with the
 * table. */
const char *const *df_table_texts(const df_table *t, int64_t row, int column, int64_t *n);
const double *df_table_reals(const df_table *t, int64_t row, int column, int64_t *n);
const uint16_t *df_table_vector(const df_table *t, int64_t row, int column, int64_t *n);
/* The first row whose INT column is at least `value`; the column rises. The number of rows when
 * there is none. */
int64_t df_table_first(const df_table *t, int column, int64_t value);

/* Parquet, zstd. Same rows, same bytes. The path is that of a draft (base/folder.h) where the file
 * belongs to a dataset. */
df_status df_table_write(const df_table *t, const char *path, df_error *err);
/* A file that df_table_write wrote, or any Parquet file: a column of another type is read as
 * text. */
df_status df_table_read(df_table **out, const char *path, df_error *err);
/* Any SQL over files (Parquet, CSV, JSONL by DuckDB's own readers). Columns of the result are INT,
 * BOOL, REAL or TEXT; all else, lists and bytes too, is cast to text. The SQL is ours: sql_text.h
 * names the files in it. */
df_status df_table_query(df_table **out, const char *sql, df_error *err);
/* A session for a long job: its statements share tables, memory_mb bounds its memory, what does not
 * fit goes to files in the folder `spill` (NULL: nowhere). One thread until a statement says SET
 * threads. */
typedef struct df_sql df_sql;
df_status df_sql_open(df_sql **out, int64_t memory_mb, const char *spill, df_error *err);
void df_sql_close(df_sql *s);
df_status df_sql_exec(df_sql *s, const char *sql, df_error *err);
/* as df_table_query */
df_status df_sql_query(df_sql *s, const char *sql, df_table **out, df_error *err);
#endif
