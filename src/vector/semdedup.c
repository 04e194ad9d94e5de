/* A cluster of any size in bounded memory: a tile of rows is held against every earlier tile, one
 * after another, and against itself. A row meets earlier rows in rising order, so the first of
 * equals wins, whichever thread computes.
 *
 *          earlier >
 *   rows   [A A]
 *    v     [A B] [B B]           Threads share a pair of tiles: each takes
 *          [A C] [B C] [C C]     stripes of its rows. */
#include "vector/semdedup.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "vector/dot.h"
#include "vector/half.h"
#include "vector/max_dot.h"

enum { STRIPE = 256, READ_ROWS = DF_SEMDEDUP_READ };

typedef struct {
    int64_t first, n;
    float *x;                                /* [n, dim] */
    df_code *code;                           /* [n]; the bytes are in panels.code */
    df_quantised panels;
} tile;

/* One thread's search. */
typedef struct {
    df_max_dot search;
    const float *x;                          /* the stripe's rows */
    int dim;
    uint16_t all[STRIPE];                    /* 0, 1, ... */
} finder;

typedef struct {
    const df_semdedup_rows *rows;
    float threshold;                         /* pairs above it are in one group */
    float *similarity;
    int64_t *nearest, *parent;
    tile own, earlier; /* earlier.n is 0 while own is compared with itself */
    uint16_t *halfs;
    float *mean, *scratch; /* [dim] */
    finder **finders; /* [n_threads] */
    pthread_mutex_t lock; /* of parent */
} search;

/* ---- groups: union-find with path halving ---- */

static int64_t root_of(int64_t *parent, int64_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Unites the groups of rows a and b. The earlier root stays the root, so a group's root is its
 * first row in whatever order pairs come. The caller holds the lock. */
static void join_groups(search *s, int64_t a, int64_t b)
{
    a = root_of(s->parent, a);
    b = root_of(s->parent, b);
    if (a < b)
        s->parent[b] = a;
    else
        s->parent[a] = b;
}

/* ---- a tile against an earlier one ---- */

static const float *exact_row(void *ctx, int row)
{
    const finder *f = ctx;
    return f->x + (size_t)row * (size_t)f->dim;
}

/* Compares each row of the stripe with the panels that hold earlier rows. */
static void compare_panels(finder *f, int64_t first, int n, bool self)
{
    for (int panel = 0; panel < f->search.panels->n_panels; panel++) {
        int64_t from = self ? (int64_t)panel * DF_LANES + 1 - first : 0;
        from = from > 0 ? from : 0;
        if (from >= n)
            break;
        df_max_dot_panels(&f->search, panel, panel + 1, f->all + from, n - (int)from);
    }
}

/* Searches the earlier tile for each row's nearest. A row keeps the nearest that it found in tiles
 * before unless this one is strictly nearer, so of equals the earlier row wins. */
static void search_stripe(const search *s, finder *f, int64_t first, int n, const tile *earlier)
{
    df_max_dot *q = &f->search;
    bool self = earlier == &s->own;
    f->x = s->own.x + (size_t)first * (size_t)s->rows->dim;
    q->panels = &earlier->panels;
    q->code = s->own.panels.code + (size_t)first * (size_t)s->own.panels.stride;
    q->row = s->own.code + first;
    df_max_dot_begin(q, n);
    for (int r = 0; r < n; r++) {
        q->end[r] = (int32_t)(self ? first + r : earlier->n);
        q->low[r] = s->similarity[s->own.first + first + r];
    }
    compare_panels(f, first, n, self);
    for (int r = 0; r < n; r++) {
        int64_t row = s->own.first + first + r;
        df_max_dot_settle(q, r, true);
        if (q->best[r] < 0 || !(q->best_dot[r] > s->similarity[row]))
            continue;
        s->similarity[row] = q->best_dot[r];
        s->nearest[row] = earlier->first + q->best[r];
    }
}

/* The 8-bit scores are upper bounds. Computes the exact dot products of the lanes that pass and
 * returns those that are above the threshold. */
static unsigned lanes_above(const search *s, const finder *f, int row, const tile *earlier,
                            int panel, const df_tile_scores *t, int of_tile)
{
    unsigned above = 0;
    for (unsigned hits = t->hit[of_tile]; hits; hits &= hits - 1) {
        int lane = __builtin_ctz(hits), dim = s->rows->dim;
        const float *y = earlier->x + ((size_t)panel * DF_LANES + (size_t)lane) * (size_t)dim;
        if (t->score[of_tile][lane] - t->window[of_tile] > s->threshold ||
            f->search.simd->dot(f->x + (size_t)row * (size_t)dim, y, dim) > s->threshold)
            above |= 1U << lane;
    }
    return above;
}

/* Unites each of the stripe's rows [first, first + n) with every row of the panel that is above the
 * threshold: groups need all such pairs, not the nearest alone. n <= DF_TILE. */
static void join_tile(search *s, const finder *f, int first, int n, const tile *earlier, int panel)
{
    const df_max_dot *q = &f->search;
    const int8_t *code[DF_TILE];
    int32_t start[DF_TILE], dots[DF_TILE][DF_LANES];
    df_tile_scores t = {.bounded = false};
    for (int i = 0; i < DF_TILE; i++) {
        int row = first + (i < n ? i : 0), seen = q->end[row] - panel * DF_LANES;
        code[i] = q->code + (size_t)row * (size_t)q->panels->stride;
        start[i] = q->row[row].start;
        t.row_scale[i] = q->row[row].scale;
        t.row_bias[i] = q->row[row].mean_dot;
        t.row_error[i] = q->row[row].error;
        t.row_norm[i] = q->row[row].norm;
        t.low[i] = s->threshold;
        t.skip[i] = (uint16_t)(seen >= DF_LANES ? 0 : 0xFFFFU << (seen < 0 ? 0 : seen));
    }
    q->simd->tile(q->panels->panel + (size_t)panel * DF_LANES * (size_t)q->panels->stride, code,
                  start, q->panels->stride, dots);
    q->simd->scores((const int32_t(*)[DF_LANES])dots, &q->panels->scale[panel], &t);
    for (int i = 0; i < n; i++) {
        unsigned above = lanes_above(s, f, first + i, earlier, panel, &t, i);
        if (!above)
            continue;
        int64_t row = s->own.first + (f->x - s->own.x) / s->rows->dim + first + i;
        pthread_mutex_lock(&s->lock);
        for (; above; above &= above - 1)
            join_groups(s, row, earlier->first + (int64_t)panel * DF_LANES + __builtin_ctz(above));
        pthread_mutex_unlock(&s->lock);
    }
}

/* Unites the rows of the stripe with the earlier rows that are above the threshold. */
static void join_stripe(search *s, const finder *f, int n, const tile *earlier)
{
    for (int panel = 0; panel < earlier->panels.n_panels; panel++)
        for (int first = 0; first < n; first += DF_TILE) {
            int last = first + DF_TILE < n ? first + DF_TILE : n;
            if (f->search.end[last - 1] > panel * DF_LANES)
                join_tile(s, f, first, last - first, earlier, panel);
        }
}

/* Compares one stripe of rows with the earlier tile. Runs on the thread pool. */
static df_status work_stripe(void *ctx, int64_t item, int thread, df_error *err)
{
    search *s = ctx;
    const tile *earlier = s->earlier.n ? &s->earlier : &s->own;
    int64_t first = item * STRIPE, n = s->own.n - first < STRIPE ? s->own.n - first : STRIPE;
    (void)err;
    search_stripe(s, s->finders[thread], first, (int)n, earlier);
    if (s->parent)
        join_stripe(s, s->finders[thread], (int)n, earlier);
    return DF_OK;
}

/* ---- tiles ---- */

/* The mean that is subtracted before coding, from the first rows. Any vector would do; the nearer
 * it is to all rows, the smaller are the error windows. */
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

/* Reads a tile of vectors and codes them in 8 bits around their mean. */
static df_status load_tile(search *s, tile *t, int64_t first, int64_t n, df_error *err)
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
    DF_TRY(df_quantised_fill(&t->panels, simd, t->x, (int)n, NULL, err));
    for (int64_t i = 0; i < n; i++)
        t->code[i] =
            df_code_encode(simd, t->x + (size_t)i * d, s->mean, s->rows->dim,
                           t->panels.code + (size_t)i * (size_t)t->panels.stride, s->scratch);
    return DF_OK;
}

static df_status meet_tiles(search *s, df_error *err)
{
    return df_pool_run(s->rows->n_threads, (s->own.n + STRIPE - 1) / STRIPE, work_stripe, s, err);
}

/* *x: the row, in memory or read into `buffer`. */
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

/* Makes every row point to the first row of its group and computes their dot product. The last tile
 * is still in memory: when it is the only one, nothing is read again. */
static df_status settle_groups(search *s, df_error *err)
{
    float *buffer = malloc(2 * (size_t)s->rows->dim * sizeof *buffer);
    df_status status = buffer ? DF_OK : df_no_memory(err, "compare a cluster");
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

/* Compares every tile with those before it and with itself. */
static df_status search_all(search *s, int64_t tile_rows, df_error *err)
{
    int64_t n = s->rows->n;
    for (int64_t first = 0; first < n; first += tile_rows) {
        DF_TRY(load_tile(s, &s->own, first, n - first < tile_rows ? n - first : tile_rows, err));
        for (int64_t before = 0; before < first; before += tile_rows) {
            DF_TRY(load_tile(s, &s->earlier, before, tile_rows, err));
            DF_TRY(meet_tiles(s, err));
        }
        s->earlier.n = 0;
        DF_TRY(meet_tiles(s, err));
    }
    return s->parent ? settle_groups(s, err) : DF_OK;
}

/* Memory that one row of a tile takes. */
static size_t row_bytes(const df_semdedup_rows *rows)
{
    return (size_t)rows->dim * sizeof(float) + 2 * (size_t)df_code_stride(rows->dim) +
           sizeof(df_code) + 16;
}

/* Rows in a tile: all when memory holds them, else half of what it holds, since two tiles are
 * compared. */
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
    return t->x && t->code ? df_quantised_init(&t->panels, (int)n, s->rows->dim, s->mean, err)
                           : df_no_memory(err, "compare a cluster of %lld", (long long)s->rows->n);
}

static void tile_free(tile *t)
{
    free(t->x);
    free(t->code);
    df_quantised_free(&t->panels);
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

/* Makes room for one tile, for a second where the cluster does not fit into one, and for each
 * thread. */
static df_status search_init(search *s, int64_t tile_rows, df_error *err)
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
        return df_no_memory(err, "compare a cluster of %lld", (long long)s->rows->n);
    DF_TRY(tile_init(&s->own, s, tile_rows, err));
    return tile_rows < s->rows->n ? tile_init(&s->earlier, s, tile_rows, err) : DF_OK;
}

/* What must be true of the result: a row's nearest is an earlier one, and its parent is the first
 * of its group, which is its own parent. */
static bool __attribute__((unused)) points_back(const search *s)
{
    for (int64_t i = 0; i < s->rows->n; i++) {
        if (s->nearest[i] < -1 || s->nearest[i] >= i)
            return false;
        const int64_t parent = s->parent ? s->parent[i] : i;
        if (parent < 0 || parent > i || (s->parent && s->parent[parent] != parent))
            return false;
    }
    return true;
}

df_status df_semdedup_nearest(const df_semdedup_rows *rows, double eps, float *similarity,
                              int64_t *nearest, int64_t *parent, df_error *err)
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
    df_status status = search_init(&s, tile_rows, err);
    if (status == DF_OK)
        status = search_all(&s, tile_rows, err);
    assert(status != DF_OK || points_back(&s));
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
