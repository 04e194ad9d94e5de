/* The only file that knows xxHash. */
#include "base/hash.h"
#define XXH_STATIC_LINKING_ONLY              /* the size of a state */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

void df_hash_hex(const void *bytes, size_t size, char hex[DF_HASH_HEX])
{
    XXH128_hash_t h = XXH3_128bits(bytes, size);
    snprintf(hex, DF_HASH_HEX, "%016" PRIx64 "%016" PRIx64, (uint64_t)h.high64, (uint64_t)h.low64);
}

uint64_t df_hash_64(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

static_assert(sizeof(df_hasher) >= sizeof(XXH3_state_t), "a state fits");

void df_hasher_begin(df_hasher *h)
{
    XXH3_INITSTATE((XXH3_state_t *)(void *)h->state);
    XXH3_64bits_reset((XXH3_state_t *)(void *)h->state);
}

void df_hasher_add(df_hasher *h, const void *bytes, size_t size)
{
    XXH3_64bits_update((XXH3_state_t *)(void *)h->state, bytes, size);
}

uint64_t df_hasher_end(const df_hasher *h)
{
    return XXH3_64bits_digest((const XXH3_state_t *)(const void *)h->state);
}
