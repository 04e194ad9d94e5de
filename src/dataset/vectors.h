/* The vectors of `embed`: its parts' .npy files as one matrix, in part order. */
#ifndef DF_DATASET_VECTORS_H
#define DF_DATASET_VECTORS_H
#include "dataset/dataset.h"

/* 16 bytes a part; shared by threads; keeps up to 256 files open */
typedef struct df_vectors df_vectors;
/* Every part of ingest must be there, its .npy float16 with one vector per row that has no problem,
 * all of one dim (a part without vectors may have any): else DF_FORMAT names the file. */
df_status df_vectors_open(df_vectors **out, const df_dataset *ds, df_error *err);
void df_vectors_close(df_vectors *v);
int64_t df_vectors_count(const df_vectors *v);
int df_vectors_dim(const df_vectors *v); /* 0 when there are none */
/* Index of the part's first vector; part == n_parts: the count. */
int64_t df_vectors_first(const df_vectors *v, int part);
/* [n, dim] float16 of unit length from vector `first` on, which may span parts; a value of 2 or
 * more, or none, is DF_FORMAT. Thread-safe. */
df_status df_vectors_read(const df_vectors *v, int64_t first, int64_t n, uint16_t *out,
                          df_error *err);
/* [n, dim] of the vectors index[i], in any order; read from disk in rising order. Thread-safe. */
df_status df_vectors_gather(const df_vectors *v, const int64_t *index, int64_t n, uint16_t *out,
                            df_error *err);
#endif
