/* A system call that failed for a reason that may pass is tried again before anybody
 * hears of it. */
#ifndef DF_BASE_RETRY_H
#define DF_BASE_RETRY_H
#include <stdbool.h>

/* True for what an errno says of the file itself, today and tomorrow: it is not there, may not be
 * read, is of no kind that can be. All else may pass: a share that is away, a disk error, no file
 * handle left. */
bool df_errno_stays(int code);
/* code: the errno of a call that failed. True, after a short pause, when the call is to be tried
 * again. *tries: 0 at first. */
bool df_retry(int code, int *tries);
#endif
