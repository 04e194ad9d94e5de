#include "stage/embed/imported.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/sql_text.h"
#include "stage/embed/imported_files.h"
#include "vector/half.h"
#include "tables/ingest.h"

/* threads cross from one file to the next not all at once */
enum { LOADED = 2 };

typedef struct {
    uint64_t hash;
    int64_t index;
} key_entry;

struct df_imported {
    df_imported_files files;
    char *field, *input;
    int dim;
    int64_t n;                               /* vectors */
    int64_t *first_row; /* by order: [parts + 1] of ingest; NULL with a key */
    key_entry *keys; /* [n_keys], by hash, then index */
    int64_t n_keys;
    pthread_mutex_t lock; /* over what follows */
    df_imported_rows loaded[LOADED];
    int oldest;
    uint8_t *row; /* room for one row as it is stored */
    float *floats; /* [dim] */
};

/* ---- opening ---- */

/* Reads the shape of every file and numbers their vectors through; all must have as many values. */
static df_status read_shapes(df_imported *v, df_error *err)
{
    size_t widest = 0;
    for (int i = 0; i < v->files.n; i++) {
        df_imported_file *f = &v->files.files[i];
        DF_TRY(df_imported_shape(f, v->field, err));
        f->first = v->n;
        if (__builtin_add_overflow(v->n, f->shape.rows, &v->n))
            return df_fail(err, DF_FORMAT, "%s: too many vectors", f->path);
        if (f->shape.rows == 0)
            continue;
        if (f->shape.dim < 1 || (v->dim && f->shape.dim != v->dim))
            return df_fail(err, DF_FORMAT, "%s: vectors of %lld values, %s", f->path,
                           (long long)f->shape.dim,
                           v->dim ? "the files before it have others" : "which are none");
        v->dim = (int)f->shape.dim;
        size_t size = df_npy_row_bytes(f->shape);
        widest = size > widest ? size : widest;
    }
    if (v->n == 0)
        return df_fail(err, DF_FORMAT, "embed.from: %s and the files beside it hold no vector",
                       v->files.files[0].path);
    v->row = malloc(widest);
    v->floats = malloc((size_t)v->dim * sizeof *v->floats);
    return v->row && v->floats ? DF_OK : df_no_memory(err, "embed.from");
}

static df_status match_by_order(df_imported *v, const df_dataset *ds, df_error *err)
{
    DF_TRY(df_dataset_count(ds, "ingest", "true", &v->first_row, err));
    int64_t n_rows = v->first_row[df_dataset_parts(ds)];
    if (n_rows == v->n)
        return DF_OK;
    return df_fail(
        err, DF_FORMAT,
        "embed.from: %lld vectors for %lld rows of ingest; when they are not the same, in "
        "the same order, embed.key names the column that tells whose they are",
        (long long)v->n, (long long)n_rows);
}

/* Reads the key column of the table beside a file of vectors: one key a vector. */
static df_status read_keys(const df_imported_file *f, const char *key, df_table **out,
                           df_error *err)
{
    df_str sql = {0};
    df_error why = {""};
    const char *from = f->metadata;
    df_str_append(&sql, "SELECT CAST(");
    df_sql_append_column(&sql, key);
    df_str_append(&sql, " AS VARCHAR) FROM ");
    df_status status = df_sql_read_parquet(&sql, from, ", file_row_number = true", &why);
    df_str_append(&sql, " ORDER BY file_row_number");
    if (status == DF_OK)
        status =
            sql.failed ? df_no_memory(&why, NULL) : df_table_query(out, df_str_text(&sql), &why);
    df_str_free(&sql);
    if (status != DF_OK)
        return df_fail(err, status, "embed.key: %s: %.380s", from, why.message);
    if (df_table_rows(*out) == f->shape.rows)
        return DF_OK;
    status = df_fail(err, DF_FORMAT, "%s: %lld vectors, but %s has %lld rows", f->path,
                     (long long)f->shape.rows, from, (long long)df_table_rows(*out));
    df_table_close(*out);
    *out = NULL;
    return status;
}

static int by_hash(const void *a, const void *b)
{
    const key_entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorts the hashes of all keys, so that an image finds its vector by binary search. */
static df_status match_by_key(df_imported *v, const char *key, df_error *err)
{
    v->keys = calloc((size_t)v->n, sizeof *v->keys);
    if (!v->keys)
        return df_fail(err, DF_NOMEM, "embed.key: out of memory for %lld keys of 16 bytes",
                       (long long)v->n);
    for (int i = 0; i < v->files.n; i++) {
        df_table *t = NULL;
        DF_TRY(read_keys(&v->files.files[i], key, &t, err));
        for (int64_t row = 0; row < df_table_rows(t); row++)
            if (!df_table_null(t, row, 0)) {
                const char *text = df_table_text(t, row, 0);
                v->keys[v->n_keys++] =
                    (key_entry){df_hash_64(text, strlen(text)), v->files.files[i].first + row};
            }
        df_table_close(t);
    }
    qsort(v->keys, (size_t)v->n_keys, sizeof *v->keys, by_hash);
    return DF_OK;
}

static df_status open_files(df_imported *v, const df_imported_options *o, const df_dataset *ds,
                            df_error *err)
{
    v->field = strdup(o->field ? o->field : "");
    v->input = strdup(df_dataset_input(ds));
    if (!v->field || !v->input)
        return df_no_memory(err, "embed.from");
    DF_TRY(df_imported_list(o->folder, &v->files, err));
    DF_TRY(read_shapes(v, err));
    return o->key && o->key[0] ? match_by_key(v, o->key, err) : match_by_order(v, ds, err);
}

df_status df_imported_open(df_imported **out, const df_imported_options *options,
                           const df_dataset *ds, df_error *err)
{
    df_imported *v = calloc(1, sizeof *v);
    if (!v)
        return df_no_memory(err, "embed.from");
    pthread_mutex_init(&v->lock, NULL);
    df_status status = open_files(v, options, ds, err);
    if (status == DF_OK)
        *out = v;
    else
        df_imported_close(v);
    return status;
}

void df_imported_close(df_imported *v)
{
    if (!v)
        return;
    for (int i = 0; i < LOADED; i++)
        df_imported_unload(&v->loaded[i]);
    df_imported_files_free(&v->files);
    pthread_mutex_destroy(&v->lock);
    free(v->field);
    free(v->input);
    free(v->first_row);
    free(v->keys);
    free(v->row);
    free(v->floats);
    free(v);
}

int df_imported_dim(const df_imported *v)
{
    return v->dim;
}

/* ---- which vector is of which image ---- */

/* The first vector with that key; -1. */
static int64_t find_key(const df_imported *v, const char *text)
{
    uint64_t hash = df_hash_64(text, strlen(text));
    int64_t low = 0, high = v->n_keys; /* keys[low - 1].hash < hash <= keys[high].hash */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (v->keys[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < v->n_keys && v->keys[low].hash == hash ? v->keys[low].index : -1;
}

df_status df_imported_find(const df_imported *v, const df_table *ingest, int part, int64_t row,
                           int64_t *index, df_error *err)
{
    if (v->first_row) {
        *index = v->first_row[part] + row;
        return DF_OK;
    }
    const char *url = df_table_text(ingest, row, DF_INGEST_URL);
    const char *path = df_table_text(ingest, row, DF_INGEST_PATH);
    int64_t found = url[0] ? find_key(v, url) : -1;
    if (found < 0 && path[0])
        found = find_key(v, path);
    if (found < 0 && path[0]) {
        df_str full = {0};
        df_str_printf(&full, "%s/%s", v->input, path);
        found = find_key(v, df_str_text(&full));
        const bool failed = full.failed;
        df_str_free(&full);
        if (failed)
            return df_no_memory(err, "embed.key");
    }
    *index = found;
    return DF_OK;
}

/* ---- reading ---- */

static const df_imported_file *file_of(const df_imported *v, int64_t index)
{
    int low = 0, high = v->files.n; /* files[low].first <= index < files[high].first */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (v->files.files[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return &v->files.files[low];
}

static df_status rows_with(df_imported *v, const df_imported_file *file, int64_t row,
                           df_imported_rows **out, df_error *err)
{
    for (int i = 0; i < LOADED; i++)
        if (v->loaded[i].file == file && row >= v->loaded[i].first &&
            row < v->loaded[i].first + v->loaded[i].n) {
            v->oldest = i ^ 1;
            *out = &v->loaded[i];
            return DF_OK;
        }
    *out = &v->loaded[v->oldest];
    df_imported_unload(*out);
    DF_TRY(df_imported_load(*out, file, v->field, row, err));
    v->oldest ^= 1;
    return DF_OK;
}

/* row and floats come from malloc and are aligned for any type. */
static void widen(const df_imported *v, df_npy_type type, double *out)
{
    const size_t n = (size_t)v->dim;
    switch (type) {
    case DF_NPY_FLOAT64:
        memcpy(out, v->row, n * sizeof *out);
        return;
    case DF_NPY_FLOAT32:
        memcpy(v->floats, v->row, n * sizeof *v->floats);
        break;
    case DF_NPY_FLOAT16:
        df_half_to_float_n((const uint16_t *)(const void *)v->row, v->floats, n);
        break;
    }
    for (size_t k = 0; k < n; k++)
        out[k] = (double)v->floats[k];
}

df_status df_imported_read(df_imported *v, int64_t index, double *out, df_error *err)
{
    const df_imported_file *file = file_of(v, index);
    df_imported_rows *rows;
    pthread_mutex_lock(&v->lock);
    df_status status = rows_with(v, file, index - file->first, &rows, err);
    if (status == DF_OK)
        status = df_imported_row(rows, index - file->first, v->row, err);
    if (status == DF_OK)
        widen(v, file->shape.type, out);
    pthread_mutex_unlock(&v->lock);
    return status;
}

/* ---- what they are ---- */

df_status df_imported_describe(const df_imported_options *options, df_str *out, df_error *err)
{
    df_imported_files files = {0};
    df_str names = {0};
    char hex[DF_HASH_HEX];
    DF_TRY(df_imported_list(options->folder, &files, err));
    for (int i = 0; i < files.n; i++) {
        df_file_describe(files.files[i].path, &names);
        df_file_describe(files.files[i].metadata, &names);
    }
    df_hash_hex(df_str_text(&names), names.size, hex);
    df_str_printf(out, "vectors %d files %s\n", files.n, hex);
    df_status status = names.failed || out->failed ? df_no_memory(err, "embed.from") : DF_OK;
    df_imported_files_free(&files);
    df_str_free(&names);
    return status;
}
