#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

df_status df_fail(df_error *err, df_status status, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(err->message, sizeof err->message, fmt, args);
        va_end(args);
    }
    return status;
}
