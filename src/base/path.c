/* Prints paths into a buffer of PATH_MAX bytes. */
#include "base/path.h"

#include <stdarg.h>
#include <stdio.h>

df_status df_path(char path[PATH_MAX], df_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(path, PATH_MAX, fmt, args);
    va_end(args);
    return n >= 0 && n < PATH_MAX ? DF_OK
                                  : df_fail(err, DF_IO, "%.200s...: path is too long", path);
}
