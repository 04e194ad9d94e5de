/* Ranking within a cluster, and how many images each cluster gives to a total. */
#include "vector/rank.h"

#include <math.h>
#include <stdlib.h>

#include "vector/dot.h"

typedef struct {
    double key;
    int64_t item;
} ranked;

static int by_falling_key(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

df_status df_rank_order(const double *key, int64_t n, int64_t *order, df_error *err)
{
    ranked *items = malloc(((size_t)n + 1) * sizeof *items);
    if (!items)
        return df_no_memory(err, "rank %lld images", (long long)n);
    for (int64_t i = 0; i < n; i++)
        items[i] = (ranked){isnan(key[i]) ? -INFINITY : key[i], i};
    qsort(items, (size_t)n, sizeof *items, by_falling_key);
    for (int64_t i = 0; i < n; i++)
        order[i] = items[i].item;
    free(items);
    return DF_OK;
}

void df_rank_spread(const float *x, int64_t n, int dim, int64_t first, int64_t n_wanted,
                    float *closest, int64_t *order)
{
    /* above every cosine, so that a chosen item is never the smallest */
    static const float chosen = 4;
    for (int64_t i = 0; i < n; i++)
        closest[i] = -4;
    n_wanted = n_wanted < n ? n_wanted : n;
    for (int64_t place = 0, pick = first; place < n_wanted; place++) {
        int64_t next = -1;
        order[place] = pick;
        closest[pick] = chosen;
        for (int64_t i = 0; i < n; i++) {
            if (closest[i] >= chosen)
                continue;
            float dot = df_dot(x + (size_t)pick * (size_t)dim, x + (size_t)i * (size_t)dim, dim);
            closest[i] = dot > closest[i] ? dot : closest[i];
            if (next < 0 || closest[i] < closest[next])
                next = i;
        }
        pick = next;
    }
    for (int64_t i = 0, place = n_wanted; i < n; i++)
        if (closest[i] < chosen)
            order[place++] = i;
}

/* Sum of min(size, quota) over the clusters. It stops early once the sum is above `enough`. */
static int64_t sum_of(const int64_t *sizes, int64_t n_clusters, int64_t quota, int64_t enough)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < n_clusters && sum <= enough; i++)
        sum += sizes[i] < quota ? sizes[i] : quota;
    return sum;
}

void df_rank_quota(const int64_t *sizes, int64_t n_clusters, int64_t total, int64_t *quota,
                   int64_t *rest)
{
    /* `low` always fits into the total; above the largest size nothing changes */
    int64_t low = 0, high = 0;
    for (int64_t i = 0; i < n_clusters; i++)
        high = sizes[i] > high ? sizes[i] : high;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        if (sum_of(sizes, n_clusters, middle, total) <= total)
            low = middle;
        else
            high = middle - 1;
    }
    int64_t sum = sum_of(sizes, n_clusters, low, total),
            all = sum_of(sizes, n_clusters, INT64_MAX, total);
    *quota = low;
    *rest = all <= total ? 0 : total - sum;
}
