#include "base/hash.h"
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
