/* A part's tables of one row per image (df_table_type.per_image) side by side, found by ingest's
 * row. */
#ifndef DF_TABLES_JOINED_H
#define DF_TABLES_JOINED_H
#include "dataset/dataset.h"
#include "tables/tables.h"

typedef struct {
    int part;
    int64_t n_rows;                          /* of ingest */
    /* in the order of df_tables; NULL: no such table, or its stage has not done this part */
    df_table *table[DF_TABLES_MAX];
    /* ingest row -> row of the table, -1: none; NULL with its table */
    int64_t *at[DF_TABLES_MAX];
} df_joined;                                 /* all-zero is closeable */

df_status df_joined_open(df_joined *out, const df_dataset *ds, int part, df_error *err);
void df_joined_close(df_joined *j);
/* NULL: its stage has not done this part; lives with the join */
const df_table *df_joined_table(const df_joined *j, const df_table_type *type);
/* there and not null */
bool df_joined_has(const df_joined *j, const df_table_type *type, int64_t row, int column);
/* "" when not there */
const char *df_joined_text(const df_joined *j, const df_table_type *type, int64_t row, int column);
int64_t df_joined_int(const df_joined *j, const df_table_type *type, int64_t row, int column,
                      int64_t missing);
/* *n is 0 when not there */
const char *const *df_joined_texts(const df_joined *j, const df_table_type *type, int64_t row,
                                   int column, int64_t *n);
/* Whether all deciding tables keep the row; *by: else the first that does not, *why: its reason.
 * Both may be NULL. */
bool df_joined_kept(const df_joined *j, int64_t row, const df_table_type **by, const char **why);
#endif
