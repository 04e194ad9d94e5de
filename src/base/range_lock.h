/* Advisory locks on ranges of a file. They belong to the open file (open file description locks of
 * Linux), so that threads and libraries do not drop each other's locks. The system drops those of a
 * killed process. */
#ifndef DF_BASE_RANGE_LOCK_H
#define DF_BASE_RANGE_LOCK_H
#include <stdbool.h>
#include <stdint.h>

typedef enum { DF_RANGE_SHARED, DF_RANGE_ALONE, DF_RANGE_FREE } df_range_kind;

/* Takes, changes or frees a lock. Returns 0 or errno; EAGAIN when another open file holds a part of
 * the range and wait is false. */
int df_range_lock(int fd, df_range_kind kind, int64_t start, int64_t n, bool wait);
/* Whether the lock could be taken now: 0, EAGAIN, or another errno. Nothing is locked. */
int df_range_ask(int fd, df_range_kind kind, int64_t start, int64_t n);
#endif
