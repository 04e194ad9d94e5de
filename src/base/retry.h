/* Tries a system call again that failed for a reason that may pass, before the failure is
 * reported. */
#ifndef DF_BASE_RETRY_H
#define DF_BASE_RETRY_H
#include <stdbool.h>

/* Whether an errno says something lasting about the file: it does not exist, may not be read, or is
 * of a wrong kind. All other reasons may pass, as a share that is away, a disk error, or no free
 * file handle. */
bool df_errno_stays(int code);
/* Whether a failed call is to be tried again; if so, it waits a moment first. code: its errno.
 * *tries: 0 at first. */
bool df_retry(int code, int *tries);
#endif
