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
#include "algo/search.h"
#include "base/pool.h"

enum { STRIPE = 256, READ_ROWS = DF_SEMDEDUP_READ };

typedef struct {
    int64_t first, n;
    float *x;                                /* [n, dim] */
    df_code *code;                           /* [n]; the bytes are in panels.code */
    df_panels panels;
} tile;

/* A thread's. */
typedef struct {
    df_search search;
    const float *x;                          /* of the stripe */
    int dim;
    uint16_t all[STRIPE];                    /* 0, 1, ... */
} finder;

typedef struct {
    const df_semdedup_rows *rows;
    float threshold;                         /* of the group rule */
    float *similarity;
    int64_t *nearest, *parent;
    tile own, earlier;                       /* earlier.n is 0 when own meets itself */
    uint16_t *halfs;
    float *mean, *scratch;                   /* [dim] */
    finder **finders;                        /* [n_threads] */
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

/* All pairs above the threshold, for groups. */
static void join_like(search *s, int64_t row, const float *x, const tile *earlier)
{
    int64_t n = row - earlier->first < earlier->n ? row - earlier->first : earlier->n;
    for (int64_t e = 0; e < n; e++)
        if (df_dot(x, earlier->x + (size_t)e * (size_t)s->rows->dim, s->rows->dim) > s->threshold)
            join(s, row, earlier->first + e);
}

static const float *exact_row(void *ctx, int row)
{
    const finder *f = ctx;
    return f->x + (size_t)row * (size_t)f->dim;
}

/* Each row looks at the panels of what is earlier than it. */
static void look_at_panels(finder *f, int64_t first, int n, bool self)
{
    for (int panel = 0; panel < f->search.panels->n_panels; panel++) {
        int64_t from = self ? (int64_t)panel * DF_PANEL + 1 - first : 0;
        from = from > 0 ? from : 0;
        if (from >= n)
            break;
        df_search_panels(&f->search, panel, panel + 1, f->all + from, n - (int)from);
    }
}

/* What leads after other tiles is what these rows must beat; of equals it stays, as the earlier one. */
static void search_stripe(const search *s, finder *f, int64_t first, int n, const tile *earlier)
{
    df_search *q = &f->search;
    bool self = earlier == &s->own;
    f->x = s->own.x + (size_t)first * (size_t)s->rows->dim;
    q->panels = &earlier->panels;
    q->code = s->own.panels.code + (size_t)first * (size_t)s->own.panels.stride;
    q->row = s->own.code + first;
    df_search_begin(q, n);
    for (int r = 0; r < n; r++) {
        q->end[r] = (int32_t)(self ? first + r : earlier->n);
        q->low[r] = s->similarity[s->own.first + first + r];
    }
    look_at_panels(f, first, n, self);
    for (int r = 0; r < n; r++) {
        int64_t row = s->own.first + first + r;
        df_search_settle(q, r, true);
        if (q->best[r] < 0 || !(q->best_dot[r] > s->similarity[row]))
            continue;
        s->similarity[row] = q->best_dot[r];
        s->nearest[row] = earlier->first + q->best[r];
    }
}

static df_status work_stripe(void *ctx, int64_t item, int thread, df_error *err)
{
    search *s = ctx;
    const tile *earlier = s->earlier.n ? &s->earlier : &s->own;
    int64_t first = item * STRIPE, n = s->own.n - first < STRIPE ? s->own.n - first : STRIPE;
    (void)err;
    search_stripe(s, s->finders[thread], first, (int)n, earlier);
    for (int64_t i = first; s->parent && i < first + n; i++)
        join_like(s, s->own.first + i, s->own.x + (size_t)i * (size_t)s->rows->dim, earlier);
    return DF_OK;
}

/* ---- tiles ---- */

/* Any mean will do for the codes: the nearer to all vectors, the smaller the windows. */
static void find_mean(search *s)
{
    size_t dim = (size_t)s->rows->dim;
    int64_t n = s->own.n < READ_ROWS ? s->own.n : READ_ROWS;
    for (size_t k = 0; k < dim; k++)
        s->mean[k] = 0;
    for (int64_t i = 0; i < n; i++)
        for (size_t k = 0; k < dim; k++)
            s->mean[k] += s->own.x[(size_t)i * dim + k] / (float)n;
}

static df_status load(search *s, tile *t, int64_t first, int64_t n, df_error *err)
{
    size_t d = (size_t)s->rows->dim;
    const df_simd *simd = df_simd_best();
    for (int64_t i = 0, count; i < n; i += count) {
        count = n - i < READ_ROWS ? n - i : READ_ROWS;
        DF_TRY(s->rows->read(s->rows->ctx, first + i, count, s->halfs, err));
        df_half_to_float_n(s->halfs, t->x + (size_t)i * d, (size_t)count * d);
    }
    t->first = first;
    t->n = n;
    if (first == 0 && t == &s->own)
        find_mean(s);
    memcpy(t->panels.mean, s->mean, d * sizeof *s->mean);
    DF_TRY(df_panels_fill(&t->panels, simd, t->x, (int)n, NULL, err));
    for (int64_t i = 0; i < n; i++)
        t->code[i] = df_code_encode(simd, t->x + (size_t)i * d, s->mean, s->rows->dim,
                                    t->panels.code + (size_t)i * (size_t)t->panels.stride, s->scratch);
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

static size_t row_bytes(const df_semdedup_rows *rows)
{
    return (size_t)rows->dim * sizeof(float) + 2 * (size_t)df_code_stride(rows->dim) + sizeof(df_code) + 16;
}

/* All rows when memory holds them, else half of what it holds. */
static int64_t rows_of_tile(const df_semdedup_rows *rows)
{
    int64_t fit = (int64_t)(rows->memory_bytes / row_bytes(rows));
    fit = fit < 1 << 30 ? fit : 1 << 30;
    if (rows->n <= fit)
        return rows->n > 0 ? rows->n : 1;
    return fit / 2 > STRIPE ? fit / 2 : STRIPE;
}

static df_status tile_init(tile *t, const search *s, int64_t n, df_error *err)
{
    t->x = malloc((size_t)n * (size_t)s->rows->dim * sizeof *t->x);
    t->code = malloc((size_t)n * sizeof *t->code);
    return t->x && t->code ? df_panels_init(&t->panels, (int)n, s->rows->dim, s->mean, err)
                           : df_fail(err, DF_NOMEM, "compare a cluster of %lld: out of memory", (long long)s->rows->n);
}

static void tile_free(tile *t)
{
    free(t->x);
    free(t->code);
    df_panels_free(&t->panels);
}

static int threads_of(const df_semdedup_rows *rows)
{
    return rows->n_threads > 0 ? rows->n_threads : 1;
}

static finder *finder_new(int dim)
{
    finder *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    for (int r = 0; r < STRIPE; r++)
        f->all[r] = (uint16_t)r;
    f->dim = dim;
    f->search.simd = df_simd_best();
    f->search.exact = exact_row;
    f->search.exact_ctx = f;
    return f;
}

static df_status init(search *s, int64_t tile_rows, df_error *err)
{
    size_t d = (size_t)s->rows->dim;
    s->halfs = malloc(READ_ROWS * d * sizeof *s->halfs);
    s->mean = calloc(d + 1, sizeof *s->mean);
    s->scratch = malloc((d + 1) * sizeof *s->scratch);
    s->finders = calloc((size_t)threads_of(s->rows), sizeof *s->finders);
    bool ok = s->halfs && s->mean && s->scratch && s->finders;
    for (int i = 0; ok && i < threads_of(s->rows); i++) {
        s->finders[i] = finder_new(s->rows->dim);
        ok = s->finders[i] != NULL;
    }
    if (!ok)
        return df_fail(err, DF_NOMEM, "compare a cluster of %lld: out of memory", (long long)s->rows->n);
    DF_TRY(tile_init(&s->own, s, tile_rows, err));
    return tile_rows < s->rows->n ? tile_init(&s->earlier, s, tile_rows, err) : DF_OK;
}

df_status df_semdedup_nearest(const df_semdedup_rows *rows, double eps, float *similarity, int64_t *nearest,
                              int64_t *parent, df_error *err)
{
    int64_t tile_rows = rows_of_tile(rows);
    search s = {.rows = rows,
                .threshold = (float)(1 - eps),
                .similarity = similarity,
                .nearest = nearest,
                .parent = parent,
                .lock = PTHREAD_MUTEX_INITIALIZER};
    for (int64_t i = 0; i < rows->n; i++) {
        similarity[i] = -2;
        nearest[i] = -1;
        if (parent)
            parent[i] = i;
    }
    df_status status = init(&s, tile_rows, err);
    if (status == DF_OK)
        status = search_all(&s, tile_rows, err);
    for (int i = 0; s.finders && i < threads_of(rows); i++)
        free(s.finders[i]);
    free(s.finders);
    free(s.halfs);
    free(s.mean);
    free(s.scratch);
    tile_free(&s.own);
    tile_free(&s.earlier);
    pthread_mutex_destroy(&s.lock);
    return status;
}
