/* Open file description locks by fcntl. */
#define _GNU_SOURCE                          /* for F_OFD_SETLK, which is also in POSIX.1-2024 */
#include "base/range_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct flock range_of(df_range_kind kind, int64_t start, int64_t n)
{
    static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
    return (struct flock){
        .l_type = types[kind], .l_whence = SEEK_SET, .l_start = (off_t)start, .l_len = (off_t)n};
}

int df_range_lock(int fd, df_range_kind kind, int64_t start, int64_t n, bool wait)
{
    struct flock range = range_of(kind, start, n);
    while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range) != 0)
        if (errno != EINTR)
            return errno == EACCES ? EAGAIN : errno;
    return 0;
}

int df_range_ask(int fd, df_range_kind kind, int64_t start, int64_t n)
{
    struct flock range = range_of(kind, start, n);
    while (fcntl(fd, F_OFD_GETLK, &range) != 0)
        if (errno != EINTR)
            return errno;
    return range.l_type == F_UNLCK ? 0 : EAGAIN;
}
