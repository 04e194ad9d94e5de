/* What k-means keeps between rounds; kmeans.c decides how much of it fits into memory. */
#ifndef DF_VECTOR_KMEANS_STATE_H
#define DF_VECTOR_KMEANS_STATE_H
#include <pthread.h>
#include "vector/kmeans.h"
#include "vector/max_dot.h"

enum { DF_KMEANS_LOCKS = 64 };

/* One thread's state: the block of rows that it works on. */
typedef struct {
    struct df_kmeans *km;
    df_max_dot *search;
    int64_t first;                           /* number of the block's first row */
    int n;
    /* [DF_MAX_DOT_ROWS][d]; read from disk only when a value is needed */
    uint16_t *half;
    bool has_half;
    df_error read_error;
    float *exact, *scratch;                  /* [d] each */
    int exact_row;                           /* row in `exact`; -1: none */
    int8_t *code; /* [DF_MAX_DOT_ROWS][stride], when codes are not kept */
    df_code *row; /* [DF_MAX_DOT_ROWS], when they are not kept */
    /* [DF_MAX_DOT_ROWS]: the row's cluster before this round; -1: none */
    int32_t *before;
    uint16_t *all; /* rows that are compared with every group */
    int n_all;
    /* [n_groups][DF_MAX_DOT_ROWS]: for each group, the other rows that are compared with it */
    uint16_t *list;
    int *listed; /* [n_groups] */
    uint64_t *mask; /* [groups_padded / 64] */
    df_kmeans_pass pass;
    float longest; /* upper bound of |row - mean| */
} df_kmeans_block;

struct df_kmeans {
    const df_simd *simd;
    const df_rows *rows;
    df_kmeans_options options;
    int k, d;
    float *centroid; /* [k][d] */
    /* [d]: mean of the first centroids. It never changes, since the kept codes depend on it. */
    float *mean;
    df_quantised panels;
    int32_t *position; /* [k]: the centroid's position in the panels */
    int64_t *sum, *count; /* [k][d], [k] */
    pthread_mutex_t lock[DF_KMEANS_LOCKS]; /* of sum and count, by centroid % DF_KMEANS_LOCKS */
    pthread_mutex_t progress_lock;
    int64_t n_done;
    int rounds;
    /* kept from round to round, or NULL */
    int32_t *assign; /* [n]; -1: not yet */
    df_code *row; /* [n] */
    int8_t *code; /* [n][stride] */
    bool coded; /* row and code are filled */
    /* [n][bound_stride], in steps of 1 / 4096, less the group's drift at the time */
    int16_t *bound;
    size_t bound_stride; /* n_groups up to a multiple of 8 */
    bool bounded; /* bound is filled */
    /* [groups_padded], n_groups up to a multiple of 64: how far each group has moved in all
     * rounds */
    int16_t *drift;
    int group_panels, n_groups, groups_padded;
    float longest; /* the largest |row - mean| */
    df_kmeans_block *blocks; /* [n_threads] */
};

/* kmeans_block.c */
df_status df_kmeans_block_init(df_kmeans_block *b, df_kmeans *km, df_error *err);
void df_kmeans_block_free(df_kmeans_block *b);
/* Assigns rows first .. first + n - 1 (n <= DF_MAX_DOT_ROWS); the result is in b->search->best.
 * With `exact` also their df_dot, in best_dot. */
df_status df_kmeans_block_search(df_kmeans_block *b, int64_t first, int n, bool exact,
                                 df_error *err);
/* Adds the block's moves to the sums. */
df_status df_kmeans_block_add(df_kmeans_block *b, df_error *err);

/* kmeans_order.c. order [k], written: an order of centroids in which sixteen neighbours are alike
 * and move alike, so that one bound for all sixteen stays tight. */
df_status df_kmeans_order(const df_simd *simd, const float *centroid, const int64_t *count, int k,
                          int d, int32_t *order, df_error *err);
#endif
