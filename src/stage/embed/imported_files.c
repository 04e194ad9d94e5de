#include "stage/embed/imported_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "dataset/sql_text.h"
#include "io/tar.h"

enum { CHUNK_ROWS = 4096 };                  /* of a Parquet file in memory */
#define NPZ_MEMBER_MAX ((size_t)2 << 30)

/* ---- which files ---- */

/* Numbers by value: img_emb_10 after img_emb_9. */
static int natural_order(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
            int order = n != m ? (n < m ? -1 : 1) : memcmp(a, b, n);
            if (order)
                return order;
            a += n;
            b += m;
            continue;
        }
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int by_path(const void *a, const void *b)
{
    const df_imported_file *x = a, *y = b;
    int order = natural_order(x->path, y->path);
    return order ? order : strcmp(x->path, y->path);
}

static char *join(const char *folder, const char *name, size_t n, const char *extension)
{
    df_str path = {0};
    df_str_printf(&path, "%s/", folder);
    df_str_append_n(&path, name, n);
    df_str_append(&path, extension);
    if (path.failed)
        df_str_free(&path);
    return path.data;
}

static df_status add_file(df_imported_files *out, char *path, char *metadata, df_error *err)
{
    df_imported_file *more = realloc(out->files, ((size_t)out->n + 1) * sizeof *more);
    if (more)
        out->files = more;
    if (!more || !path || !metadata) {
        free(path);
        free(metadata);
        return df_no_memory(err, "embed.from");
    }
    out->files[out->n++] = (df_imported_file){.path = path, .metadata = metadata};
    return DF_OK;
}

/* Adds the files of one extension. retrieval: img_emb_7.npy is told about by
 * ../metadata/metadata_7.parquet. */
static df_status add_files(const char *folder, const char *extension, bool retrieval,
                           df_imported_files *out, df_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return df_fail(err, DF_CONFIG, "embed.from: %s: %s", folder, strerror(errno));
    df_status status = DF_OK;
    for (struct dirent *e; status == DF_OK && (errno = 0, e = readdir(dir));) {
        size_t n = strlen(e->d_name), m = strlen(extension);
        if (e->d_name[0] == '.' || n <= m || strcmp(e->d_name + n - m, extension) != 0)
            continue;
        const char *number = strrchr(e->d_name, '_');
        char *metadata;
        if (retrieval && number) {
            char name[NAME_MAX + 32];
            int length = snprintf(name, sizeof name, "../metadata/metadata%.*s",
                                  (int)(e->d_name + n - m - number), number);
            metadata = join(folder, name, (size_t)length, ".parquet");
        } else {
            metadata = join(folder, e->d_name, n - m, ".parquet");
        }
        status = add_file(out, join(folder, e->d_name, n, ""), metadata, err);
    }
    if (status == DF_OK && errno) /* half a list would match the vectors to other rows */
        status = df_fail(err, DF_IO, "embed.from: list %s: %s", folder, strerror(errno));
    closedir(dir);
    return status;
}

df_status df_imported_list(const char *folder, df_imported_files *out, df_error *err)
{
    static const char *const extensions[] = {".npy", ".npz", ".parquet"};
    df_imported_files files = {0};
    char *below = join(folder, "img_emb", 7, "");
    bool retrieval = below && df_file_exists(below);
    df_status status = below ? DF_OK : df_no_memory(err, "embed.from");
    for (int i = 0; status == DF_OK && files.n == 0 && i < 3; i++)
        status = add_files(retrieval ? below : folder, extensions[i], retrieval, &files, err);
    free(below);
    if (status == DF_OK && files.n == 0)
        status =
            df_fail(err, DF_CONFIG, "embed.from: %s holds no .npy, .npz or .parquet file", folder);
    if (status != DF_OK) {
        df_imported_files_free(&files);
        return status;
    }
    qsort(files.files, (size_t)files.n, sizeof *files.files, by_path);
    *out = files;
    return DF_OK;
}

void df_imported_files_free(df_imported_files *files)
{
    for (int i = 0; i < files->n; i++) {
        free(files->files[i].path);
        free(files->files[i].metadata);
    }
    free(files->files);
    *files = (df_imported_files){0};
}

static bool has_extension(const char *path, const char *extension)
{
    size_t n = strlen(path), m = strlen(extension);
    return n > m && strcmp(path + n - m, extension) == 0;
}

/* ---- .npz ---- */

/* Reads a member of an .npz file, at most max_bytes of it: its shape, and where its values
 * begin. */
static df_status read_npz(const df_imported_file *file, const char *field, size_t max_bytes,
                          uint8_t **bytes, df_npy_shape *shape, size_t *offset, df_error *err)
{
    size_t size = 0;
    char *member = NULL;
    if (!field || !field[0])
        return df_fail(err, DF_CONFIG,
                       "embed.field: which member of %s? For DataComp: l14_img or b32_img",
                       file->path);
    df_str name = {0};
    df_str_printf(&name, "%s.npy", field);
    member = name.data;
    if (name.failed)
        return df_no_memory(err, "read %s", file->path);
    uint8_t *data = NULL;
    df_status status = df_zip_read(file->path, member, max_bytes, &data, &size, err);
    free(member);
    if (status == DF_OK)
        status = df_npy_parse(data, size, file->path, shape, offset, err);
    if (status == DF_OK && max_bytes > DF_NPY_HEADER_MAX &&
        size - *offset < (size_t)shape->rows * df_npy_row_bytes(*shape))
        status = df_fail(err, DF_FORMAT, "%s: %s is cut: %lld x %lld values are not there",
                         file->path, field, (long long)shape->rows, (long long)shape->dim);
    if (status == DF_OK)
        *bytes = data;
    else
        free(data);
    return status;
}

/* ---- Parquet ---- */

/* SELECT BEFORE FROM the file AFTER. */
static df_status query_file(const df_imported_file *file, const char *before, const char *after,
                            df_table **out, df_error *err)
{
    df_str sql = {0};
    df_error why = {""};
    df_str_printf(&sql, "SELECT %s FROM ", before);
    df_status status = df_sql_read_parquet(&sql, file->path, ", file_row_number = true", &why);
    df_str_append(&sql, after);
    if (status == DF_OK)
        status =
            sql.failed ? df_no_memory(&why, NULL) : df_table_query(out, df_str_text(&sql), &why);
    df_str_free(&sql);
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s: %.400s", file->path, why.message);
}

/* Counts the rows of a Parquet file and the values of its longest vector. */
static df_status parquet_shape(df_imported_file *file, const char *field, df_error *err)
{
    df_str what = {0};
    df_table *t = NULL;
    if (!field || !field[0])
        return df_fail(err, DF_CONFIG, "embed.field: which column of %s holds the vectors?",
                       file->path);
    /* an empty list is a row without a vector */
    df_str_append(&what, "count(*), max(len(");
    df_sql_append_column(&what, field);
    df_str_append(&what, "))");
    df_status status = what.failed ? df_no_memory(err, "embed.from")
                                   : query_file(file, df_str_text(&what), "", &t, err);
    df_str_free(&what);
    if (status != DF_OK)
        return status;
    file->shape = (df_npy_shape){DF_NPY_FLOAT64, df_table_int(t, 0, 0), df_table_int(t, 0, 1)};
    df_table_close(t);
    if (file->shape.dim > DF_NPY_DIM_MAX)
        return df_fail(err, DF_FORMAT, "%s: %s has %lld values a row", file->path, field,
                       (long long)file->shape.dim);
    return DF_OK;
}

/* values: those of all lists, one after the other; lengths: how many each list has, 0 for a null:
 * no number. */
static df_status fill_rows(const df_imported_rows *rows, const df_table *lengths,
                           const df_table *values, double *out, df_error *err)
{
    const int64_t dim = rows->file->shape.dim;
    int64_t at = 0;
    if (df_table_rows(lengths) != rows->n)
        return df_fail(err, DF_FORMAT, "%s changed while it was read", rows->file->path);
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t length = df_table_int(lengths, i, 0);
        if ((length && length != dim) || at + length > df_table_rows(values))
            return df_fail(err, DF_FORMAT, "%s: row %lld does not have %lld values, as another has",
                           rows->file->path, (long long)(rows->first + i), (long long)dim);
        for (int64_t k = 0; k < dim; k++, out++)
            *out = length && !df_table_null(values, at + k, 0) ? df_table_real(values, at + k, 0)
                                                               : NAN;
        at += length;
    }
    return DF_OK;
}

/* SELECT BEFORE "field" AFTER, of the rows at hand, in order: one thread keeps it. */
static df_status query_rows(const df_imported_rows *rows, const char *field, const char *before,
                            const char *after, df_table **out, df_error *err)
{
    df_str what = {0};
    char where[128];
    snprintf(where, sizeof where, " WHERE file_row_number >= %lld AND file_row_number < %lld",
             (long long)rows->first, (long long)(rows->first + rows->n));
    df_str_append(&what, before);
    df_sql_append_column(&what, field);
    df_str_append(&what, after);
    df_status status = what.failed ? df_no_memory(err, "embed.from")
                                   : query_file(rows->file, df_str_text(&what), where, out, err);
    df_str_free(&what);
    return status;
}

/* Reads the vectors of a Parquet file: the lengths of its lists, then all their values in one
 * column. */
static df_status load_parquet(df_imported_rows *rows, const char *field, df_error *err)
{
    df_table *lengths = NULL, *values = NULL;
    df_status status = query_rows(rows, field, "coalesce(len(", "), 0)", &lengths, err);
    if (status == DF_OK)
        status = query_rows(rows, field, "unnest(CAST(", " AS DOUBLE[]))", &values, err);
    rows->bytes = status == DF_OK
                      ? calloc((size_t)rows->n + 1, df_npy_row_bytes(rows->file->shape) + 1)
                      : NULL;
    if (status == DF_OK && !rows->bytes)
        status = df_no_memory(err, "read %s", rows->file->path);
    if (status == DF_OK)
        status = fill_rows(rows, lengths, values, (double *)(void *)rows->bytes, err);
    df_table_close(lengths);
    df_table_close(values);
    return status;
}

/* ---- any ---- */

df_status df_imported_shape(df_imported_file *file, const char *field, df_error *err)
{
    if (has_extension(file->path, ".parquet"))
        return parquet_shape(file, field, err);
    if (has_extension(file->path, ".npz")) {
        uint8_t *bytes;
        size_t offset;
        DF_TRY(read_npz(file, field, DF_NPY_HEADER_MAX, &bytes, &file->shape, &offset, err));
        free(bytes);
        return DF_OK;
    }
    df_npy *npy;
    DF_TRY(df_npy_open(&npy, file->path, err));
    file->shape = df_npy_shape_of(npy);
    df_npy_close(npy);
    return DF_OK;
}

static bool same_shape(df_npy_shape a, df_npy_shape b)
{
    return a.type == b.type && a.rows == b.rows && a.dim == b.dim;
}

/* Opens a file of vectors and checks that it still has the shape that was counted. */
static df_status load(df_imported_rows *rows, const char *field, df_error *err)
{
    df_npy_shape shape = rows->file->shape;
    if (has_extension(rows->file->path, ".parquet"))
        return load_parquet(rows, field, err);
    if (has_extension(rows->file->path, ".npz")) {
        DF_TRY(
            read_npz(rows->file, field, NPZ_MEMBER_MAX, &rows->bytes, &shape, &rows->offset, err));
    } else {
        DF_TRY(df_npy_open(&rows->npy, rows->file->path, err));
        shape = df_npy_shape_of(rows->npy);
    }
    if (!same_shape(shape, rows->file->shape))
        return df_fail(err, DF_FORMAT, "%s changed while it was read", rows->file->path);
    return DF_OK;
}

df_status df_imported_load(df_imported_rows *rows, const df_imported_file *file, const char *field,
                           int64_t row, df_error *err)
{
    const bool chunked = has_extension(file->path, ".parquet");
    int64_t first = chunked ? row / CHUNK_ROWS * CHUNK_ROWS : 0, left = file->shape.rows - first;
    df_imported_rows made = {
        .file = file, .first = first, .n = chunked && left > CHUNK_ROWS ? CHUNK_ROWS : left};
    df_status status = load(&made, field, err);
    if (status == DF_OK)
        *rows = made;
    else
        df_imported_unload(&made);
    return status;
}

void df_imported_unload(df_imported_rows *rows)
{
    df_npy_close(rows->npy);
    free(rows->bytes);
    *rows = (df_imported_rows){0};
}

df_status df_imported_row(const df_imported_rows *rows, int64_t row, void *bytes, df_error *err)
{
    size_t size = df_npy_row_bytes(rows->file->shape);
    if (rows->npy)
        return df_npy_read(rows->npy, row, 1, bytes, err);
    memcpy(bytes, rows->bytes + rows->offset + (size_t)(row - rows->first) * size, size);
    return DF_OK;
}
