/* Sixteen centroids share a panel, which is left out when none of them comes near; the one that
 * moves farthest spoils it for all. So: first by the number of rows, for small clusters move most,
 * in a few bands; within a band those that are alike side by side. Measured at 4,096 clusters: 7 %
 * less time for the third round than alike alone. */
#include <stdlib.h>
#include <string.h>

#include "vector/kmeans_state.h"

enum { BANDS = 4 };

typedef struct {
    float along;
    int32_t number;
} ranked;
typedef struct {
    const df_simd *simd;
    const float *centroid;
    int d;
    ranked *rank;                            /* [k] */
    float *direction;                        /* [d] */
} orderer;

static int by_along(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->along != y->along)
        return x->along < y->along ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void measure(const orderer *o, int32_t *order, int n)
{
    for (int i = 0; i < n; i++)
        o->rank[i] = (ranked){
            o->simd->dot(o->centroid + (size_t)order[i] * (size_t)o->d, o->direction, o->d),
            order[i]};
}

static const float *least_alike(const orderer *o, int32_t *order, int n, const float *to)
{
    memcpy(o->direction, to, (size_t)o->d * sizeof *to);
    measure(o, order, n);
    int least = 0;
    for (int i = 1; i < n; i++)
        if (o->rank[i].along < o->rank[least].along)
            least = i;
    return o->centroid + (size_t)o->rank[least].number * (size_t)o->d;
}

/* From one end of the set to the other, roughly: the way between two that are far apart. */
static void split(const orderer *o, int32_t *order, int n)
{
    const float *one = least_alike(o, order, n, o->centroid + (size_t)order[0] * (size_t)o->d);
    const float *other = least_alike(o, order, n, one);
    for (int round = 0; round < 2; round++) {
        if (round == 0)
            for (int i = 0; i < o->d; i++)
                o->direction[i] = one[i] - other[i];
        measure(o, order, n);
        qsort(o->rank, (size_t)n, sizeof *o->rank, by_along);
        for (int i = 0; i < n; i++)
            order[i] = o->rank[i].number;
        memset(o->direction, 0, (size_t)o->d * sizeof *o->direction);
        for (int i = 0; i < n; i++)          /* then along the line between the halves' means */
            for (int k = 0; k < o->d; k++) {
                float x = o->centroid[(size_t)order[i] * (size_t)o->d + (size_t)k];
                o->direction[k] += i < n / 2 ? -x : x;
            }
    }
}

static void arrange(const orderer *o, int32_t *order, int n)
{
    if (n <= DF_PANEL)
        return;
    split(o, order, n);
    int half = (n / DF_PANEL + 1) / 2 * DF_PANEL;
    half = half >= n ? DF_PANEL : half;
    arrange(o, order, half);
    arrange(o, order + half, n - half);
}

/* order: by number of rows, falling or rising does not matter. */
static void band(const orderer *o, const int64_t *count, int k, int32_t *order)
{
    for (int i = 0; i < k; i++)
        o->rank[i] = (ranked){(float)count[i], i};
    qsort(o->rank, (size_t)k, sizeof *o->rank, by_along);
    for (int i = 0; i < k; i++)
        order[i] = o->rank[i].number;
}

df_status df_kmeans_order(const df_simd *simd, const float *centroid, const int64_t *count, int k,
                          int d, int32_t *order, df_error *err)
{
    orderer o = {.simd = simd, .centroid = centroid, .d = d};
    int step = (k / BANDS + DF_PANEL) / DF_PANEL * DF_PANEL;
    o.rank = malloc((size_t)k * sizeof *o.rank);
    o.direction = malloc((size_t)d * sizeof *o.direction);
    df_status status =
        o.rank && o.direction ? DF_OK : df_fail(err, DF_NOMEM, "k-means: out of memory");
    if (status == DF_OK)
        band(&o, count, k, order);
    for (int i = 0; status == DF_OK && i < k; i += step)
        arrange(&o, order + i, k - i < step ? k - i : step);
    free(o.rank);
    free(o.direction);
    return status;
}
