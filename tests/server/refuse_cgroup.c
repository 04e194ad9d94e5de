/* Preloaded: /proc/self/cgroup cannot be read from its n-th opening on (REFUSE_FROM, 1 unless
 * told). Nothing else changes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef int open_function(const char *path, int flags, ...);

static bool is_refused(const char *path)
{
    static int n;
    const char *from = getenv("REFUSE_FROM");
    return strcmp(path, "/proc/self/cgroup") == 0 && ++n >= (from ? atoi(from) : 1);
}

static int pass_on(const char *name, const char *path, int flags, mode_t mode)
{
    open_function *next;
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(&next, &found, sizeof next);
    if (!is_refused(path))
        return next(path, flags, mode);
    errno = EACCES;
    return -1;
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return pass_on("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return pass_on("open64", path, flags, mode);
}
