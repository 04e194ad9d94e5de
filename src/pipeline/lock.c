#include "pipeline/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int open_file(const char *folder, const char *name, df_error *err)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        df_fail(err, DF_IO, "%s: path is too long", folder);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        df_fail(err, DF_IO, "open %s: %s", path, strerror(errno));
    return fd;
}

df_status df_lock_open(df_lock *out, const char *folder, bool shared, df_error *err)
{
    df_lock lock = {.run = open_file(folder, "dataset.lock", err), .plan = -1};
    if (lock.run < 0)
        return DF_IO;
    if (flock(lock.run, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        int reason = errno;
        df_lock_close(&lock);
        if (reason == EWOULDBLOCK)
            return df_fail(err, DF_IO, "%s: another densefusion run is at work there; wait for it or stop it", folder);
        return df_fail(err, DF_IO, "lock %s: %s", folder, strerror(reason));
    }
    char plan[PATH_MAX];
    if (!shared && (size_t)snprintf(plan, sizeof plan, "%s/dataset.plan.lock", folder) < sizeof plan)
        unlink(plan);                                                        /* nobody shares now */
    if (shared)
        lock.plan = open_file(folder, "dataset.plan.lock", err);
    if (shared && lock.plan < 0) {
        df_lock_close(&lock);
        return DF_IO;
    }
    *out = lock;
    return DF_OK;
}

void df_lock_plan(df_lock *lock, bool hold)
{
    if (lock->plan < 0)
        return;
    while (flock(lock->plan, hold ? LOCK_EX : LOCK_UN) != 0 && errno == EINTR)
        continue;
}

void df_lock_close(df_lock *lock)
{
    if (lock->run >= 0)
        close(lock->run);
    if (lock->plan >= 0)
        close(lock->plan);
    lock->run = lock->plan = -1;
}
