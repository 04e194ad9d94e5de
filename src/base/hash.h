/* Hashes of contents (XXH3), to recognise them and their changes. Not for security. */
#ifndef DF_BASE_HASH_H
#define DF_BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

enum { DF_HASH_HEX = 33 }; /* 32 hex digits and the NUL */
/* XXH3-128 in lower-case hex, high half first, as `xxhsum -H128` prints it. */
void df_hash_hex(const void *bytes, size_t size, char hex[DF_HASH_HEX]);
uint64_t df_hash_64(const void *bytes, size_t size);
/* The same of bytes that come piece by piece: no memory is needed to put them together. */
typedef struct {
    _Alignas(64) unsigned char state[576];
} df_hasher;
void df_hasher_begin(df_hasher *h);
void df_hasher_add(df_hasher *h, const void *bytes, size_t size);
uint64_t df_hasher_end(const df_hasher *h);
#endif
