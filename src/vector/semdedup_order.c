/* The order in which SemDeDup (arXiv 2303.09540) goes through a cluster, and its rule for removing
 * an image. */
#include "vector/semdedup.h"

#include <assert.h>
#include <stdlib.h>

#include "vector/random.h"

typedef struct {
    double key;
    uint64_t hash;
    int64_t item;
} order_key;

static int by_key(const void *a, const void *b)
{
    const order_key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static uint64_t mix(uint64_t x)
{
    return df_random_next(&(df_random){x});
}

/* What must be true of an order: every item stands in it once, so that their sum and the sum of
 * their squares are those of 0 to n - 1. */
static bool __attribute__((unused)) is_order(const int64_t *order, int64_t n)
{
    uint64_t sum = 0, squares = 0, all = 0, all_squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t item = (uint64_t)order[i], place = (uint64_t)i;
        sum += item;
        squares += item * item;
        all += place;
        all_squares += place * place;
    }
    return sum == all && squares == all_squares;
}

df_status df_semdedup_order(const double *similarity, const int64_t *id, int64_t n, df_keep keep,
                            uint64_t seed, int64_t *order, df_error *err)
{
    order_key *keys = calloc((size_t)n + 1, sizeof *keys);
    if (!keys)
        return df_no_memory(err, "order a cluster of %lld", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        keys[i].item = i;
        if (keep == DF_KEEP_RANDOM)
            keys[i].hash = mix(mix(seed) ^ (uint64_t)id[i]);
        else
            keys[i].key = keep == DF_KEEP_FARTHEST ? similarity[i] : -similarity[i];
    }
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    for (int64_t i = 0; i < n; i++)
        order[i] = keys[i].item;
    assert(is_order(order, n));
    free(keys);
    return DF_OK;
}

bool df_semdedup_removes(float similarity, double eps)
{
    return similarity > (float)(1 - eps);
}
