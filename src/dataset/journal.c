#include "dataset/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "io/range.h"

#define JOURNAL_BYTES_MAX ((off_t)4 << 30)
/* A power cut loses no more than this: of a slow stage the last second, of a fast one the last
 * lines. */
enum { SYNC_S = 1, SYNC_LINES = 64 };

struct df_journal {
    char *path, *text;
    const char **lines;
    int64_t n_lines;
    int fd;
    pthread_mutex_t lock;                    /* all below, and what is written */
    bool torn;                               /* the last line was not written whole */
    bool syncing;                            /* a thread is at it */
    int64_t unsynced;                        /* lines */
    time_t synced_s;                         /* monotonic */
};

static time_t now_s(void)
{
    return (time_t)(df_now_ns() / 1000000000);
}

void df_journal_close(df_journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0) {
        df_journal_sync(j, NULL);
        close(j->fd);
    }
    pthread_mutex_destroy(&j->lock);
    free(j->lines);
    free(j->text);
    free(j->path);
    free(j);
}

/* ---- opening ---- */

static df_status read_text(df_journal *j, size_t *size, df_error *err)
{
    struct stat st;
    if (fstat(j->fd, &st) != 0)
        return df_fail(err, DF_IO, "read %s: %s", j->path, strerror(errno));
    if (st.st_size > JOURNAL_BYTES_MAX)
        return df_fail(err, DF_FORMAT, "%s: larger than the limit of %lld bytes", j->path,
                       (long long)JOURNAL_BYTES_MAX);
    uint8_t *bytes;
    *size = (size_t)st.st_size;
    DF_TRY(df_range_read(j->fd, j->path, 0, *size, &bytes, err));
    j->text = (char *)bytes;
    return DF_OK;
}

/* Splits the text that was read into lines; a last line without an end was torn by a kill and is
 * cut off. */
static df_status split_lines(df_journal *j, size_t size, df_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++)
        n += j->text[i] == '\n';
    j->lines = calloc(n + 1, sizeof *j->lines);
    if (!j->lines)
        return df_no_memory(err, "read %s", j->path);
    char *start = j->text;
    for (char *end; (end = memchr(start, '\n', (size_t)(j->text + size - start)));
         start = end + 1) {
        *end = '\0';
        j->lines[j->n_lines++] = start;
    }
    if (start < j->text + size && ftruncate(j->fd, start - j->text) != 0)
        return df_fail(err, DF_IO, "%s: %s", j->path, strerror(errno));
    return DF_OK;
}

static char *join(const char *folder, const char *name)
{
    df_str path = {0};
    df_str_printf(&path, "%s/%s", folder, name);
    if (path.failed)
        df_str_free(&path);
    return path.data;
}

df_status df_journal_open(df_journal **out, df_folder *folder, const char *name, df_error *err)
{
    df_journal *j = calloc(1, sizeof *j);
    size_t size = 0;
    if (!j)
        return df_no_memory(err, "open %s", name);
    pthread_mutex_init(&j->lock, NULL);
    j->fd = -1;
    j->synced_s = now_s();
    j->path = join(df_folder_path(folder), name);
    df_status status =
        j->path ? df_folder_open_file(folder, name, O_RDWR | O_APPEND | O_CREAT, &j->fd, err)
                : df_no_memory(err, "open %s", name);
    if (status == DF_OK)
        status = read_text(j, &size, err);
    if (status == DF_OK)
        status = split_lines(j, size, err);
    if (status == DF_OK)
        *out = j;
    else
        df_journal_close(j);
    return status;
}

int64_t df_journal_lines(const df_journal *j)
{
    return j->n_lines;
}

const char *df_journal_line(const df_journal *j, int64_t i)
{
    assert(i >= 0 && i < j->n_lines);
    return j->lines[i];
}

/* ---- appending ---- */

/* Under the lock. A line that could not be written whole is ended before the next one, which it
 * would spoil; what is left of it is no JSON, and passed over. */
static df_status append_bytes(df_journal *j, const char *bytes, size_t size, df_error *err)
{
    int reason = j->torn ? df_file_put(j->fd, "\n", 1) : 0;
    if (reason == 0) {
        reason = df_file_put(j->fd, bytes, size);
        j->torn = reason != 0;
        j->unsynced++;
    }
    return reason == 0 ? DF_OK : df_fail(err, DF_IO, "write %s: %s", j->path, strerror(reason));
}

/* Outside of the lock, so that others append meanwhile. */
static df_status sync_lines(df_journal *j, int64_t n, df_error *err)
{
    const bool synced = fdatasync(j->fd) == 0;
    const int reason = errno;
    pthread_mutex_lock(&j->lock);
    j->syncing = false;
    j->synced_s = now_s();
    j->unsynced -= synced ? n : 0;
    pthread_mutex_unlock(&j->lock);
    return synced ? DF_OK : df_fail(err, DF_IO, "write %s: %s", j->path, strerror(reason));
}

df_status df_journal_append(df_journal *j, const char *line, df_error *err)
{
    const size_t size = strlen(line);
    char *bytes = malloc(size + 1);
    if (!bytes)
        return df_no_memory(err, "write %s", j->path);
    memcpy(bytes, line, size);
    bytes[size] = '\n';
    pthread_mutex_lock(&j->lock);
    df_status status = append_bytes(j, bytes, size + 1, err);
    const int64_t n = j->unsynced;
    const bool due =
        status == DF_OK && !j->syncing && (n >= SYNC_LINES || now_s() - j->synced_s >= SYNC_S);
    j->syncing |= due;
    pthread_mutex_unlock(&j->lock);
    free(bytes);
    return due ? sync_lines(j, n, err) : status;
}

df_status df_journal_sync(df_journal *j, df_error *err)
{
    pthread_mutex_lock(&j->lock);
    const int64_t n = j->unsynced;
    pthread_mutex_unlock(&j->lock);
    return n > 0 ? sync_lines(j, n, err) : DF_OK;
}
