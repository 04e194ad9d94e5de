/* Finds pairs of 64-bit perceptual hashes that differ in few bits, by sorting under masks. */
#include "vector/near_hash.h"

#include <stdlib.h>

/* Mask of block i, which takes every n_blocks-th bit: neighbouring bits of a picture's hash are
 * alike, so they go to different blocks. */
static uint64_t block(int i, int n_blocks)
{
    uint64_t mask = 0;
    for (int bit = i; bit < 64; bit += n_blocks)
        mask |= (uint64_t)1 << bit;
    return mask;
}

int df_near_hash_masks(int distance, uint64_t masks[DF_NEAR_HASH_MASKS_MAX])
{
    int n_blocks = distance + 2, n = 0;
    for (int i = 0; i < n_blocks; i++)
        for (int j = i + 1; j < n_blocks; j++)
            masks[n++] = block(i, n_blocks) | block(j, n_blocks);
    return n;
}

bool df_hashed_before(const df_hashed *a, const df_hashed *b)
{
    if (a->pixels != b->pixels)
        return a->pixels > b->pixels;
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->id < b->id;
}

/* Counts the bits that differ (Hamming distance), by adding neighbouring fields of 1, 2 and 4
 * bits. */
int df_hash_distance(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ b;
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

static int by_key(const void *a, const void *b)
{
    const df_hashed *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return df_hashed_before(x, y) ? -1 : df_hashed_before(y, x);
}

void df_near_hash_sort(df_hashed *items, int64_t n, uint64_t mask)
{
    for (int64_t i = 0; i < n; i++)
        items[i].key = items[i].hash & mask;
    qsort(items, (size_t)n, sizeof *items, by_key);
}
