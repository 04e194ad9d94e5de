/* Three tries after short pauses. */
#include "base/retry.h"

#include <errno.h>
#include <time.h>

bool df_errno_stays(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case EISDIR:
    case ENXIO:
    case EINVAL:
        return true;
    default:
        return false;
    }
}

bool df_retry(int code, int *tries)
{
    static const long pauses_ms[] = {10, 40, 150};
    if (df_errno_stays(code) || *tries >= (int)(sizeof pauses_ms / sizeof *pauses_ms))
        return false;
    nanosleep(&(struct timespec){.tv_nsec = pauses_ms[(*tries)++] * 1000000}, NULL);
    return true;
}
