/* A cluster of any size in bounded memory: a tile of rows is held against every earlier tile, one after another, and
 * against itself. A row meets earlier rows in rising order, so the first of equals wins, whoever computes.
 *
 *          earlier >
 *   rows   [A A]
 *    v     [A B] [B B]           a tile pair's work is cut into stripes of rows; threads take stripes
 *          [A C] [B C] [C C]                                                                          */
#include "algo/semdedup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "algo/dot.h"
#include "algo/half.h"
#include "base/pool.h"

enum { STRIPE = 64, READ_ROWS = DF_SEMDEDUP_READ };

typedef struct {
    int64_t first, n;
    float *x;
} tile;

typedef struct {
    const df_semdedup_rows *rows;
    float threshold;                         /* of the group rule */
    float *similarity;
    int64_t *nearest, *parent;
    tile own, earlier;                       /* own alone when the pair is a tile with itself */
    uint16_t *halfs;
    pthread_mutex_t lock;                    /* of parent */
} search;

/* ---- the order ---- */

typedef struct {
    double key;
    uint64_t hash;
    int64_t item;
} order_key;

static int by_key(const void *a, const void *b)
{
    const order_key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* splitmix64's mixing steps. */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

df_status df_semdedup_order(const double *similarity, const int64_t *id, int64_t n, df_keep keep, uint64_t seed,
                            int64_t *order, df_error *err)
{
    order_key *keys = calloc((size_t)n + 1, sizeof *keys);
    if (!keys)
        return df_fail(err, DF_NOMEM, "order a cluster of %lld: out of memory", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        keys[i].item = i;
        if (keep == DF_KEEP_RANDOM)
            keys[i].hash = mix(mix(seed) ^ (uint64_t)id[i]);
        else
            keys[i].key = keep == DF_KEEP_FARTHEST ? similarity[i] : -similarity[i];
    }
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    for (int64_t i = 0; i < n; i++)
        order[i] = keys[i].item;
    free(keys);
    return DF_OK;
}

bool df_semdedup_removes(float similarity, double eps)
{
    return similarity > (float)(1 - eps);
}

/* ---- groups ---- */

static int64_t root_of(int64_t *parent, int64_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* The earlier root stays: a group's root is its first row, in whatever order pairs come. */
static void join(search *s, int64_t a, int64_t b)
{
    pthread_mutex_lock(&s->lock);
    a = root_of(s->parent, a);
    b = root_of(s->parent, b);
    if (a < b)
        s->parent[b] = a;
    else
        s->parent[a] = b;
    pthread_mutex_unlock(&s->lock);
}

/* ---- a tile against an earlier one ---- */

static void meet(search *s, int64_t row, const float *x, const tile *earlier)
{
    int64_t n = row - earlier->first < earlier->n ? row - earlier->first : earlier->n;
    size_t d = (size_t)s->rows->dim;
    for (int64_t e = 0; e < n; e++) {
        float dot = df_dot(x, earlier->x + (size_t)e * d, s->rows->dim);
        if (dot > s->similarity[row]) {
            s->similarity[row] = dot;
            s->nearest[row] = earlier->first + e;
        }
        if (s->parent && dot > s->threshold)
            join(s, row, earlier->first + e);
    }
}

static df_status work_stripe(void *ctx, int64_t item, int thread, df_error *err)
{
    search *s = ctx;
    const tile *earlier = s->earlier.n ? &s->earlier : &s->own;
    (void)thread, (void)err;
    for (int64_t i = item * STRIPE; i < (item + 1) * STRIPE && i < s->own.n; i++)
        meet(s, s->own.first + i, s->own.x + (size_t)i * (size_t)s->rows->dim, earlier);
    return DF_OK;
}

static df_status load(search *s, tile *t, int64_t first, int64_t n, df_error *err)
{
    size_t d = (size_t)s->rows->dim;
    for (int64_t i = 0, count; i < n; i += count) {
        count = n - i < READ_ROWS ? n - i : READ_ROWS;
        DF_TRY(s->rows->read(s->rows->ctx, first + i, count, s->halfs, err));
        df_half_to_float_n(s->halfs, t->x + (size_t)i * d, (size_t)count * d);
    }
    t->first = first;
    t->n = n;
    return DF_OK;
}

static df_status meet_tiles(search *s, df_error *err)
{
    return df_pool_run(s->rows->n_threads, (s->own.n + STRIPE - 1) / STRIPE, work_stripe, s, err);
}

/* In memory, or read into buffer. */
static df_status row_at(const search *s, int64_t row, float *buffer, const float **x, df_error *err)
{
    size_t d = (size_t)s->rows->dim;
    *x = s->own.x + (size_t)(row - s->own.first) * d;
    if (row >= s->own.first)
        return DF_OK;
    DF_TRY(s->rows->read(s->rows->ctx, row, 1, s->halfs, err));
    df_half_to_float_n(s->halfs, buffer, d);
    *x = buffer;
    return DF_OK;
}

/* The last tile is in memory: when it is the only one, nothing is read again. */
static df_status settle_groups(search *s, df_error *err)
{
    float *buffer = malloc(2 * (size_t)s->rows->dim * sizeof *buffer);
    df_status status = buffer ? DF_OK : df_fail(err, DF_NOMEM, "compare a cluster: out of memory");
    for (int64_t row = 0; status == DF_OK && row < s->rows->n; row++) {
        const float *x, *first;
        int64_t root = s->parent[row] = root_of(s->parent, row);
        if (root == row || root == s->nearest[row])
            continue;
        status = row_at(s, row, buffer, &x, err);
        if (status == DF_OK)
            status = row_at(s, root, buffer + s->rows->dim, &first, err);
        if (status == DF_OK)
            s->similarity[row] = df_dot(x, first, s->rows->dim);
        s->nearest[row] = root;
    }
    free(buffer);
    return status;
}

static df_status search_all(search *s, int64_t tile_rows, df_error *err)
{
    int64_t n = s->rows->n;
    for (int64_t first = 0; first < n; first += tile_rows) {
        DF_TRY(load(s, &s->own, first, n - first < tile_rows ? n - first : tile_rows, err));
        for (int64_t before = 0; before < first; before += tile_rows) {
            DF_TRY(load(s, &s->earlier, before, tile_rows, err));
            DF_TRY(meet_tiles(s, err));
        }
        s->earlier.n = 0;
        DF_TRY(meet_tiles(s, err));
    }
    return s->parent ? settle_groups(s, err) : DF_OK;
}

static int64_t rows_of_tile(const df_semdedup_rows *rows, bool *one)
{
    int64_t fit = (int64_t)(rows->memory_bytes / ((size_t)rows->dim * sizeof(float)));
    *one = rows->n <= fit;
    if (*one)
        return rows->n > 0 ? rows->n : 1;
    return fit / 2 > STRIPE ? fit / 2 : STRIPE;
}

df_status df_semdedup_nearest(const df_semdedup_rows *rows, double eps, float *similarity, int64_t *nearest,
                              int64_t *parent, df_error *err)
{
    bool one;
    int64_t tile_rows = rows_of_tile(rows, &one);
    size_t d = (size_t)rows->dim;
    search s = {.rows = rows,
                .threshold = (float)(1 - eps),
                .similarity = similarity,
                .nearest = nearest,
                .parent = parent,
                .own.x = malloc((size_t)tile_rows * d * sizeof(float)),
                .earlier.x = one ? NULL : malloc((size_t)tile_rows * d * sizeof(float)),
                .halfs = malloc(READ_ROWS * d * sizeof(uint16_t)),
                .lock = PTHREAD_MUTEX_INITIALIZER};
    for (int64_t i = 0; i < rows->n; i++) {
        similarity[i] = -2;
        nearest[i] = -1;
        if (parent)
            parent[i] = i;
    }
    df_status status = s.own.x && s.halfs && (one || s.earlier.x)
                           ? search_all(&s, tile_rows, err)
                           : df_fail(err, DF_NOMEM, "compare a cluster of %lld: out of memory", (long long)rows->n);
    free(s.own.x);
    free(s.earlier.x);
    free(s.halfs);
    pthread_mutex_destroy(&s.lock);
    return status;
}
