/* Paths, made in bounded memory. */
#ifndef DF_BASE_PATH_H
#define DF_BASE_PATH_H
#include <limits.h>
#include "base/status.h"

/* Prints a path. DF_IO when it does not fit: it is never cut. */
df_status df_path(char path[PATH_MAX], df_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#endif
