/* Rows that threads finish in any order, joined in row order. At most `window` rows wait for an
 * earlier one, so that memory does not grow with the part. */
#ifndef DF_PIPELINE_JOIN_H
#define DF_PIPELINE_JOIN_H
#include "dataset/table.h"

typedef struct df_join df_join;
/* targets: n_tables tables that rows are appended to, borrowed; an entry may be NULL (nothing is
 * kept for it). joined: called after each row, one call at a time, in row order; may be NULL. */
df_status df_join_open(df_join **out, df_table *const *targets, int n_tables, int64_t first_row,
                       int window, df_status (*joined)(void *ctx, int64_t row, df_error *err),
                       void *ctx, df_error *err);
void df_join_close(df_join *join);
/* Waits until `row` is less than a window ahead of the rows joined. False when that can't come: an
 * earlier row failed. */
bool df_join_wait(df_join *join, int64_t row);
bool df_join_needs(df_join *join, int64_t row); /* a later row waits for it */
/* Hands over a row's tables ([n_tables], taken over; entries may be NULL); joins every row that
 * is next. */
df_status df_join_put(df_join *join, int64_t row, df_table **tables, df_error *err);
void df_join_fail(df_join *join); /* no thread waits any more */
#endif
