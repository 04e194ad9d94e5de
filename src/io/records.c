/* An array of records in a file, read and written by offset. */
#include "io/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct df_records {
    int fd;
    char *path;
    size_t record_bytes;
    int64_t n;
    bool fresh;
};

/* Fills the file with zeros unless it has its size already. They are written rather than left as
 * holes: each record in a hole costs the file system a block, and a run twice the time. A file that
 * a kill left short is filled again. */
static df_status fit(df_records *r, df_error *err)
{
    static const char zeros[1 << 16];
    struct stat st;
    off_t size = (off_t)((size_t)r->n * r->record_bytes), at = 0;
    if (fstat(r->fd, &st) != 0)
        return df_fail(err, DF_IO, "open %s: %s", r->path, strerror(errno));
    if (st.st_size == size)
        return DF_OK;
    r->fresh = true;
    if (ftruncate(r->fd, 0) != 0)
        return df_fail(err, DF_IO, "make %s: %s", r->path, strerror(errno));
    while (at < size) {
        size_t piece = size - at < (off_t)sizeof zeros ? (size_t)(size - at) : sizeof zeros;
        ssize_t n = pwrite(r->fd, zeros, piece, at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return df_fail(err, DF_IO, "make %s: %s", r->path, strerror(n < 0 ? errno : ENOSPC));
        at += n > 0 ? n : 0;
    }
    return DF_OK;
}

df_status df_records_open(df_records **out, df_folder *folder, const char *name,
                          size_t record_bytes, int64_t n, df_error *err)
{
    df_records *r = calloc(1, sizeof *r);
    if (!r)
        return df_no_memory(err, "open %s", name);
    *r = (df_records){.fd = -1, .path = strdup(name), .record_bytes = record_bytes, .n = n};
    df_status status = r->path ? df_folder_open_file(folder, name, O_RDWR | O_CREAT, &r->fd, err)
                               : df_no_memory(err, "open %s", name);
    if (status == DF_OK)
        status = fit(r, err);
    if (status == DF_OK)
        *out = r;
    else
        df_records_close(r);
    return status;
}

void df_records_close(df_records *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    free(r->path);
    free(r);
}

bool df_records_fresh(const df_records *r)
{
    return r->fresh;
}

/* Checks the range, which may come from a damaged file. */
static df_status check_range(const df_records *r, int64_t first, int64_t count, df_error *err)
{
    if (first >= 0 && count >= 0 && first <= r->n && count <= r->n - first)
        return DF_OK;
    return df_fail(err, DF_FORMAT,
                   "%s: there is no record %lld of its %lld: it, or a file beside it, is damaged: "
                   "remove them and run again",
                   r->path, (long long)first, (long long)r->n);
}

df_status df_records_read(const df_records *r, int64_t first, int64_t count, void *out,
                          df_error *err)
{
    DF_TRY(check_range(r, first, count, err));
    char *to = out;
    size_t left = (size_t)count * r->record_bytes;
    off_t at = (off_t)((size_t)first * r->record_bytes);
    while (left > 0) {
        ssize_t n = pread(r->fd, to, left, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return df_fail(err, DF_IO, "read %s: %s", r->path,
                           n < 0 ? strerror(errno) : "it was cut");
        to += n;
        at += n;
        left -= (size_t)n;
    }
    return DF_OK;
}

df_status df_records_write(const df_records *r, int64_t first, int64_t count, const void *records,
                           df_error *err)
{
    DF_TRY(check_range(r, first, count, err));
    const char *from = records;
    size_t left = (size_t)count * r->record_bytes;
    off_t at = (off_t)((size_t)first * r->record_bytes);
    while (left > 0) {
        ssize_t n = pwrite(r->fd, from, left, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return df_fail(err, DF_IO, "write %s: %s", r->path, strerror(n < 0 ? errno : ENOSPC));
        from += n;
        at += n;
        left -= (size_t)n;
    }
    return DF_OK;
}

df_status df_records_sync(const df_records *r, df_error *err)
{
    return fdatasync(r->fd) == 0 ? DF_OK
                                 : df_fail(err, DF_IO, "write %s: %s", r->path, strerror(errno));
}
