/* SemDeDup, the semantic deduplication that the paper uses (Abbas et al., arXiv 2303.09540), inside
 * one cluster. The rule is that of its published code: items are ordered by their cosine to the
 * cluster's centroid, and one goes when its largest cosine to an *earlier* item, removed or not, is
 * above 1 - eps. */
#ifndef DF_VECTOR_SEMDEDUP_H
#define DF_VECTOR_SEMDEDUP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef enum { DF_KEEP_FARTHEST, DF_KEEP_NEAREST, DF_KEEP_RANDOM } df_keep;

/* order[n], written: the items by their cosine to the centroid (rising for farthest, falling for
 * nearest), or by a hash of id and seed. Ties: the lower index. id: what names an item for ever,
 * whatever cluster it is in; only DF_KEEP_RANDOM reads it, else it may be NULL. */
df_status df_semdedup_order(const double *similarity, const int64_t *id, int64_t n, df_keep keep,
                            uint64_t seed, int64_t *order, df_error *err);

enum { DF_SEMDEDUP_READ = 1024 }; /* most rows that are read in one call */
/* The cluster's vectors in that order, read on demand. */
typedef struct {
    int64_t n;
    int dim, n_threads;
    size_t memory_bytes; /* bytes that rows in memory may take, however large n is */
    /* rows: float16 of unit length, [count, dim] from place `first` of the order on. Called from
     * one thread. */
    df_status (*read)(void *ctx, int64_t first, int64_t count, uint16_t *rows, df_error *err);
    void *ctx;
} df_semdedup_rows;

/* similarity[j]: the largest dot product (df_dot) of row j and an earlier one; nearest[j]: that
 * row, the earliest of equals. Row 0 has none: -1, and -2 for the similarity. Same result for any
 * n_threads and memory. parent: NULL, or [n] written for the group rule: a group is what chains of
 * pairs above 1 - eps connect; parent[j] is the first of j's group in the order (j itself when it
 * is the first). A row that is not the first has it as its nearest. */
df_status df_semdedup_nearest(const df_semdedup_rows *rows, double eps, float *similarity,
                              int64_t *nearest, int64_t *parent, df_error *err);
/* Whether the published rule removes an item with this similarity. The comparison is in single
 * precision, as in the published code. */
bool df_semdedup_removes(float similarity, double eps);
#endif
