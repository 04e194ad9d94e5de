/* Spherical k-means by Lloyd's algorithm, exactly, over vectors that are streamed in order.
 *
 * Every row goes to the centroid with the largest df_dot (ties: the lowest number); a centroid
 * becomes the direction of the sum of its rows. Sums are integers (a float16 is a multiple of
 * 2^-24), so neither threads nor the order of rows, parts or machines changes a bit. What makes it
 * fast changes nothing either: codes of 8 bits decide most pairs (max_dot.h), and bounds kept from
 * one round to the next leave most panels of centroids out:
 *
 * bound(row, group) + how far the group's centroids have moved since < dot(row, its own
 * centroid) */
#ifndef DF_VECTOR_KMEANS_H
#define DF_VECTOR_KMEANS_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* A matrix [n][d] of float16, rows of unit length, read in blocks. Several threads call read. */
typedef struct {
    int64_t n;
    int d;
    df_status (*read)(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err);
    void *ctx;
} df_rows;

typedef struct {
    int n_threads;
    /* bytes for what is kept between rounds: assignments, bounds, codes. Less memory costs time,
     * not exactness. */
    size_t memory;
    atomic_bool *stop; /* NULL: never; else DF_STOPPED soon after it is set */
    /* Called with the rows done and all rows of this pass, one call at a time. May be NULL. */
    void (*progress)(void *ctx, int64_t done, int64_t total);
    void *ctx;
} df_kmeans_options;

typedef struct {
    int64_t n_rows, n_moved; /* rows seen; rows that changed their cluster */
    /* row-centroid pairs; pairs that were scored by their codes */
    int64_t n_pairs, n_looked;
    /* rows that needed full dot products beside that with their own centroid; such products */
    int64_t n_rechecked, n_exact;
    double seconds;
} df_kmeans_pass;

typedef struct df_kmeans df_kmeans;
/* centroid [k][d] of unit length, copied. rows is borrowed until df_kmeans_close. On error *out is
 * not written. */
df_status df_kmeans_open(df_kmeans **out, const df_rows *rows, const float *centroid, int k,
                         const df_kmeans_options *options, df_error *err);
void df_kmeans_close(df_kmeans *km);
/* Assigns every row and sums up the clusters (the map half of a round). pass may be NULL. */
df_status df_kmeans_assign(df_kmeans *km, df_kmeans_pass *pass, df_error *err);
const int64_t *df_kmeans_sums(const df_kmeans *km); /* [k][d] of rows times 2^24 */
const int64_t *df_kmeans_counts(const df_kmeans *km); /* [k] */
const float *df_kmeans_centroids(const df_kmeans *km); /* [k][d] */
/* Goes on with these centroids (the reduce half makes them). */
df_status df_kmeans_move(df_kmeans *km, const float *centroid, df_error *err);
/* The cluster and df_dot of n rows from `first` on by the centroids as they are. */
df_status df_kmeans_label(df_kmeans *km, int64_t first, int64_t n, int32_t *cluster,
                          float *similarity, df_error *err);

/* Stratified sampling: the row that stands for stratum i of m. Row numbers rise with i. n >= m; one
 * row is drawn by the seed from each m-th of the n rows. */
int64_t df_sample_row(int64_t i, int64_t m, int64_t n, uint64_t seed);
/* First centroids [k][d], written. `sample` takes k rows drawn by df_sample_row; `plus_plus` runs
 * k-means++ over 16 k rows drawn so, which it holds in memory. k <= n. */
df_status df_kmeans_start_sample(const df_rows *rows, int k, uint64_t seed, float *centroid,
                                 df_error *err);
df_status df_kmeans_start_plus_plus(const df_rows *rows, int k, uint64_t seed, int n_threads,
                                    float *centroid, df_error *err);

/* The reduce half: new centroids [k][d] from the sums of rows. A cluster without rows takes half of
 * another cluster (drawn by size, as faiss does): both get that centroid, pushed apart by 1/1024.
 * seed and round choose the draws. n_empty may be NULL. */
df_status df_centroids_update(const int64_t *sum, const int64_t *count, int k, int d, uint64_t seed,
                              int round, float *centroid, int *n_empty, df_error *err);
/* The mean cosine between rows and the centroids to which they were assigned, from the sums
 * alone. */
double df_centroids_objective(const float *centroid, const int64_t *sum, const int64_t *count,
                              int k, int d);
#endif
