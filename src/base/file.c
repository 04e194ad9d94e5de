/* Reads and writes whole files, retrying what may pass. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/retry.h"

/* DF_FORMAT unless it is a regular file. */
static df_status refuse_special(const char *path, const struct stat *st, df_error *err)
{
    if (S_ISREG(st->st_mode))
        return DF_OK;
    return df_fail(err, DF_FORMAT, "%s: not a regular file (%s)", path,
                   S_ISDIR(st->st_mode)    ? "a folder"
                   : S_ISFIFO(st->st_mode) ? "a named pipe"
                   : S_ISSOCK(st->st_mode) ? "a socket"
                                           : "a device");
}

df_status df_file_check(const char *path, df_error *err)
{
    struct stat st;
    int code, tries = 0;
    while ((code = stat(path, &st) == 0 ? 0 : errno) != 0 && df_retry(code, &tries))
        ;
    return code == 0 ? refuse_special(path, &st, err)
                     : df_fail(err, DF_IO, "open %s: %s", path, strerror(code));
}

static int open_once(const char *path, int *fd, struct stat *st)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd >= 0 && fstat(*fd, st) == 0)
        return 0;
    const int code = errno;
    if (*fd >= 0)
        close(*fd);
    return code;
}

/* Checks the path first, since opening a device can have an effect; then checks what was opened. */
df_status df_file_open(const char *path, int *fd, df_error *err)
{
    struct stat st;
    int file, code, tries = 0;
    DF_TRY(df_file_check(path, err));
    while ((code = open_once(path, &file, &st)) != 0 && df_retry(code, &tries))
        ;
    if (code != 0)
        return df_fail(err, DF_IO, "open %s: %s", path, strerror(code));
    df_status status = refuse_special(path, &st, err);
    if (status == DF_OK)
        *fd = file;
    else
        close(file);
    return status;
}

df_status df_file_stream(const char *path, FILE **out, df_error *err)
{
    int fd;
    DF_TRY(df_file_open(path, &fd, err));
    FILE *file = fdopen(fd, "rb");
    if (!file) {
        df_fail(err, DF_IO, "open %s: %s", path, strerror(errno));
        close(fd);
        return DF_IO;
    }
    *out = file;
    return DF_OK;
}

/* Reads an open file of at most max_bytes, and adds a NUL. */
static df_status read_all(int fd, const char *path, size_t max_bytes, char **data, size_t *size,
                          df_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
    if ((uintmax_t)st.st_size > max_bytes)
        return df_fail(err, DF_FORMAT, "%s: larger than the limit of %zu bytes", path, max_bytes);
    size_t want = (size_t)st.st_size, got = 0;
    char *bytes = malloc(want + 1);
    if (!bytes)
        return df_no_memory(err, "read %s", path);
    while (got < want) {
        ssize_t n = read(fd, bytes + got, want - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free(bytes);
            return df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    bytes[got] = '\0';
    *data = bytes;
    *size = got;
    return DF_OK;
}

df_status df_file_read(const char *path, size_t max_bytes, char **data, size_t *size, df_error *err)
{
    int fd;
    DF_TRY(df_file_open(path, &fd, err));
    df_status status = read_all(fd, path, max_bytes, data, size, err);
    close(fd);
    return status;
}

/* Syncs the folder of a file: the directory entry must reach the disk as well, or a power cut
 * undoes the rename. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    int fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

df_status df_file_commit(const char *tmp, const char *path, df_error *err)
{
    int fd = open(tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return df_fail(err, DF_IO, "open %s: %s", tmp, strerror(errno));
    bool synced = fsync(fd) == 0;
    if (close(fd) != 0 || !synced || rename(tmp, path) != 0) {
        int reason = errno;
        unlink(tmp);
        return df_fail(err, DF_IO, "write %s: %s", path, strerror(reason));
    }
    sync_folder(path);
    return DF_OK;
}

/* Makes a new file with a name of its own beside the path, so that no other file is overwritten.
 * Returns its descriptor, -1 on failure. */
static int open_beside(const char *path, char tmp[PATH_MAX])
{
    struct timespec now;
    int fd = -1;
    for (int attempt = 0; fd < 0 && attempt < 100; attempt++) {
        clock_gettime(CLOCK_REALTIME, &now);
        errno = ENAMETOOLONG;
        if (snprintf(tmp, PATH_MAX, "%s.%ld-%09ld.tmp", path, (long)getpid(), now.tv_nsec) >=
            PATH_MAX)
            return -1;
        fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    return fd;
}

int df_file_put(int fd, const void *bytes, size_t size)
{
    for (const char *rest = bytes; size > 0;) {
        ssize_t n = write(fd, rest, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        rest += n;
        size -= (size_t)n;
    }
    return 0;
}

df_status df_file_write(const char *path, const void *data, size_t size, df_error *err)
{
    char tmp[PATH_MAX];
    int fd = open_beside(path, tmp);
    if (fd < 0)
        return df_fail(err, DF_IO, "write %s: %s", path, strerror(errno));
    int reason = df_file_put(fd, data, size);
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    if (reason != 0) {
        unlink(tmp);
        return df_fail(err, DF_IO, "write %s: %s", path, strerror(reason));
    }
    return df_file_commit(tmp, path, err);
}

df_status df_file_mkdir(const char *path, df_error *err)
{
    char partial[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof partial)
        return df_fail(err, DF_IO, "make folder %s: bad path", path);
    memcpy(partial, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        char keep = partial[i];
        partial[i] = '\0';
        struct stat st;
        if (mkdir(partial, 0777) != 0 &&
            (errno != EEXIST || stat(partial, &st) != 0 || !S_ISDIR(st.st_mode)))
            return df_fail(err, DF_IO, "make folder %s: %s", path,
                           errno == EEXIST ? "a file is in the way" : strerror(errno));
        partial[i] = keep;
    }
    return DF_OK;
}

bool df_file_exists(const char *path)
{
    int tries = 0;
    while (access(path, F_OK) != 0)
        if (!df_retry(errno, &tries))
            return !df_errno_stays(errno);
    return true;
}

df_status df_file_find(const char *path, bool *found, df_error *err)
{
    int tries = 0;
    while (!(*found = access(path, F_OK) == 0)) {
        const int code = errno;
        if (code == ENOENT || code == ENOTDIR)
            return DF_OK;
        if (!df_retry(code, &tries))
            return df_fail(err, DF_IO, "open %s: %s", path, strerror(code));
    }
    return DF_OK;
}

void df_file_describe(const char *path, df_str *out)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    int code, tries = 0;
    while ((code = stat(path, &st) == 0 ? 0 : errno) != 0 && df_retry(code, &tries))
        ;
    out->failed |= code != 0 && !df_errno_stays(code);
    if (code == 0)
        df_str_printf(out, "%s %lld %lld.%09ld\n", slash ? slash + 1 : path, (long long)st.st_size,
                      (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
