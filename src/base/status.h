/* Errors: a status by value, the words by pointer. The function that finds an error writes the
 * message; the functions that pass it on add nothing. */
#ifndef DF_BASE_STATUS_H
#define DF_BASE_STATUS_H
#include <stdbool.h>
#include "densefusion.h"

/* Writes the message (err may be NULL) and returns status, so that callers write: return
 * df_fail(err, DF_IO, ...). The message is one printable line (df_printable), whatever names and
 * foreign text are put into it. The message that it replaces may be one of the arguments. */
df_status df_fail(df_error *err, df_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* DF_NOMEM. The message is what fmt says, then ": out of memory"; fmt says what was being done, to
 * which file. NULL: the message is "out of memory" alone, and a caller says the rest. */
df_status df_no_memory(df_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* DF_STOPPED, with its message: the user has asked for it. */
df_status df_stopped(df_error *err);

/* Whether a status describes one image, for good: it has no bytes (DF_MISSING), or bad ones
 * (DF_FORMAT). It becomes the reason in that image's row, and the run goes on. Every other failure
 * may pass or is no image's fault, and stops the stage. */
static inline bool df_is_of_one_image(df_status status)
{
    return status == DF_MISSING || status == DF_FORMAT;
}

#define DF_TRY(call)                                                                               \
    do {                                                                                           \
        df_status s_ = (call);                                                                     \
        if (s_ != DF_OK)                                                                           \
            return s_;                                                                             \
    } while (0)
#endif
