/* The assignment step of k-means for one block of rows. Bounds rule centroids out, as Elkan (ICML
 * 2003) and Hamerly (SDM 2010) do, here by groups and in int16. The others are scored in 8 bits,
 * the best of them exactly. The row is then added to the sum of its cluster. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vector/kmeans_state.h"

/* The row as floats; the block is read from disk when its first row is asked for. NULL: it could
 * not be read. */
static const float *exact_row(void *ctx, int row)
{
    df_kmeans_block *b = ctx;
    const df_rows *rows = b->km->rows;
    if (!b->has_half) {
        if (rows->read(rows->ctx, b->first, b->n, b->half, &b->read_error) != DF_OK)
            return NULL;
        b->has_half = true;
    }
    if (b->exact_row != row)
        b->km->simd->from_half(b->half + (size_t)row * (size_t)rows->d, b->exact, rows->d);
    b->exact_row = row;
    return b->exact;
}

static int16_t *bounds_of(const df_kmeans_block *b, int row)
{
    return b->km->bound + (size_t)(b->first + row) * b->km->bound_stride;
}

df_status df_kmeans_block_init(df_kmeans_block *b, df_kmeans *km, df_error *err)
{
    size_t rows = DF_MAX_DOT_ROWS, d = (size_t)km->d, groups = (size_t)km->n_groups;
    *b = (df_kmeans_block){.km = km};
    b->search = calloc(1, sizeof *b->search);
    b->half = malloc(rows * d * sizeof *b->half);
    b->exact = malloc(d * sizeof *b->exact);
    b->scratch = malloc(d * sizeof *b->scratch);
    b->code = aligned_alloc(64, rows * (size_t)km->panels.stride);
    b->row = malloc(rows * sizeof *b->row);
    b->before = malloc(rows * sizeof *b->before);
    b->all = malloc(rows * sizeof *b->all);
    b->list = malloc(groups * rows * sizeof *b->list);
    b->listed = malloc(groups * sizeof *b->listed);
    b->mask = malloc((size_t)km->groups_padded / 8);
    if (!b->search || !b->half || !b->exact || !b->scratch || !b->code || !b->row || !b->before ||
        !b->all || !b->list || !b->listed || !b->mask) {
        df_kmeans_block_free(b);
        return df_no_memory(err, "k-means");
    }
    b->search->simd = km->simd;
    b->search->panels = &km->panels;
    b->search->exact = exact_row;
    b->search->exact_ctx = b;
    b->search->bound_stride = km->bound_stride;
    b->search->group_panels = km->group_panels;
    b->search->drift = km->drift;
    return DF_OK;
}

void df_kmeans_block_free(df_kmeans_block *b)
{
    free(b->search);
    free(b->half);
    free(b->exact);
    free(b->scratch);
    free(b->code);
    free(b->row);
    free(b->before);
    free(b->all);
    free(b->list);
    free(b->listed);
    free(b->mask);
    *b = (df_kmeans_block){0};
}

/* ---- codes ---- */

static df_status cannot_read(const df_kmeans_block *b, df_error *err)
{
    return df_fail(err, DF_IO, "%s", b->read_error.message);
}

/* Codes the rows of the block in 8 bits, unless codes are kept from an earlier round. */
static df_status code_rows(df_kmeans_block *b, df_error *err)
{
    const df_kmeans *km = b->km;
    size_t stride = (size_t)km->panels.stride;
    int8_t *code = km->code ? km->code + (size_t)b->first * stride : b->code;
    df_code *row = km->code ? km->row + b->first : b->row;
    b->search->code = code;
    b->search->row = row;
    if (km->code && km->coded)
        return DF_OK;
    for (int r = 0; r < b->n; r++) {
        const float *x = exact_row(b, r);
        if (!x)
            return cannot_read(b, err);
        row[r] =
            df_code_encode(km->simd, x, km->mean, km->d, code + (size_t)r * stride, b->scratch);
        b->longest = fmaxf(b->longest, row[r].norm + row[r].error);
    }
    return DF_OK;
}

/* ---- which centroids are scored ---- */

/* Begins with the row's own centroid, scored by its codes: a row that no other centroid comes near
 * is not read from disk. */
static void start_with_own(df_kmeans_block *b, int r)
{
    df_max_dot *s = b->search;
    const df_quantised *p = s->panels;
    int32_t own = b->before[r];
    if (own < 0)
        return;
    int32_t position = b->km->position[own];
    const df_lane_scales *scale = &p->scale[position / DF_LANES];
    int32_t dot = s->simd->code_dot(s->code + (size_t)r * (size_t)p->stride,
                                    p->code + (size_t)position * (size_t)p->stride, p->stride);
    float score = (float)dot * (scale->scale[position % DF_LANES] * s->row[r].scale) +
                  (scale->bias[position % DF_LANES] + s->row[r].mean_dot);
    float window = s->row[r].error * scale->norm + s->row[r].norm * scale->error + scale->slack;
    s->best[r] = own;
    s->best_position[r] = s->skip[r] = position;
    s->best_high[r] = score + window;
    s->low[r] = score - window;
}

/* Replaces the score of the row's own centroid by the exact dot product, which prunes more. */
static bool own_exactly(df_kmeans_block *b, int r)
{
    df_max_dot *s = b->search;
    const float *x = exact_row(b, r);
    if (!x)
        return false;
    float dot = s->simd->dot(x, b->km->centroid + (size_t)s->best[r] * (size_t)b->km->d, b->km->d);
    s->best_dot[r] = s->low[r] = dot;
    s->best_high[r] = dot + s->panels->slack;
    return true;
}

/* Sets in b->mask the groups with a bound that reaches the row's best score so far. Returns whether
 * there is any. */
static bool groups_in_reach(df_kmeans_block *b, int r)
{
    const df_kmeans *km = b->km;
    int need = (int)floorf(b->search->low[r] * DF_BOUND_STEPS);
    uint64_t any = 0;
    km->simd->reach(bounds_of(b, r), km->drift, (int16_t)(need < -INT16_MAX ? -INT16_MAX : need),
                    (int)km->bound_stride, b->mask);
    if (km->n_groups % 64) /* the bounds beyond n_groups were never written */
        b->mask[km->groups_padded / 64 - 1] &= (UINT64_C(1) << km->n_groups % 64) - 1;
    for (int w = 0; w < km->groups_padded / 64; w++)
        any |= b->mask[w];
    return any != 0;
}

/* Lists the row under each group in b->mask. */
static void list_row(df_kmeans_block *b, int r)
{
    for (int w = 0; w < b->km->groups_padded / 64; w++)
        for (uint64_t bits = b->mask[w]; bits; bits &= bits - 1) {
            int group = 64 * w + __builtin_ctzll(bits);
            b->list[(size_t)group * DF_MAX_DOT_ROWS + (size_t)b->listed[group]++] = (uint16_t)r;
            /* the comparison raises it again */
            bounds_of(b, r)[group] = INT16_MIN;
        }
}

static void list_everywhere(df_kmeans_block *b, int r)
{
    b->all[b->n_all++] = (uint16_t)r;
    for (int group = 0; b->search->bound && group < b->km->n_groups; group++)
        bounds_of(b, r)[group] = INT16_MIN;
}

/* Lists, for each row, the groups of centroids that its bounds do not rule out (Elkan, ICML
 * 2003; Hamerly, SDM 2010). */
static df_status choose_groups(df_kmeans_block *b, df_error *err)
{
    const df_kmeans *km = b->km;
    b->n_all = 0;
    memset(b->listed, 0, (size_t)km->n_groups * sizeof *b->listed);
    for (int r = 0; r < b->n; r++) {
        start_with_own(b, r);
        if (!km->bounded || b->before[r] < 0) {
            if (b->before[r] >= 0 && !own_exactly(b, r))
                return cannot_read(b, err);
            list_everywhere(b, r);
            continue;
        }
        if (!groups_in_reach(b, r))
            continue;
        if (!own_exactly(b, r))
            return cannot_read(b, err);
        if (groups_in_reach(b, r))
            list_row(b, r);
    }
    return DF_OK;
}

static void look_from(df_kmeans_block *b, int first, int end, const uint16_t *rows, int n)
{
    df_max_dot_panels(b->search, first, end, rows, n);
    b->pass.n_looked += (int64_t)n * (end - first) * DF_LANES;
}

/* Scores the listed rows. Rows that are compared with all centroids take a few panels at a time,
 * which stay in the second-level cache. */
static void look(df_kmeans_block *b)
{
    enum { AT_ONCE = 8 };
    const df_kmeans *km = b->km;
    int n_panels = km->panels.n_panels;
    for (int first = 0; b->n_all && first < n_panels; first += AT_ONCE)
        look_from(b, first, first + AT_ONCE < n_panels ? first + AT_ONCE : n_panels, b->all,
                  b->n_all);
    for (int group = 0; group < km->n_groups; group++) {
        int first = group * km->group_panels, end = first + km->group_panels;
        if (b->listed[group])
            look_from(b, first, end < n_panels ? end : n_panels,
                      b->list + (size_t)group * DF_MAX_DOT_ROWS, b->listed[group]);
    }
}

df_status df_kmeans_block_search(df_kmeans_block *b, int64_t first, int n, bool exact,
                                 df_error *err)
{
    const df_kmeans *km = b->km;
    df_max_dot *s = b->search;
    assert(n >= 0 && n <= DF_MAX_DOT_ROWS && first >= 0 && n <= km->rows->n - first);
    b->first = first;
    b->n = n;
    b->has_half = s->failed = false;
    b->exact_row = -1;
    for (int r = 0; r < n; r++)
        b->before[r] = km->assign ? km->assign[first + r] : -1;
    DF_TRY(code_rows(b, err));
    /* in the first round the panels are not in their final order, so bounds would not last */
    s->bound = km->bound && km->rounds > 0 ? bounds_of(b, 0) : NULL;
    df_max_dot_begin(s, n);
    DF_TRY(choose_groups(b, err));
    look(b);
    for (int r = 0; r < n; r++) {
        int64_t seen = s->n_exact;
        df_max_dot_settle(s, r, exact);
        b->pass.n_rechecked += s->n_exact > seen;
    }
    return s->failed ? cannot_read(b, err) : DF_OK;
}

df_status df_kmeans_block_add(df_kmeans_block *b, df_error *err)
{
    df_kmeans *km = b->km;
    for (int r = 0; r < b->n; r++) {
        int32_t from = b->before[r], to = b->search->best[r];
        if (from == to)
            continue;
        const float *x = exact_row(b, r);
        if (!x)
            return cannot_read(b, err);
        for (int side = 0; side < 2; side++) {
            int32_t c = side ? to : from;
            if (c < 0)
                continue;
            pthread_mutex_lock(&km->lock[c % DF_KMEANS_LOCKS]);
            km->simd->add_row(km->sum + (size_t)c * (size_t)km->d, x, side ? 1 : -1, km->d);
            km->count[c] += side ? 1 : -1;
            pthread_mutex_unlock(&km->lock[c % DF_KMEANS_LOCKS]);
        }
        if (km->assign)
            km->assign[b->first + r] = to;
        b->pass.n_moved++;
    }
    return DF_OK;
}
