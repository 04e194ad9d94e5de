/* Reads and appends to the list of our files. */
#include "base/owned.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { READ_BYTES = 1 << 16, LINE_BYTES_MAX = 1 << 20 };

void df_owned_free(df_owned *o)
{
    close(o->fd);
    df_map_free(&o->index);
    df_arena_reset(&o->names);
    free(o->ours);
    *o = (df_owned){0};
}

static df_status no_memory(const char *path, df_error *err)
{
    return df_no_memory(err, "read %s", path);
}

/* Notes whether a name is ours. */
static df_status set_ours(df_owned *o, const char *name, bool ours, const char *path, df_error *err)
{
    int64_t at = df_map_find(&o->index, name, -1);
    if (at >= 0) {
        o->ours[at] = ours;
        return DF_OK;
    }
    if (o->n == o->capacity) {
        size_t capacity = o->capacity ? o->capacity * 2 : 256;
        bool *grown = realloc(o->ours, capacity * sizeof *grown);
        if (!grown)
            return no_memory(path, err);
        o->ours = grown;
        o->capacity = capacity;
    }
    const char *copy = df_arena_strdup(&o->names, name);
    if (!copy)
        return no_memory(path, err);
    DF_TRY(df_map_put(&o->index, copy, (int64_t)o->n, &at, err));
    o->ours[o->n++] = ours;
    return DF_OK;
}

/* Takes the complete lines of a text. Lines of another form are ignored: the heading, or one with a
 * zero byte after a power cut. *used: bytes of the complete lines. */
static df_status take_lines(df_owned *o, char *text, size_t size, size_t *used, const char *path,
                            df_error *err)
{
    char *line = text;
    for (char *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        *end = '\0';
        const bool whole = strlen(line) == (size_t)(end - line);
        if (whole && (line[0] == '+' || line[0] == '-') && line[1] == ' ' && line[2])
            DF_TRY(set_ours(o, line + 2, line[0] == '+', path, err));
    }
    *used = (size_t)(line - text);
    return DF_OK;
}

df_status df_owned_refresh(df_owned *o, const char *path, df_error *err)
{
    df_str rest = {0}; /* the beginning of a line that the next read completes */
    df_status status = DF_OK;
    char *bytes = malloc(READ_BYTES);
    if (!bytes)
        return no_memory(path, err);
    for (off_t at = o->read_to; status == DF_OK;) {
        ssize_t n = pread(o->fd, bytes, READ_BYTES, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
        if (n <= 0)
            break;
        at += n;
        df_str_append_n(&rest, bytes, (size_t)n);
        size_t used = 0;
        status = rest.failed ? no_memory(path, err)
                             : take_lines(o, rest.data, rest.size, &used, path, err);
        if (status == DF_OK && rest.size - used > LINE_BYTES_MAX)
            status = df_fail(err, DF_FORMAT, "%s: a line of more than %d bytes: it is damaged",
                             path, LINE_BYTES_MAX);
        if (status != DF_OK || used == 0)
            continue;
        o->read_to += (off_t)used;
        memmove(rest.data, rest.data + used, rest.size - used + 1);
        rest.size -= used;
    }
    free(bytes);
    df_str_free(&rest);
    return status;
}

df_status df_owned_init(df_owned *o, int fd, const char *path, df_error *err)
{
    *o = (df_owned){.fd = fd};
    df_status status = df_owned_refresh(o, path, err);
    if (status != DF_OK)
        df_owned_free(o);
    return status;
}

bool df_owned_has(const df_owned *o, const char *name)
{
    int64_t at = df_map_find(&o->index, name, -1);
    return at >= 0 && o->ours[at];
}

/* Appends a line in one write, so that lines of several processes do not mix. A torn last line is
 * first ended by a byte that no name has, so that its beginning does not become a claim. */
static df_status append_line(const df_owned *o, const char *name, bool ours, const char *path,
                             df_error *err)
{
    struct stat st;
    df_str line = {0};
    if (fstat(o->fd, &st) != 0)
        return df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
    char last = '\n';
    if (st.st_size > 0 && pread(o->fd, &last, 1, st.st_size - 1) != 1)
        return df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
    df_str_printf(&line, "%s%c %s\n", last == '\n' ? "" : "\x01\n", ours ? '+' : '-', name);
    if (line.failed) {
        df_str_free(&line);
        return df_no_memory(err, "write %s", path);
    }
    ssize_t n = write(o->fd, line.data, line.size);
    df_status status = DF_OK;
    if (n != (ssize_t)line.size)
        status = df_fail(err, DF_IO, "write %s: %s", path, strerror(n < 0 ? errno : ENOSPC));
    else if (ours && fdatasync(o->fd) != 0)
        status = df_fail(err, DF_IO, "write %s: %s", path, strerror(errno));
    df_str_free(&line);
    return status;
}

df_status df_owned_note(df_owned *o, const char *name, bool ours, const char *path, df_error *err)
{
    DF_TRY(append_line(o, name, ours, path, err));
    return set_ours(o, name, ours, path, err);
}
