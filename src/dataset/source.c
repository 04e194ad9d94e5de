#define _XOPEN_SOURCE 700                    /* realpath */
#include "dataset/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "io/range.h"

df_status df_source_root(const char *input, char **root, df_error *err)
{
    char *path = realpath(input, NULL);
    struct stat st;
    if (!path || stat(path, &st) != 0) {
        free(path);
        return df_fail(err, DF_IO, "open %s: %s", input, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        char *slash = strrchr(path, '/');
        slash[slash == path] = '\0';                                         /* "/file" lies in "/" */
    }
    *root = path;
    return DF_OK;
}

static bool lies_below(const char *root, const char *path)
{
    size_t n = strlen(root);
    if (n == 1)
        return path[0] == '/';
    return strncmp(root, path, n) == 0 && path[n] == '/';
}

df_status df_source_open(const char *root, const char *source, int *fd, df_error *err)
{
    char joined[PATH_MAX], path[PATH_MAX];
    if ((size_t)snprintf(joined, sizeof joined, "%s/%s", root, source) >= sizeof joined)
        return df_fail(err, DF_IO, "open %.200s: path is too long", source);
    if (!realpath(joined, path))
        return df_fail(err, DF_IO, "open %s: %s", source, strerror(errno));
    if (!lies_below(root, path))
        return df_fail(err, DF_FORMAT, "%s: lies outside the input", source);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (file < 0)
        return df_fail(err, DF_IO, "open %s: %s", source, strerror(errno));
    struct stat st;
    if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(file);
        return df_fail(err, DF_FORMAT, "%s: not a regular file", source);
    }
    *fd = file;
    return DF_OK;
}

static df_status read_piece(int fd, df_piece piece, size_t limit, uint8_t **bytes, size_t *size, int64_t *whole,
                            df_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return df_fail(err, DF_IO, "read %s: %s", piece.source, strerror(errno));
    int64_t offset = piece.offset < 0 ? 0 : piece.offset, n = piece.offset < 0 ? (int64_t)st.st_size : piece.size;
    if (n < 0 || n > (int64_t)st.st_size - offset)
        return df_fail(err, DF_FORMAT, "%s: shorter than it was", piece.source);
    size_t take = (uint64_t)n < limit ? (size_t)n : limit;
    if (take > DF_SOURCE_BYTES_MAX)
        return df_fail(err, DF_FORMAT, "%s: %lld bytes are above the limit of %d", piece.source, (long long)n,
                       DF_SOURCE_BYTES_MAX);
    DF_TRY(df_range_read(fd, piece.source, offset, take, bytes, err));
    *size = take;
    *whole = n;
    return DF_OK;
}

df_status df_source_piece(const char *root, df_piece piece, size_t limit, uint8_t **bytes, size_t *size,
                          int64_t *whole, df_error *err)
{
    int fd;
    DF_TRY(df_source_open(root, piece.source, &fd, err));
    df_status status = read_piece(fd, piece, limit, bytes, size, whole, err);
    close(fd);
    return status;
}

/* The name of the input when the row says "the input itself". */
static const char *source_name(const char *input, const char *source)
{
    const char *slash = strrchr(input, '/');
    return strcmp(source, ".") != 0 ? source : slash ? slash + 1 : input;
}

static df_status check_same(const df_table *ingest, int64_t row, const uint8_t *bytes, size_t size, df_error *err)
{
    const char *path = df_table_text(ingest, row, df_table_column(ingest, "path"));
    int of_size = df_table_column(ingest, "size"), of_hash = df_table_column(ingest, "hash");
    if (!df_table_null(ingest, row, of_size) && df_table_int(ingest, row, of_size) != (int64_t)size)
        return df_fail(err, DF_FORMAT, "%s: %zu bytes, ingest saw %lld", path, size,
                       (long long)df_table_int(ingest, row, of_size));
    if (df_table_null(ingest, row, of_hash))
        return DF_OK;
    char hex[DF_HASH_HEX];
    df_hash_hex(bytes, size, hex);
    if (strcmp(hex, df_table_text(ingest, row, of_hash)) != 0)
        return df_fail(err, DF_FORMAT, "%s: other bytes than ingest saw", path);
    return DF_OK;
}

df_status df_source_read(const df_dataset *ds, const df_table *ingest, int64_t row, uint8_t **bytes, size_t *size,
                         df_error *err)
{
    char *root = NULL;
    DF_TRY(df_source_root(df_dataset_input(ds), &root, err));
    int of_offset = df_table_column(ingest, "offset");
    df_piece piece = {
        .source = source_name(df_dataset_input(ds), df_table_text(ingest, row, df_table_column(ingest, "source"))),
        .offset = df_table_null(ingest, row, of_offset) ? DF_WHOLE_FILE : df_table_int(ingest, row, of_offset),
        .size = df_table_int(ingest, row, df_table_column(ingest, "size")),
    };
    uint8_t *data = NULL;
    size_t n = 0;
    int64_t whole;
    df_status status = df_source_piece(root, piece, SIZE_MAX, &data, &n, &whole, err);
    free(root);
    if (status == DF_OK)
        status = check_same(ingest, row, data, n, err);
    if (status != DF_OK) {
        free(data);
        return status;
    }
    *bytes = data;
    *size = n;
    return DF_OK;
}
