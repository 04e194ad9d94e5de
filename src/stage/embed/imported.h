/* Vectors that were made elsewhere, and whose they are: a folder of .npy, .npz or Parquet files in
 * the order of their names (numbers by value), with Parquet tables beside them that name their
 * owners. docs/HOWTO.md. */
#ifndef DF_STAGE_EMBED_IMPORTED_H
#define DF_STAGE_EMBED_IMPORTED_H
#include "dataset/dataset.h"

/* field: the member of an .npz or the list column of a Parquet file. key: a column of the tables
 * beside the vectors, whose values are looked up as ingest's url, path, or path below the input;
 * NULL: by order, a vector a row. */
typedef struct {
    const char *folder, *field, *key;
} df_imported_options;
/* shared by threads; with a key 16 bytes a vector, else 8 bytes a part */
typedef struct df_imported df_imported;

df_status df_imported_open(df_imported **out, const df_imported_options *options,
                           const df_dataset *ds, df_error *err);
void df_imported_close(df_imported *v);
int df_imported_dim(const df_imported *v);
/* *index: the vector of a row of an ingest table, -1: it has none. DF_NOMEM. */
df_status df_imported_find(const df_imported *v, const df_table *ingest, int part, int64_t row,
                           int64_t *index, df_error *err);
/* [dim] as it is stored. Fastest when indices rise. */
df_status df_imported_read(df_imported *v, int64_t index, double *out, df_error *err);
/* Appends what the vectors and their owners are: names, sizes and times of the files. */
df_status df_imported_describe(const df_imported_options *options, df_str *out, df_error *err);
#endif
