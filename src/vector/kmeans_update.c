/* The reduce half of a round of k-means: centroids from sums, in an order and a precision that are
 * the same on every machine. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vector/kmeans.h"
#include "vector/random.h"

static void normalise(const double *x, int d, float *out)
{
    double square = 0;
    for (int i = 0; i < d; i++)
        square += x[i] * x[i];
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (int i = 0; i < d; i++)
        out[i] = (float)(x[i] * scale);
    if (scale == 0)
        /* rows that cancel out have no direction, so any will do */
        out[0] = 1;
}

/* Chooses the cluster that is split for an empty one, by faiss's rule: clusters are tried in order,
 * over and over, and each is taken with the chance (size - 1) / (rows - k). */
static int draw_donor(const int64_t *size, int k, int64_t n, df_random *random)
{
    double room = (double)(n - k);
    for (int c = 0, tries = 0;; c = (c + 1) % k, tries++) {
        double chance = ((double)size[c] - 1) / (room > 0 ? room : 1);
        if (df_random_unit(random) < chance)
            return c;
        if (tries < 64 * k)
            continue;
        int largest = 0; /* hardly ever needed: no draw succeeded in so many */
        for (int i = 1; i < k; i++)
            largest = size[i] > size[largest] ? i : largest;
        return largest;
    }
}

/* Moves two equal centroids apart by 1/1024, in alternating signs along the dimensions (as faiss
 * does). */
static void push_apart(float *one, float *other, int d, double *scratch)
{
    const double apart = 1.0 / 1024;
    for (int side = 0; side < 2; side++) {
        float *c = side ? other : one;
        for (int i = 0; i < d; i++)
            scratch[i] = c[i] * ((i + side) % 2 ? 1 - apart : 1 + apart);
        normalise(scratch, d, c);
    }
}

/* Gives each empty cluster half of another one, drawn by its size as faiss does: both centroids
 * are pushed apart. */
static void split_empty(int64_t *size, int k, int d, df_random *random, float *centroid,
                        double *scratch)
{
    int64_t n = 0;
    for (int c = 0; c < k; c++)
        n += size[c];
    for (int c = 0; c < k; c++) {
        if (size[c] > 0)
            continue;
        int donor = draw_donor(size, k, n, random);
        float *to = centroid + (size_t)c * (size_t)d, *from = centroid + (size_t)donor * (size_t)d;
        memcpy(to, from, (size_t)d * sizeof *to);
        push_apart(to, from, d, scratch);
        size[c] = size[donor] / 2;
        size[donor] -= size[c];
    }
}

/* What must be true of new centroids: finite, and of length one but for rounding. */
static bool __attribute__((unused)) are_unit(const float *centroid, int k, int d)
{
    for (int c = 0; c < k; c++) {
        double square = 0;
        for (int i = 0; i < d; i++) {
            const double x = (double)centroid[(size_t)c * (size_t)d + (size_t)i];
            square += x * x;
        }
        if (!(fabs(square - 1) < 1e-4))
            return false;
    }
    return true;
}

df_status df_centroids_update(const int64_t *sum, const int64_t *count, int k, int d, uint64_t seed,
                              int round, float *centroid, int *n_empty, df_error *err)
{
    double *scratch = malloc((size_t)d * sizeof *scratch);
    int64_t *size = malloc((size_t)k * sizeof *size);
    int empty = 0;
    df_status status = scratch && size ? DF_OK : df_no_memory(err, "k-means");
    for (int c = 0; status == DF_OK && c < k; c++) {
        size[c] = count[c];
        empty += count[c] == 0;
        for (int i = 0; i < d; i++)
            scratch[i] = (double)sum[(size_t)c * (size_t)d + (size_t)i];
        if (count[c] > 0)
            normalise(scratch, d, centroid + (size_t)c * (size_t)d);
    }
    if (status == DF_OK && empty > 0) {
        df_random random = df_random_start(seed, (uint64_t)round);
        split_empty(size, k, d, &random, centroid, scratch);
    }
    assert(status != DF_OK || are_unit(centroid, k, d));
    if (status == DF_OK && n_empty)
        *n_empty = empty;
    free(scratch);
    free(size);
    return status;
}

double df_centroids_objective(const float *centroid, const int64_t *sum, const int64_t *count,
                              int k, int d)
{
    double total = 0;
    int64_t n = 0;
    for (int c = 0; c < k; c++) {
        double along = 0;
        for (int i = 0; i < d; i++)
            along += (double)sum[(size_t)c * (size_t)d + (size_t)i] *
                     centroid[(size_t)c * (size_t)d + (size_t)i];
        total += along * 0x1p-24;
        n += count[c];
    }
    return n ? total / (double)n : 0;
}
