#define _XOPEN_SOURCE 700                    /* realpath */
#include "tables/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/retry.h"
#include "io/range.h"
#include "tables/ingest.h"

#define SEE "see that the input is there, and run again"
#define COME_BACK "bring it back (is it mounted?) and run again"

df_status df_source_root(const char *input, char **root, df_error *err)
{
    char *path;
    struct stat st;
    int tries = 0;
    while (!(path = realpath(input, NULL)) || stat(path, &st) != 0) {
        int code = errno;
        free(path);
        if (!df_retry(code, &tries))
            return df_fail(err, DF_IO, "open %s: %s", input, strerror(code));
    }
    if (!S_ISDIR(st.st_mode)) {
        char *slash = strrchr(path, '/');
        /* "/file" lies in "/" */
        slash[slash == path] = '\0';
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

enum { OUTSIDE = -1, IRREGULAR = -2 };       /* beside the errno of what failed */

/* Opens a regular file below root; 0, or why not. */
static int try_open(const char *root, const char *joined, int *fd)
{
    char path[PATH_MAX];
    struct stat st;
    if (!realpath(joined, path))
        return errno;
    if (!lies_below(root, path))
        return OUTSIDE;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (file < 0)
        return errno;
    int code = fstat(file, &st) != 0 ? errno : S_ISREG(st.st_mode) ? 0 : IRREGULAR;
    if (code == 0)
        *fd = file;
    else
        close(file);
    return code;
}

static bool join(const char *root, const char *source, char joined[PATH_MAX])
{
    return (size_t)snprintf(joined, PATH_MAX, "%s/%s", root, source) < PATH_MAX;
}

/* The errno of the folder's first entry, 0 when there is one, ENODATA when it is empty. */
static int first_entry(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return errno;
    const struct dirent *e;
    do
        errno = 0;
    while ((e = readdir(dir)) && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
    int code = e ? 0 : errno ? errno : ENODATA;
    closedir(dir);
    return code;
}

df_status df_source_absent(const char *root, const char *source, df_error *err)
{
    char folder[PATH_MAX];
    const size_t top = strlen(root);
    int code = ENOENT, tries = 0;
    if (!join(root, source, folder))
        return DF_OK;
    /* up, to a folder that is there */
    while (code != 0 && df_errno_stays(code) && strlen(folder) > top) {
        char *slash = strrchr(folder, '/');
        slash[slash == folder] = '\0';
        while ((code = first_entry(folder)) != 0 && code != ENODATA && df_retry(code, &tries))
            ;
    }
    if (code == 0)
        return DF_OK;
    return code == ENODATA ? df_fail(err, DF_IO,
                                     "%s is there, but empty: " COME_BACK
                                     "; remove it when its images are gone for "
                                     "good",
                                     folder)
                           : df_fail(err, DF_IO, "open %s: %s: " COME_BACK, folder, strerror(code));
}

df_status df_source_open(const char *root, const char *source, int *fd, df_error *err)
{
    char joined[PATH_MAX];
    int code, tries = 0;
    if (!join(root, source, joined))
        return df_fail(err, DF_MISSING, "open %.200s: path is too long", source);
    while ((code = try_open(root, joined, fd)) > 0 && df_retry(code, &tries))
        ;
    if (code == 0)
        return DF_OK;
    if (code < 0)
        return df_fail(err, DF_FORMAT, "%s: %s", source,
                       code == OUTSIDE ? "lies outside the input" : "not a regular file");
    if (!df_errno_stays(code))
        return df_fail(err, DF_IO, "open %s: %s: " SEE, joined, strerror(code));
    DF_TRY(df_source_absent(root, source, err));
    return df_fail(err, DF_MISSING, "open %s: %s", source, strerror(code));
}

/* Reads a piece of an open file, at most `limit` bytes of it; *whole: as many as it has. */
static df_status read_piece(int fd, df_piece piece, size_t limit, uint8_t **bytes, size_t *size,
                            int64_t *whole, df_error *err)
{
    struct stat st;
    int tries = 0;
    while (fstat(fd, &st) != 0)
        if (!df_retry(errno, &tries))
            return df_fail(err, DF_IO, "read %s: %s", piece.source, strerror(errno));
    int64_t offset = piece.offset < 0 ? 0 : piece.offset,
            n = piece.offset < 0 ? (int64_t)st.st_size : piece.size;
    if (n < 0 || n > (int64_t)st.st_size - offset)
        return df_fail(err, DF_FORMAT, "%s: shorter than it was", piece.source);
    size_t take = (uint64_t)n < limit ? (size_t)n : limit;
    if (take > DF_SOURCE_BYTES_MAX)
        return df_fail(err, DF_FORMAT, "%s: %lld bytes are above the limit of %d", piece.source,
                       (long long)n, DF_SOURCE_BYTES_MAX);
    DF_TRY(df_range_read(fd, piece.source, offset, take, bytes, err));
    *size = take;
    *whole = n;
    return DF_OK;
}

df_status df_source_piece(const char *root, df_piece piece, size_t limit, uint8_t **bytes,
                          size_t *size, int64_t *whole, df_error *err)
{
    int fd;
    DF_TRY(df_source_open(root, piece.source, &fd, err));
    df_error why = {""};
    df_status status = read_piece(fd, piece, limit, bytes, size, whole, &why);
    close(fd);
    return status == DF_OK
               ? DF_OK
               : df_fail(err, status, "%s%s", why.message, status == DF_IO ? ": " SEE : "");
}

/* The name of the input when the row says "the input itself". */
static const char *source_name(const char *input, const char *source)
{
    const char *slash = strrchr(input, '/');
    return strcmp(source, ".") != 0 ? source : slash ? slash + 1 : input;
}

static df_status check_same(const df_table *ingest, int64_t row, const uint8_t *bytes, size_t size,
                            df_error *err)
{
    const char *path = df_table_text(ingest, row, DF_INGEST_PATH);
    if (!df_table_null(ingest, row, DF_INGEST_SIZE) &&
        df_table_int(ingest, row, DF_INGEST_SIZE) != (int64_t)size)
        return df_fail(err, DF_FORMAT, "%s: %zu bytes, ingest saw %lld", path, size,
                       (long long)df_table_int(ingest, row, DF_INGEST_SIZE));
    if (df_table_null(ingest, row, DF_INGEST_HASH))
        return DF_OK;
    char hex[DF_HASH_HEX];
    df_hash_hex(bytes, size, hex);
    if (strcmp(hex, df_table_text(ingest, row, DF_INGEST_HASH)) != 0)
        return df_fail(err, DF_FORMAT, "%s: other bytes than ingest saw", path);
    return DF_OK;
}

/* The file that holds a row's bytes; NULL when ingest found none. */
static const char *source_of(const df_dataset *ds, const df_table *ingest, int64_t row)
{
    const char *source = df_table_text(ingest, row, DF_INGEST_SOURCE);
    bool fine = df_table_null(ingest, row, DF_INGEST_PROBLEM);
    return fine && source[0] ? source_name(df_dataset_input(ds), source) : NULL;
}

static bool is_there(const char *root, const char *source)
{
    char joined[PATH_MAX];
    int fd;
    if (!join(root, source, joined) || try_open(root, joined, &fd) != 0)
        return false;
    close(fd);
    return true;
}

/* Whether only the row's own file is missing. Where a tar is, or every image of a part, the input
 * is away: nothing is known of its images. An empty file in the place of one that is gone for good
 * ends the doubt. */
static df_status believe_missing(const df_dataset *ds, const char *root, const df_table *ingest,
                                 int64_t row, df_error *err)
{
    static const char *const gone = "; an empty file in its place says that it is gone for good";
    const char *source = df_table_text(ingest, row, DF_INGEST_SOURCE);
    int64_t n_others = 0;
    if (!df_table_null(ingest, row, DF_INGEST_OFFSET))
        return df_fail(err, DF_IO, "%s/%s, which holds many images, is not there: " COME_BACK "%s",
                       root, source, gone);
    for (int64_t i = 0; i < df_table_rows(ingest); i++) {
        const char *other = i == row ? NULL : source_of(ds, ingest, i);
        if (other && is_there(root, other))
            return DF_OK;
        n_others += other != NULL;
    }
    if (n_others == 0)
        return DF_OK;
    return df_fail(err, DF_IO,
                   "%s/%s is not there, nor are the %lld images beside it: " COME_BACK "%s", root,
                   source, (long long)n_others, gone);
}

df_status df_source_read(const df_dataset *ds, const df_table *ingest, int64_t row, uint8_t **bytes,
                         size_t *size, df_error *err)
{
    char *root = NULL;
    df_error why = {""};
    df_status status = df_source_root(df_dataset_input(ds), &root, &why);
    if (status != DF_OK)
        return df_fail(err, status, "%s: " COME_BACK, why.message);
    df_piece piece = {
        .source = source_name(df_dataset_input(ds), df_table_text(ingest, row, DF_INGEST_SOURCE)),
        .offset = df_table_null(ingest, row, DF_INGEST_OFFSET)
                      ? DF_WHOLE_FILE
                      : df_table_int(ingest, row, DF_INGEST_OFFSET),
        .size = df_table_int(ingest, row, DF_INGEST_SIZE),
    };
    uint8_t *data = NULL;
    size_t n = 0;
    int64_t whole;
    status = df_source_piece(root, piece, SIZE_MAX, &data, &n, &whole, err);
    if (status == DF_MISSING) {
        df_status believed = believe_missing(ds, root, ingest, row, err);
        status = believed == DF_OK ? status : believed;
    }
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
