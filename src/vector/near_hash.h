/* Pairs of hashes that differ in few bits, without comparing all with all. Cut the 64 bits into
 * distance + 2 blocks: by the pigeonhole principle, two hashes that differ in at most `distance`
 * bits agree in at least two whole blocks. So for each pair of blocks, only hashes that agree in
 * both are compared. */
#ifndef DF_VECTOR_NEAR_HASH_H
#define DF_VECTOR_NEAR_HASH_H
#include <stdbool.h>
#include <stdint.h>

enum { DF_NEAR_HASH_DISTANCE_MAX = 10, DF_NEAR_HASH_MASKS_MAX = 66 };
/* A hash and what decides which of two similar images is better. df_near_hash_sort writes key. */
typedef struct {
    uint64_t hash, key;
    int64_t pixels, bytes, id;
} df_hashed;

/* The masks of all pairs of blocks, for a distance of at most DF_NEAR_HASH_DISTANCE_MAX; returns
 * how many. */
int df_near_hash_masks(int distance, uint64_t masks[DF_NEAR_HASH_MASKS_MAX]);
/* Whether a is the better copy: more pixels, then more bytes (of copies of one size the least
 * compressed), then the lower id. */
bool df_hashed_before(const df_hashed *a, const df_hashed *b);
/* In how many bits the two differ. */
int df_hash_distance(uint64_t a, uint64_t b);
/* Sorts items by their bits under the mask, then by df_hashed_before: items of one key are next to
 * each other. */
void df_near_hash_sort(df_hashed *items, int64_t n, uint64_t mask);
#endif
