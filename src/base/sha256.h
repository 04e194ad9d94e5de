/* SHA-256, for files that come from elsewhere and must be exactly the ones we know. */
#ifndef DF_BASE_SHA256_H
#define DF_BASE_SHA256_H
#include "base/status.h"

enum { DF_SHA256_HEX = 65 }; /* 64 hex digits and the NUL */
df_status df_sha256_file(const char *path, char hex[DF_SHA256_HEX], df_error *err);
#endif
