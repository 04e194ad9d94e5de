#include "dataset/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define JOURNAL_BYTES_MAX ((size_t)4 << 30)

struct df_journal {
    char *path, *text;
    const char **lines;
    int64_t n_lines;
    int fd;
    pthread_mutex_t lock;
};

void df_journal_close(df_journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    pthread_mutex_destroy(&j->lock);
    free(j->lines);
    free(j->text);
    free(j->path);
    free(j);
}

static df_status split_lines(df_journal *j, size_t size, df_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++)
        n += j->text[i] == '\n';
    j->lines = calloc(n + 1, sizeof *j->lines);
    if (!j->lines)
        return df_fail(err, DF_NOMEM, "read %s: out of memory", j->path);
    char *start = j->text;
    for (char *end; (end = memchr(start, '\n', (size_t)(j->text + size - start))); start = end + 1) {
        *end = '\0';
        j->lines[j->n_lines++] = start;
    }
    if (ftruncate(j->fd, start - j->text) != 0)
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
        return df_fail(err, DF_NOMEM, "open %s: out of memory", name);
    pthread_mutex_init(&j->lock, NULL);
    j->fd = -1;
    j->path = join(df_folder_path(folder), name);
    df_status status = j->path ? df_folder_open_file(folder, name, O_WRONLY | O_APPEND | O_CREAT, &j->fd, err)
                               : df_fail(err, DF_NOMEM, "open %s: out of memory", name);
    if (status == DF_OK)
        status = df_file_read(j->path, JOURNAL_BYTES_MAX, &j->text, &size, err);
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
    return j->lines[i];
}

static df_status write_all(int fd, const char *path, const char *bytes, size_t size, df_error *err)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return df_fail(err, DF_IO, "write %s: %s", path, strerror(errno));
        bytes += n;
        size -= (size_t)n;
    }
    return DF_OK;
}

df_status df_journal_append(df_journal *j, const char *line, df_error *err)
{
    size_t size = strlen(line);
    char *bytes = malloc(size + 1);
    if (!bytes)
        return df_fail(err, DF_NOMEM, "write %s: out of memory", j->path);
    memcpy(bytes, line, size);
    bytes[size] = '\n';
    pthread_mutex_lock(&j->lock);
    df_status status = write_all(j->fd, j->path, bytes, size + 1, err);
    pthread_mutex_unlock(&j->lock);
    free(bytes);
    return status;
}
