/* Reads and writes .npy files; the header, a Python dictionary, is parsed by hand. */
#include "io/npy.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/retry.h"

/* The header is "\x93NUMPY", the version, the length of the dictionary (2 bytes in version 1, 4 in
 * versions 2 and 3), and the dictionary as Python prints it, padded with spaces to a line break. */
static const char magic[6] = "\x93NUMPY";
enum { WRITTEN_HEADER = 128 }; /* the size that NumPy writes for a matrix, too */
static const struct {
    const char *descr;
    size_t bytes;
} types[] = {{"<f2", 2}, {"<f4", 4}, {"<f8", 8}};

size_t df_npy_row_bytes(df_npy_shape shape)
{
    return (size_t)shape.dim * types[shape.type].bytes;
}

/* ---- the header ---- */

typedef struct {
    const char *at, *end;
} text;

static void skip_space(text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t'))
        t->at++;
}

static bool take_char(text *t, char c)
{
    skip_space(t);
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool take_word(text *t, const char *word)
{
    size_t n = strlen(word);
    skip_space(t);
    if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

static bool take_string(text *t, char *out, size_t size)
{
    size_t n = 0;
    skip_space(t);
    if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
        return false;
    char quote = *t->at++;
    for (; t->at < t->end && *t->at != quote && n + 1 < size; t->at++)
        out[n++] = *t->at;
    out[n] = '\0';
    return take_char(t, quote);
}

static bool take_number(text *t, int64_t *out)
{
    int64_t value = 0;
    skip_space(t);
    const char *first = t->at;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *t->at - '0', &value))
            return false;
    if (t->at < t->end && *t->at == 'L') /* Python 2 */
        t->at++;
    *out = value;
    return t->at > first;
}

/* Parses (n,), (n, m), () and longer shapes; the first two numbers are kept. */
static bool take_shape(text *t, int64_t size[2], int *n_dims)
{
    *n_dims = 0;
    if (!take_char(t, '('))
        return false;
    while (!take_char(t, ')')) {
        int64_t value;
        if (!take_number(t, &value))
            return false;
        if (*n_dims < 2)
            size[*n_dims] = value;
        if (*n_dims < 32)
            ++*n_dims;
        if (!take_char(t, ','))
            return take_char(t, ')');
    }
    return true;
}

typedef struct {
    char descr[16];
    bool fortran;
    int64_t size[2];
    int n_dims;
    unsigned seen;
} dictionary;

/* Reads one entry of the header's dictionary. */
static bool take_entry(text *t, dictionary *d)
{
    char key[16];
    if (!take_string(t, key, sizeof key) || !take_char(t, ':'))
        return false;
    if (strcmp(key, "descr") == 0) {
        d->seen |= 1;
        return take_string(t, d->descr, sizeof d->descr);
    }
    if (strcmp(key, "fortran_order") == 0) {
        d->seen |= 2;
        d->fortran = take_word(t, "True");
        return d->fortran || take_word(t, "False");
    }
    d->seen |= 4;
    return strcmp(key, "shape") == 0 && take_shape(t, d->size, &d->n_dims);
}

/* Reads the dictionary of a .npy header: a Python literal of three keys. */
static bool take_dictionary(text *t, dictionary *d)
{
    if (!take_char(t, '{'))
        return false;
    while (!take_char(t, '}')) {
        if (!take_entry(t, d))
            return false;
        if (take_char(t, ','))
            continue;
        if (!take_char(t, '}'))
            return false;
        break;
    }
    skip_space(t);
    return t->at == t->end && d->seen == 7;
}

/* Checks that a header describes a matrix [rows, dim] of floats in C order. */
static df_status matrix_of(const dictionary *d, const char *name, df_npy_shape *shape,
                           df_error *err)
{
    int type = 0;
    while (type < 3 && strcmp(d->descr, types[type].descr) != 0)
        type++;
    if (type == 3)
        return df_fail(
            err, DF_FORMAT,
            "%s: values of type \"%s\"; float16, float32 or float64, little-endian, is read", name,
            d->descr);
    if (d->n_dims != 2 || d->fortran)
        return df_fail(err, DF_FORMAT,
                       "%s: %d dimensions%s; a matrix [rows, dim] in C order is read", name,
                       d->n_dims, d->fortran ? " in Fortran order" : "");
    int64_t bytes;
    if (d->size[1] > DF_NPY_DIM_MAX ||
        __builtin_mul_overflow(d->size[0], d->size[1] * (int64_t)types[type].bytes, &bytes) ||
        bytes > INT64_MAX - DF_NPY_HEADER_MAX)
        return df_fail(err, DF_FORMAT, "%s: a matrix of %lld x %lld", name, (long long)d->size[0],
                       (long long)d->size[1]);
    *shape = (df_npy_shape){(df_npy_type)type, d->size[0], d->size[1]};
    return DF_OK;
}

df_status df_npy_parse(const uint8_t *bytes, size_t size, const char *name, df_npy_shape *shape,
                       size_t *offset, df_error *err)
{
    if (size < 12 || memcmp(bytes, magic, sizeof magic) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return df_fail(err, DF_FORMAT, "%s: not an .npy file", name);
    size_t before = bytes[6] == 1 ? 10 : 12, length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > DF_NPY_HEADER_MAX - before || length > size - before)
        return df_fail(err, DF_FORMAT, "%s: cut in its .npy header, or the header is broken", name);
    dictionary d = {.seen = 0};
    text t = {(const char *)bytes + before, (const char *)bytes + before + length};
    if (!take_dictionary(&t, &d))
        return df_fail(err, DF_FORMAT, "%s: a broken .npy header", name);
    DF_TRY(matrix_of(&d, name, shape, err));
    *offset = before + length;
    return DF_OK;
}

/* ---- reading ---- */

struct df_npy {
    char *path;
    int fd;
    df_npy_shape shape;
    size_t offset;
};

/* Reads up to `size` bytes; *got is fewer at the end of the file. */
static df_status read_at(int fd, const char *path, void *out, size_t size, int64_t offset,
                         size_t *got, df_error *err)
{
    int tries = 0;
    for (*got = 0; *got < size;) {
        ssize_t n = pread(fd, (char *)out + *got, size - *got, (off_t)(offset + (int64_t)*got));
        if (n < 0 && df_retry(errno, &tries))
            continue;
        if (n < 0)
            return df_fail(err, DF_IO, "read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return DF_OK;
}

/* Reads the header and checks that the file is as long as it says. */
static df_status read_header(df_npy *npy, df_error *err)
{
    struct stat st;
    if (fstat(npy->fd, &st) != 0)
        return df_fail(err, DF_IO, "open %s: %s", npy->path, strerror(errno));
    size_t got;
    uint8_t *bytes = malloc(DF_NPY_HEADER_MAX);
    if (!bytes)
        return df_no_memory(err, "open %s", npy->path);
    df_status status = read_at(npy->fd, npy->path, bytes, DF_NPY_HEADER_MAX, 0, &got, err);
    if (status == DF_OK)
        status = df_npy_parse(bytes, got, npy->path, &npy->shape, &npy->offset, err);
    free(bytes);
    DF_TRY(status);
    int64_t want = npy->shape.rows * (int64_t)df_npy_row_bytes(npy->shape);
    if ((int64_t)st.st_size - (int64_t)npy->offset < want)
        return df_fail(err, DF_FORMAT, "%s: cut: %lld bytes where %lld x %lld values take %lld",
                       npy->path, (long long)st.st_size, (long long)npy->shape.rows,
                       (long long)npy->shape.dim, (long long)(want + (int64_t)npy->offset));
    return DF_OK;
}

df_status df_npy_open(df_npy **out, const char *path, df_error *err)
{
    df_npy *npy = calloc(1, sizeof *npy);
    if (!npy)
        return df_no_memory(err, "open %s", path);
    npy->path = strdup(path);
    npy->fd = -1;
    df_status status =
        npy->path ? df_file_open(path, &npy->fd, err) : df_no_memory(err, "open %s", path);
    if (status == DF_OK)
        status = read_header(npy, err);
    if (status == DF_OK)
        *out = npy;
    else
        df_npy_close(npy);
    return status;
}

void df_npy_close(df_npy *npy)
{
    if (!npy)
        return;
    if (npy->fd >= 0)
        close(npy->fd);
    free(npy->path);
    free(npy);
}

df_npy_shape df_npy_shape_of(const df_npy *npy)
{
    return npy->shape;
}

df_status df_npy_read(const df_npy *npy, int64_t first, int64_t n, void *out, df_error *err)
{
    size_t row = df_npy_row_bytes(npy->shape), got;
    if (first < 0 || n < 0 || first > npy->shape.rows || n > npy->shape.rows - first)
        return df_fail(err, DF_FORMAT, "%s: %lld rows from row %lld on, of %lld", npy->path,
                       (long long)n, (long long)first, (long long)npy->shape.rows);
    DF_TRY(read_at(npy->fd, npy->path, out, (size_t)n * row,
                   (int64_t)npy->offset + first * (int64_t)row, &got, err));
    return got == (size_t)n * row ? DF_OK
                                  : df_fail(err, DF_FORMAT, "read %s: cut short", npy->path);
}

/* ---- writing ---- */

struct df_npy_writer {
    char *path;
    FILE *file;
    df_npy_shape shape;
};

static df_status write_failed(const df_npy_writer *w, df_error *err)
{
    return df_fail(err, DF_IO, "write %s: %s", w->path, strerror(errno));
}

static void fill_header(df_npy_shape shape, char header[WRITTEN_HEADER])
{
    char words[WRITTEN_HEADER];
    int n = snprintf(words, sizeof words,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%lld, %lld), }",
                     types[shape.type].descr, (long long)shape.rows, (long long)shape.dim);
    memset(header, ' ', WRITTEN_HEADER);
    memcpy(header, magic, sizeof magic);
    memcpy(header + 6, "\x01\x00", 2);
    header[8] = (char)(WRITTEN_HEADER - 10);
    header[9] = 0;
    memcpy(header + 10, words, (size_t)n); /* at most 104 bytes, with 20 + 20 digits */
    header[WRITTEN_HEADER - 1] = '\n';
}

static df_status begin_file(df_npy_writer *w, df_error *err)
{
    char header[WRITTEN_HEADER];
    w->file = fopen(w->path, "wbe");
    if (!w->file)
        return write_failed(w, err);
    fill_header(w->shape, header);
    return fwrite(header, 1, sizeof header, w->file) == sizeof header ? DF_OK
                                                                      : write_failed(w, err);
}

df_status df_npy_create(df_npy_writer **out, const char *path, df_npy_type type, int64_t dim,
                        df_error *err)
{
    if (dim < 0 || dim > DF_NPY_DIM_MAX)
        return df_fail(err, DF_CONFIG, "write %s: %lld values a row", path, (long long)dim);
    df_npy_writer *w = calloc(1, sizeof *w);
    if (!w)
        return df_no_memory(err, "write %s", path);
    w->shape = (df_npy_shape){type, 0, dim};
    w->path = strdup(path);
    df_status status = w->path ? begin_file(w, err) : df_no_memory(err, "write %s", path);
    if (status == DF_OK)
        *out = w;
    else
        df_npy_writer_close(w);
    return status;
}

df_status df_npy_append(df_npy_writer *w, const void *rows, int64_t n, df_error *err)
{
    size_t row = df_npy_row_bytes(w->shape), count = (size_t)n * row;
    if (fwrite(rows, 1, count, w->file) != count)
        return write_failed(w, err);
    w->shape.rows += n;
    return DF_OK;
}

df_status df_npy_finish(df_npy_writer *w, df_error *err)
{
    char header[WRITTEN_HEADER];
    fill_header(w->shape, header);
    bool written = fseek(w->file, 0, SEEK_SET) == 0 &&
                   fwrite(header, 1, sizeof header, w->file) == sizeof header;
    int reason = errno;
    bool closed = fclose(w->file) == 0;
    w->file = NULL;
    if (!written)
        errno = reason;
    return written && closed ? DF_OK : write_failed(w, err);
}

void df_npy_writer_close(df_npy_writer *w)
{
    if (!w)
        return;
    if (w->file)
        fclose(w->file);
    free(w->path);
    free(w);
}
