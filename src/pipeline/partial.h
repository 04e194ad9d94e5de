/* The first rows of a part that is not finished: STAGE/part-00000.partial. A stopped or killed pass
 * goes on from there. A partial is Parquet like a part, with one row more: its `row` is the number
 * of images seen. */
#ifndef DF_PIPELINE_PARTIAL_H
#define DF_PIPELINE_PARTIAL_H
#include "dataset/dataset.h"

/* t: rows of images below n_rows, `row` is its first column. */
df_status df_partial_write(const df_dataset *ds, const char *stage, int part, const df_table *t,
                           int64_t n_rows, df_error *err);
/* How many images a partial has seen; 0 when there is none, or it is no beginning of a table like
 * `like`: that work is done again. */
int64_t df_partial_rows(const df_dataset *ds, const char *stage, int part, const df_table *like);
/* Appends the partial's rows of images below n_rows. */
df_status df_partial_read(const df_dataset *ds, const char *stage, int part, int64_t n_rows,
                          df_table *to, df_error *err);
void df_partial_remove(const df_dataset *ds, const char *stage, int part);
/* Removes partials of finished parts: a kill between the two leaves one. When all parts are there,
 * every *.partial of the stage goes. */
void df_partial_tidy(const df_dataset *ds, const char *stage);
#endif
