/* SHA-256 of files that come from elsewhere and must be exactly the ones that we know. */
#ifndef DF_BASE_SHA256_H
#define DF_BASE_SHA256_H
#include "base/status.h"

enum { DF_SHA256_HEX = 65 }; /* 64 hex digits and the NUL */
/* Writes the digest in lower-case hex. */
df_status df_sha256_file(const char *path, char hex[DF_SHA256_HEX], df_error *err);
#endif
