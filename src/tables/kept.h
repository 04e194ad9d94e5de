/* Which images are still in the dataset. */
#ifndef DF_TABLES_KEPT_H
#define DF_TABLES_KEPT_H
#include "dataset/dataset.h"

/* Rows that every deciding table (df_table_type.decides) among `reads`, names that end with NULL,
 * keeps: bool per row of ingest, malloc'ed, caller frees. A table without this part decides
 * nothing; of one that has it, a row that it does not have is not kept. */
df_status df_kept_rows(const df_dataset *ds, const char *const *reads, int part, bool **kept,
                       int64_t *n_rows, df_error *err);
#endif
