/* What k-means keeps between rounds; kmeans.c decides how much of it fits. */
#ifndef DF_VECTOR_KMEANS_STATE_H
#define DF_VECTOR_KMEANS_STATE_H
#include <pthread.h>
#include "vector/kmeans.h"
#include "vector/max_dot.h"

enum { DF_KMEANS_LOCKS = 64 };

/* A thread's own: one block of rows at work. */
typedef struct {
    struct df_kmeans *km;
    df_search *search;
    int64_t first;                           /* row of the block's first */
    int n;
    /* [DF_SEARCH_ROWS][d]; read when something asks for it */
    uint16_t *half;
    bool has_half;
    df_error read_error;
    float *exact, *scratch;                  /* [d] each */
    int exact_row;                           /* row in `exact`; -1: none */
    int8_t *code; /* [DF_SEARCH_ROWS][stride], when codes are not kept */
    df_code *row; /* [DF_SEARCH_ROWS], when they are not kept */
    /* [DF_SEARCH_ROWS]: the cluster that the row had; -1: none */
    int32_t *before;
    uint16_t *all; /* rows that look at every group */
    int n_all;
    /* [n_groups][DF_SEARCH_ROWS]: other rows that look at a group */
    uint16_t *list;
    int *listed; /* [n_groups] */
    uint64_t *mask; /* [groups_padded / 64] */
    df_kmeans_pass pass;
    float longest; /* |row - mean| at most */
} df_kmeans_block;

struct df_kmeans {
    const df_simd *simd;
    const df_rows *rows;
    df_kmeans_options options;
    int k, d;
    float *centroid; /* [k][d] */
    /* [d]: of the first centroids, for good: codes depend on it */
    float *mean;
    df_panels panels;
    int32_t *position; /* [k]: where a centroid is among the panels */
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
    /* [n][bound_stride], in steps of 1 / 4096, less drift */
    int16_t *bound;
    size_t bound_stride; /* n_groups up to a multiple of 8 */
    bool bounded; /* bound is filled */
    int16_t *drift; /* [groups_padded], n_groups up to a multiple of 64: how far each group has
                       moved in all */
    int group_panels, n_groups, groups_padded;
    float longest; /* the largest |row - mean| */
    df_kmeans_block *blocks; /* [n_threads] */
};

/* kmeans_block.c */
df_status df_kmeans_block_init(df_kmeans_block *b, df_kmeans *km, df_error *err);
void df_kmeans_block_free(df_kmeans_block *b);
/* Assigns rows first .. first + n - 1 (n <= DF_SEARCH_ROWS); the result is in b->search->best. With
 * `exact` also their df_dot, in best_dot. */
df_status df_kmeans_block_search(df_kmeans_block *b, int64_t first, int n, bool exact,
                                 df_error *err);
/* Adds the block's moves to the sums. */
df_status df_kmeans_block_add(df_kmeans_block *b, df_error *err);

/* kmeans_order.c: an order of centroids that lets bounds over panels of sixteen say most. order
 * [k], written. */
df_status df_kmeans_order(const df_simd *simd, const float *centroid, const int64_t *count, int k,
                          int d, int32_t *order, df_error *err);
#endif
