#include "pipeline/lock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/range_lock.h"

/* Bytes of dataset.lock. A part of a stage is PARTS + stage * PARTS_OF_STAGE + part. */
enum { RUN_BYTE, PLAN_BYTE };
#define PARTS_OF_STAGE ((int64_t)1 << 32)
#define PARTS PARTS_OF_STAGE

df_status df_lock_open(df_lock *out, const df_dataset *ds, bool shared, df_error *err)
{
    const char *folder = df_dataset_folder(ds);
    df_lock lock = {.fd = -1, .shared = shared};
    DF_TRY(df_folder_open_lock(df_dataset_files(ds), &lock.fd, err));
    /* so that none joins while another decides by being alone */
    df_lock_plan(&lock, true);
    int reason =
        df_range_lock(lock.fd, shared ? DF_RANGE_SHARED : DF_RANGE_ALONE, RUN_BYTE, 1, false);
    df_lock_plan(&lock, false);
    if (reason == 0) {
        *out = lock;
        return DF_OK;
    }
    df_lock_close(&lock);
    if (reason == EAGAIN)
        return df_fail(err, DF_IO,
                       "%s: another densefusion run is at work there; wait for it or stop it",
                       folder);
    return df_fail(err, DF_IO, "lock %s/dataset.lock: %s", folder, strerror(reason));
}

void df_lock_plan(const df_lock *lock, bool hold)
{
    if (lock->fd >= 0 && lock->shared)
        df_range_lock(lock->fd, hold ? DF_RANGE_ALONE : DF_RANGE_FREE, PLAN_BYTE, 1, true);
}

bool df_lock_is_alone(const df_lock *lock)
{
    return !lock->shared || df_range_ask(lock->fd, DF_RANGE_ALONE, RUN_BYTE, 1) == 0;
}

df_status df_lock_part(const df_lock *lock, int stage, const char *name, int part, df_error *err)
{
    if (!lock->shared)
        return DF_OK;
    int reason =
        df_range_lock(lock->fd, DF_RANGE_ALONE, PARTS + stage * PARTS_OF_STAGE + part, 1, false);
    if (reason == EAGAIN)
        return df_fail(err, DF_IO,
                       "%s: another run is at work on part %d; give other parts, or wait for it",
                       name, part);
    return reason == 0 ? DF_OK
                       : df_fail(err, DF_IO, "%s: lock part %d: %s", name, part, strerror(reason));
}

void df_lock_close(df_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
