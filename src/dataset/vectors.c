#include "dataset/vectors.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "io/npy.h"

/* Files stay open, as many as a process may be expected to have: a caller that gathers comes back
 * to all of them. */
enum { FILES_MAX = 256 };
typedef struct {
    pthread_mutex_t lock;
    int n;
    df_npy *part[];                          /* [n_parts]; NULL: not open */
} open_files;

struct df_vectors {
    const df_dataset *ds;
    int n_parts, dim;
    int64_t *first;                          /* [n_parts + 1] */
    open_files *files;
};

static df_status open_part(const df_vectors *v, int part, df_npy **out, df_error *err)
{
    char *path = df_dataset_part_path(v->ds, "embed", part, "npy");
    df_status status = path ? df_npy_open(out, path, err) : df_no_memory(err, "read embed");
    free(path);
    return status;
}

/* *stays: it is not the caller's to close. */
static df_status borrow_part(const df_vectors *v, int part, df_npy **out, bool *stays,
                             df_error *err)
{
    open_files *f = v->files;
    pthread_mutex_lock(&f->lock);
    df_status status = f->part[part] ? DF_OK : open_part(v, part, out, err);
    if (f->part[part]) {
        *out = f->part[part];
    } else if (status == DF_OK && f->n < FILES_MAX) {
        f->part[part] = *out;
        f->n++;
    }
    *stays = f->part[part] != NULL;
    pthread_mutex_unlock(&f->lock);
    return status;
}

/* Checks that a part's vectors are as many as its table says, and as long as those before. */
static df_status check_part(df_vectors *v, int part, int64_t n, df_error *err)
{
    df_npy *npy;
    DF_TRY(open_part(v, part, &npy, err));
    df_npy_shape shape = df_npy_shape_of(npy);
    df_npy_close(npy);
    if (shape.type != DF_NPY_FLOAT16 || shape.rows != n)
        return df_fail(
            err, DF_FORMAT,
            "embed/part-%05d.npy: %lld %s vectors; its table tells of %lld float16 ones; "
            "remove OUT/embed and run embed again",
            part, (long long)shape.rows, shape.type == DF_NPY_FLOAT16 ? "float16" : "other",
            (long long)n);
    if (n && shape.dim < 1)
        return df_fail(
            err, DF_FORMAT,
            "embed/part-%05d.npy: vectors of no values; remove OUT/embed and run embed again",
            part);
    if (n && v->dim && shape.dim != v->dim)
        return df_fail(err, DF_FORMAT,
                       "embed/part-%05d.npy: vectors of %lld values, the parts before it have %d; "
                       "remove OUT/embed and run embed again",
                       part, (long long)shape.dim, v->dim);
    if (n)
        v->dim = (int)shape.dim;
    return DF_OK;
}

static df_status check_parts(df_vectors *v, df_error *err)
{
    for (int part = 0; part < v->n_parts; part++)
        if (!df_dataset_has_part(v->ds, "embed", part))
            return df_fail(err, DF_FORMAT,
                           "embed/part-%05d.parquet is missing: densefusion embed %s (who skips "
                           "embed skips cluster, dedup and select too)",
                           part, df_dataset_folder(v->ds));
    DF_TRY(df_dataset_count(v->ds, "embed", "problem IS NULL", &v->first, err));
    for (int part = 0; part < v->n_parts; part++)
        DF_TRY(check_part(v, part, v->first[part + 1] - v->first[part], err));
    return DF_OK;
}

df_status df_vectors_open(df_vectors **out, const df_dataset *ds, df_error *err)
{
    df_vectors *v = calloc(1, sizeof *v);
    if (!v)
        return df_no_memory(err, "read embed");
    *v = (df_vectors){.ds = ds, .n_parts = df_dataset_parts(ds)};
    v->files = calloc(1, sizeof *v->files + (size_t)v->n_parts * sizeof *v->files->part);
    if (v->files)
        pthread_mutex_init(&v->files->lock, NULL);
    df_status status = v->files ? check_parts(v, err) : df_no_memory(err, "read embed");
    if (status == DF_OK)
        *out = v;
    else
        df_vectors_close(v);
    return status;
}

void df_vectors_close(df_vectors *v)
{
    if (!v)
        return;
    for (int part = 0; v->files && part < v->n_parts; part++)
        df_npy_close(v->files->part[part]);
    if (v->files)
        pthread_mutex_destroy(&v->files->lock);
    free(v->files);
    free(v->first);
    free(v);
}

int64_t df_vectors_count(const df_vectors *v)
{
    return v->first[v->n_parts];
}

int df_vectors_dim(const df_vectors *v)
{
    return v->dim;
}

int64_t df_vectors_first(const df_vectors *v, int part)
{
    assert(part >= 0 && part <= v->n_parts);
    return v->first[part];
}

/* The part that holds a vector: the last that begins at or before it and is not empty. */
static int part_of(const df_vectors *v, int64_t index)
{
    int low = 0, high = v->n_parts;          /* first[low] <= index < first[high] */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (v->first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Of a float16 that bit says: at least 2, infinite or not a number. No vector of unit length has
 * such a value, and sums of them would not be sums. */
static bool is_sane(const uint16_t *x, size_t n)
{
    uint64_t any = 0, four;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        memcpy(&four, x + i, sizeof four);
        any |= four;
    }
    for (; i < n; i++)
        any |= x[i];
    return !(any & 0x4000400040004000u);
}

/* first: within the part. */
static df_status read_rows(const df_vectors *v, int part, const df_npy *npy, int64_t first,
                           int64_t n, uint16_t *out, df_error *err)
{
    DF_TRY(df_npy_read(npy, first, n, out, err));
    if (is_sane(out, (size_t)n * (size_t)v->dim))
        return DF_OK;
    return df_fail(err, DF_FORMAT,
                   "embed/part-%05d.npy: among the vectors %lld to %lld is one that is not of unit "
                   "length; remove "
                   "OUT/embed and run embed again",
                   part, (long long)first, (long long)(first + n - 1));
}

df_status df_vectors_read(const df_vectors *v, int64_t first, int64_t n, uint16_t *out,
                          df_error *err)
{
    if (first < 0 || n < 0 || first > df_vectors_count(v) || n > df_vectors_count(v) - first)
        return df_fail(err, DF_FORMAT, "embed: vectors %lld to %lld of %lld", (long long)first,
                       (long long)(first + n), (long long)df_vectors_count(v));
    while (n > 0) {
        int part = part_of(v, first);
        int64_t from = first - v->first[part], here = v->first[part + 1] - first;
        df_npy *npy;
        bool stays;
        here = here < n ? here : n;
        DF_TRY(borrow_part(v, part, &npy, &stays, err));
        df_status status =
            df_npy_shape_of(npy).type == DF_NPY_FLOAT16 && df_npy_shape_of(npy).dim == v->dim
                ? read_rows(v, part, npy, from, here, out, err)
                : df_fail(err, DF_FORMAT, "embed/part-%05d.npy changed while it was read", part);
        if (!stays)
            df_npy_close(npy);
        DF_TRY(status);
        out += (size_t)here * (size_t)v->dim;
        first += here;
        n -= here;
    }
    return DF_OK;
}

typedef struct {
    int64_t index, at;
} wanted;

static int by_index(const void *a, const void *b)
{
    const wanted *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Rows of one part: all from one open file. */
static df_status gather_part(const df_vectors *v, int part, const wanted *w, int64_t n,
                             uint16_t *out, df_error *err)
{
    df_npy *npy;
    bool stays;
    DF_TRY(borrow_part(v, part, &npy, &stays, err));
    df_npy_shape shape = df_npy_shape_of(npy);
    df_status status = DF_OK;
    if (shape.type != DF_NPY_FLOAT16 || shape.dim != v->dim ||
        shape.rows != v->first[part + 1] - v->first[part])
        status = df_fail(err, DF_FORMAT, "embed/part-%05d.npy changed while it was read", part);
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        status = read_rows(v, part, npy, w[i].index - v->first[part], 1,
                           out + (size_t)w[i].at * (size_t)v->dim, err);
    if (!stays)
        df_npy_close(npy);
    return status;
}

df_status df_vectors_gather(const df_vectors *v, const int64_t *index, int64_t n, uint16_t *out,
                            df_error *err)
{
    wanted *w = malloc(((size_t)n + 1) * sizeof *w);
    if (!w)
        return df_no_memory(err, "read embed");
    for (int64_t i = 0; i < n; i++)
        w[i] = (wanted){index[i], i};
    qsort(w, (size_t)n, sizeof *w, by_index);
    df_status status =
        n == 0 || (w[0].index >= 0 && w[n - 1].index < df_vectors_count(v))
            ? DF_OK
            : df_fail(err, DF_FORMAT, "embed: a vector that is not there was asked for");
    for (int64_t i = 0, end; status == DF_OK && i < n; i = end) {
        int part = part_of(v, w[i].index);
        for (end = i + 1; end < n && w[end].index < v->first[part + 1];)
            end++;
        status = gather_part(v, part, w + i, end - i, out, err);
    }
    free(w);
    return status;
}
