/* Writes error messages. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* more than a message holds, so that it is cut after a whole character */
enum { WORDS_MAX = 2048 };

df_status df_fail(df_error *err, df_status status, const char *fmt, ...)
{
    if (err) {
        char words[WORDS_MAX] = "";
        va_list args;
        va_start(args, fmt);
        vsnprintf(words, sizeof words, fmt, args);
        va_end(args);
        df_printable(words, strlen(words), err->message, sizeof err->message);
    }
    return status;
}

df_status df_no_memory(df_error *err, const char *fmt, ...)
{
    char doing[WORDS_MAX] = "";
    if (fmt) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(doing, sizeof doing, fmt, args);
        va_end(args);
    }
    return df_fail(err, DF_NOMEM, "%s%sout of memory", doing, fmt ? ": " : "");
}

df_status df_stopped(df_error *err)
{
    return df_fail(err, DF_STOPPED, "stopped");
}
