/* The first centroids: a stratified sample of the rows, or k-means++. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "vector/half.h"
#include "vector/kmeans.h"
#include "vector/random.h"
#include "vector/simd.h"

enum { POOL_PER_CENTROID = 16, POOL_BLOCK = 4096 };

int64_t df_sample_row(int64_t i, int64_t m, int64_t n, uint64_t seed)
{
    df_random random = df_random_start(seed, (uint64_t)i);
    double from = (double)i * ((double)n / (double)m),
           to = (double)(i + 1) * ((double)n / (double)m);
    /* the row numbers in [from, to): there is at least one */
    int64_t first = (int64_t)ceil(from), end = (int64_t)ceil(to);
    end = i + 1 == m ? n : end;
    int64_t at = first + (int64_t)(df_random_unit(&random) * (double)(end - first));
    return at < end ? at : end - 1;
}

static df_status read_row(const df_rows *rows, int64_t row, uint16_t *half, float *out,
                          df_error *err)
{
    DF_TRY(rows->read(rows->ctx, row, 1, half, err));
    df_half_to_float_n(half, out, (size_t)rows->d);
    return DF_OK;
}

static void set_length_one(float *x, int d)
{
    double square = 0;
    for (int i = 0; i < d; i++)
        square += (double)x[i] * x[i];
    for (int i = 0; square > 0 && i < d; i++)
        x[i] = (float)(x[i] / sqrt(square));
}

df_status df_kmeans_start_sample(const df_rows *rows, int k, uint64_t seed, float *centroid,
                                 df_error *err)
{
    uint16_t *half = malloc((size_t)rows->d * sizeof *half);
    df_status status = half ? DF_OK : df_no_memory(err, "k-means");
    for (int c = 0; status == DF_OK && c < k; c++) {
        float *to = centroid + (size_t)c * (size_t)rows->d;
        status = read_row(rows, df_sample_row(c, k, rows->n, seed), half, to, err);
        if (status == DF_OK)
            set_length_one(to, rows->d);
    }
    free(half);
    return status;
}

/* ---- k-means++ (Arthur and Vassilvitskii, SODA 2007), on a sample held in memory ---- */

typedef struct {
    const df_rows *rows;
    int64_t m;                               /* rows in the sample */
    uint64_t seed;
    uint16_t *half;                          /* [m][d] */
    float *closest;                          /* [m]: cosine to the closest centroid so far */
    /* [blocks]: sum of squared distances, always added in the same order */
    double *weight;
    const float *centroid;                   /* the latest */
    df_random random;
} plus_plus;

static df_status read_block(void *ctx, int64_t item, int thread, df_error *err)
{
    plus_plus *p = ctx;
    (void)thread;
    size_t d = (size_t)p->rows->d;
    for (int64_t i = item * POOL_BLOCK; i < p->m && i < (item + 1) * POOL_BLOCK; i++) {
        p->closest[i] = -1;
        int64_t row = df_sample_row(i, p->m, p->rows->n, p->seed);
        DF_TRY(p->rows->read(p->rows->ctx, row, 1, p->half + (size_t)i * d, err));
    }
    return DF_OK;
}

/* Squared distance to the closest centroid: |x - c|^2 = 2 - 2 x.c for vectors of unit length. */
static double distance(const plus_plus *p, int64_t i)
{
    double away = 2 - 2 * (double)p->closest[i];
    return away > 0 ? away : 0;
}

/* Updates the distance of each vector of a block to its nearest centroid, and the block's sum of
 * them. */
static df_status weigh_block(void *ctx, int64_t item, int thread, df_error *err)
{
    plus_plus *p = ctx;
    (void)thread;
    int d = p->rows->d;
    const df_simd *simd = df_simd_best();
    float *x = malloc((size_t)d * sizeof *x);
    if (!x)
        return df_no_memory(err, "k-means++");
    p->weight[item] = 0;
    for (int64_t i = item * POOL_BLOCK; i < p->m && i < (item + 1) * POOL_BLOCK; i++) {
        simd->from_half(p->half + (size_t)i * (size_t)d, x, d);
        p->closest[i] = fmaxf(p->closest[i], simd->dot(x, p->centroid, d));
        p->weight[item] += distance(p, i);
    }
    free(x);
    return DF_OK;
}

/* Draws a vector with a chance in proportion to its distance to the nearest centroid (k-means++,
 * Arthur and Vassilvitskii, SODA 2007). */
static int64_t draw_row(plus_plus *p, int64_t n_blocks)
{
    double total = 0;
    for (int64_t b = 0; b < n_blocks; b++)
        total += p->weight[b];
    double at = df_random_unit(&p->random) * total;
    int64_t b = 0;
    for (; b < n_blocks - 1 && at >= p->weight[b]; b++)
        at -= p->weight[b];
    int64_t i = b * POOL_BLOCK, last = i;
    for (; i < p->m && i < (b + 1) * POOL_BLOCK; i++) {
        if (distance(p, i) > 0)
            last = i;
        at -= distance(p, i);
        if (at < 0)
            return i;
    }
    /* rounding used up the rest, or every row is a centroid already */
    return last;
}

/* Chooses k centroids by k-means++. */
static df_status choose_centroids(plus_plus *p, int k, int n_threads, float *centroid,
                                  df_error *err)
{
    int64_t n_blocks = (p->m + POOL_BLOCK - 1) / POOL_BLOCK;
    int d = p->rows->d;
    DF_TRY(df_pool_run(n_threads, n_blocks, read_block, p, err));
    p->random = df_random_start(p->seed, UINT64_MAX - 1);
    for (int c = 0; c < k; c++) {
        int64_t i =
            c ? draw_row(p, n_blocks) : (int64_t)(df_random_unit(&p->random) * (double)p->m);
        float *to = centroid + (size_t)c * (size_t)d;
        df_half_to_float_n(p->half + (size_t)i * (size_t)d, to, (size_t)d);
        set_length_one(to, d);
        p->centroid = to;
        DF_TRY(df_pool_run(n_threads, n_blocks, weigh_block, p, err));
    }
    return DF_OK;
}

df_status df_kmeans_start_plus_plus(const df_rows *rows, int k, uint64_t seed, int n_threads,
                                    float *centroid, df_error *err)
{
    plus_plus p = {.rows = rows, .seed = seed};
    p.m = rows->n / POOL_PER_CENTROID < k ? rows->n : (int64_t)k * POOL_PER_CENTROID;
    p.half = malloc((size_t)p.m * (size_t)rows->d * sizeof *p.half);
    p.closest = malloc((size_t)p.m * sizeof *p.closest);
    p.weight = malloc(((size_t)p.m / POOL_BLOCK + 1) * sizeof *p.weight);
    df_status status =
        p.half && p.closest && p.weight
            ? choose_centroids(&p, k, n_threads, centroid, err)
            : df_fail(err, DF_NOMEM,
                      "k-means++: %lld vectors do not fit in memory; cluster.start=sample "
                      "needs none",
                      (long long)p.m);
    free(p.half);
    free(p.closest);
    free(p.weight);
    return status;
}
