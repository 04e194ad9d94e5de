/* A part's one-row-per-image tables side by side, found by ingest's row. */
#ifndef DF_TABLES_JOINED_H
#define DF_TABLES_JOINED_H
#include "dataset/dataset.h"

typedef enum {
    DF_OF_INGEST,
    DF_OF_CLUSTER,
    DF_OF_FILTER,
    DF_OF_DEDUP,
    DF_OF_SELECT,
    DF_OF_FUSE,
    DF_OF_CAPTION,
    DF_OF_CHECK,
    DF_OF_COUNT
} df_joined_of;
typedef struct {
    int part;
    int64_t n_rows;                          /* of ingest */
    df_table *table[DF_OF_COUNT];            /* NULL: that stage has not done this part */
    /* ingest row -> row of the table, -1: none; NULL with its table */
    int64_t *at[DF_OF_COUNT];
} df_joined;                                 /* all-zero is closeable */

df_status df_joined_open(df_joined *out, const df_dataset *ds, int part, df_error *err);
void df_joined_close(df_joined *j);
/* there and not null */
bool df_joined_has(const df_joined *j, df_joined_of of, int64_t row, int column);
/* "" when not there */
const char *df_joined_text(const df_joined *j, df_joined_of of, int64_t row, int column);
int64_t df_joined_int(const df_joined *j, df_joined_of of, int64_t row, int column,
                      int64_t missing);
/* false when not there */
bool df_joined_bool(const df_joined *j, df_joined_of of, int64_t row, int column);
/* *n is 0 when not there */
const char *const *df_joined_texts(const df_joined *j, df_joined_of of, int64_t row, int column,
                                   int64_t *n);
/* Whether filter, dedup and select keep the row; *by: else the first that does not, *why: its
 * reason. Both may be NULL. */
bool df_joined_kept(const df_joined *j, int64_t row, df_joined_of *by, const char **why);
#endif
