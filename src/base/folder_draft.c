/* The working folder of a process, and the files that are written there before they get their
 * names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/folder_state.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/range_lock.h"

/* ---- the working folder of this process ---- */

df_status df_folder_open_lock(const df_folder *f, int *fd, df_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "%s.lock", f->kind);
    *fd = openat(f->root, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    return *fd >= 0 ? DF_OK : df_folder_failed(f, "open", name, err);
}

/* Makes the working folder of this process, with a random number. The lock is taken first, since
 * other processes delete a working folder without a lock. */
static df_status begin_scratch(df_folder *f, df_error *err)
{
    if (f->scratch >= 0)
        return DF_OK;
    if (f->lock < 0)
        DF_TRY(df_folder_open_lock(f, &f->lock, err));
    int reason = EEXIST;
    for (int64_t attempt = 0;
         f->scratch < 0 && attempt < 100 && (reason == EEXIST || reason == ENOENT); attempt++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        const int64_t seed[] = {now.tv_sec, now.tv_nsec, getpid(), attempt};
        f->id = (int64_t)(df_hash_64(seed, sizeof seed) & (PROCESS_IDS - 1));
        reason = df_range_lock(f->lock, DF_RANGE_ALONE, PROCESS_BYTES + f->id, 1, false);
        if (reason == EAGAIN)
            reason = EEXIST;
        if (reason != 0)
            continue;
        f->scratch = df_folder_open_scratch(f, f->id, true);
        reason = f->scratch < 0 ? errno : 0;
        if (f->scratch < 0)
            df_range_lock(f->lock, DF_RANGE_FREE, PROCESS_BYTES + f->id, 1, false);
    }
    errno = reason;
    if (f->scratch < 0)
        return df_folder_failed(f, "make", "a working folder", err);
    df_folder_remove_left(f);
    return DF_OK;
}

static df_status path_in_scratch(const df_folder *f, const char *name, char path[PATH_MAX],
                                 df_error *err)
{
    return df_path(path, err, "%s/%s.tmp/%012llx/%s", f->path, f->kind, (unsigned long long)f->id,
                   name);
}

df_status df_folder_scratch(df_folder *f, const char *name, char path[PATH_MAX], df_error *err)
{
    pthread_mutex_lock(&f->mutex);
    df_status status = begin_scratch(f, err);
    if (status == DF_OK)
        status = path_in_scratch(f, name, path, err);
    if (status == DF_OK && mkdirat(f->scratch, name, 0777) != 0 && errno != EEXIST)
        status = df_folder_failed(f, "make", name, err);
    pthread_mutex_unlock(&f->mutex);
    return status;
}

/* ---- drafts ---- */

static df_status begin_draft(df_folder *f, const char *name, df_draft *d, df_error *err)
{
    char number[32];
    int parent;
    const char *base;
    DF_TRY(begin_scratch(f, err));
    DF_TRY(df_folder_open_parent(f, name, true, &parent, &base, err));
    df_status status = df_folder_check_free(f, parent, base, name, err);
    close(parent);
    DF_TRY(status);
    snprintf(number, sizeof number, "%lld", (long long)++f->n_drafts);
    return path_in_scratch(f, number, d->path, err);
}

df_status df_folder_draft(df_folder *f, const char *name, df_draft *out, df_error *err)
{
    df_draft d = {.folder = f};
    if ((size_t)snprintf(d.name, sizeof d.name, "%s", name) >= sizeof d.name)
        return df_fail(err, DF_IO, "%.200s: path is too long", name);
    pthread_mutex_lock(&f->mutex);
    df_status status = begin_draft(f, name, &d, err);
    pthread_mutex_unlock(&f->mutex);
    if (status == DF_OK)
        *out = d;
    return status;
}

static const char *name_in_scratch(const df_draft *d)
{
    return strrchr(d->path, '/') + 1;
}

void df_draft_drop(df_draft *d)
{
    if (d->folder)
        unlinkat(d->folder->scratch, name_in_scratch(d), 0);
    d->folder = NULL;
}

static df_status sync_draft(const df_draft *d, df_error *err)
{
    const df_folder *f = d->folder;
    int fd = openat(f->scratch, name_in_scratch(d), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return df_folder_failed(f, "write", d->name, err);
    bool synced = fsync(fd) == 0;
    int reason = errno;
    close(fd);
    errno = reason;
    return synced ? DF_OK : df_folder_failed(f, "write", d->name, err);
}

/* Gives a synced draft its name. The name is claimed before; the folder is synced afterwards, or a
 * power cut undoes the rename. */
static df_status place_draft(const df_draft *d, df_error *err)
{
    df_folder *f = d->folder;
    int parent;
    const char *base;
    DF_TRY(df_folder_open_parent(f, d->name, true, &parent, &base, err));
    pthread_mutex_lock(&f->mutex);
    df_status status = df_folder_claim(f, parent, base, d->name, err);
    pthread_mutex_unlock(&f->mutex);
    if (status == DF_OK &&
        (renameat(f->scratch, name_in_scratch(d), parent, base) != 0 || fsync(parent) != 0))
        status = df_folder_failed(f, "write", d->name, err);
    close(parent);
    return status;
}

df_status df_draft_commit(df_draft *d, df_error *err)
{
    df_status status = sync_draft(d, err);
    if (status == DF_OK)
        status = place_draft(d, err);
    if (status != DF_OK)
        df_draft_drop(d);
    d->folder = NULL;
    return status;
}

static df_status write_bytes(const df_draft *d, const char *bytes, size_t size, df_error *err)
{
    int fd = openat(d->folder->scratch, name_in_scratch(d),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return df_folder_failed(d->folder, "write", d->name, err);
    int reason = df_file_put(fd, bytes, size);
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    errno = reason;
    return reason == 0 ? DF_OK : df_folder_failed(d->folder, "write", d->name, err);
}

df_status df_folder_write(df_folder *f, const char *name, const void *data, size_t size,
                          df_error *err)
{
    df_draft d;
    DF_TRY(df_folder_draft(f, name, &d, err));
    df_status status = write_bytes(&d, data, size, err);
    if (status == DF_OK)
        return df_draft_commit(&d, err);
    df_draft_drop(&d);
    return status;
}

df_status df_folder_replace_list(df_folder *f, const char *text, size_t size, df_error *err)
{
    df_draft d = {.folder = f};
    pthread_mutex_lock(&f->mutex);
    df_status status = begin_scratch(f, err);
    snprintf(d.name, sizeof d.name, "%s.files", f->kind);
    if (status == DF_OK)
        status = path_in_scratch(f, "files", d.path, err);
    if (status == DF_OK)
        status = write_bytes(&d, text, size, err);
    if (status == DF_OK)
        status = sync_draft(&d, err);
    if (status == DF_OK &&
        (renameat(f->scratch, "files", f->root, d.name) != 0 || fsync(f->root) != 0))
        status = df_folder_failed(f, "write", d.name, err);
    if (status == DF_OK && f->has_list)
        df_owned_free(&f->owned);
    f->has_list = f->has_list && status != DF_OK;
    pthread_mutex_unlock(&f->mutex);
    return status;
}

/* ---- shared files ---- */

/* Copies a file's bytes into a draft. */
static df_status copy_file(const df_draft *d, const char *source, df_error *err)
{
    char bytes[1 << 16];
    int from = open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (from < 0)
        return df_fail(err, DF_IO, "open %s: %s", source, strerror(errno));
    int to = openat(d->folder->scratch, name_in_scratch(d),
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    int reason = to < 0 ? errno : 0;
    for (ssize_t n = 1; reason == 0 && n != 0;) {
        n = read(from, bytes, sizeof bytes);
        reason = n < 0 ? errno : df_file_put(to, bytes, (size_t)n);
    }
    close(from);
    if (to >= 0 && close(to) != 0 && reason == 0)
        reason = errno;
    errno = reason;
    return reason == 0 ? DF_OK : df_folder_failed(d->folder, "write", d->name, err);
}

df_status df_folder_share(df_folder *f, const char *source, const char *name, df_error *err)
{
    df_draft d;
    DF_TRY(df_folder_draft(f, name, &d, err));
    df_status status = linkat(AT_FDCWD, source, f->scratch, name_in_scratch(&d), 0) == 0
                           ? DF_OK
                           : copy_file(&d, source, err);
    if (status == DF_OK)
        return df_draft_commit(&d, err);
    df_draft_drop(&d);
    return status;
}
