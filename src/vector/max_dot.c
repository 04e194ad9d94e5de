/* The search for the largest dot product: scores in 8 bits, a short list of candidates for each
 * row, exact dot products for those that the scores cannot separate. */
#include "vector/max_dot.h"

#include <assert.h>
#include <math.h>

void df_max_dot_begin(df_max_dot *s, int n_rows)
{
    assert(n_rows >= 0 && n_rows <= DF_MAX_DOT_ROWS);
    s->n_rows = n_rows;
    for (int r = 0; r < n_rows; r++) {
        s->end[r] = s->panels->n;
        s->skip[r] = s->best[r] = s->best_position[r] = -1;
        s->low[r] = s->best_dot[r] = s->best_high[r] = DF_MAX_DOT_NONE;
        s->n_candidates[r] = 0;
    }
}

/* steps: the new bound, the group's drift already subtracted. */
static void raise_bound(int16_t *bound, int steps)
{
    if (steps > *bound)
        *bound = (int16_t)(steps > INT16_MAX ? INT16_MAX : steps);
}

/* The group of a panel. The division costs time, and most searches have one panel in a group. */
static int group_of(const df_max_dot *s, int panel)
{
    return s->group_panels == 1 ? panel : panel / s->group_panels;
}

/* Records that the vector at `position` lost with a dot product of at most `high`. */
static void pass_over(const df_max_dot *s, int row, int32_t position, float high)
{
    if (!s->bound || position < 0)
        return;
    int group = group_of(s, position / DF_LANES);
    raise_bound(s->bound + (size_t)row * s->bound_stride + group,
                (int)ceilf(high * DF_BOUND_STEPS) - s->drift[group]);
}

static float exact_dot(df_max_dot *s, int row, int32_t position)
{
    const float *x = s->exact(s->exact_ctx, row);
    s->failed = s->failed || !x;
    s->n_exact++;
    const df_quantised *p = s->panels;
    return x ? s->simd->dot(x, p->vector + (size_t)p->order[position] * (size_t)p->d, p->d)
             : DF_MAX_DOT_NONE;
}

/* Makes the vector at `position` the row's best, in place of the old one. */
static void take_lead(df_max_dot *s, int row, int32_t position, float dot, float high)
{
    pass_over(s, row, s->best_position[row], s->best_high[row]);
    s->best[row] = s->panels->order[position];
    s->best_position[row] = position;
    s->best_dot[row] = dot;
    s->best_high[row] = high;
    s->low[row] = fmaxf(s->low[row], dot);
}

/* Computes the exact dot product and keeps the better of this vector and the best so far. */
static void compare_exactly(df_max_dot *s, int row, int32_t position)
{
    float dot = exact_dot(s, row, position), high = dot + s->panels->slack;
    int32_t number = s->panels->order[position];
    if (dot > s->best_dot[row] || (dot == s->best_dot[row] && number < s->best[row]))
        take_lead(s, row, position, dot, high);
    else
        pass_over(s, row, position, high);
}

/* Drops the candidates that can no longer win; returns how many are left. */
static int prune(df_max_dot *s, int row)
{
    df_max_dot_candidate *c = s->candidate[row];
    int n = 0;
    for (int i = 0; i < s->n_candidates[row]; i++) {
        if (c[i].high < s->low[row])
            pass_over(s, row, c[i].position, c[i].high);
        else
            c[n++] = c[i];
    }
    s->n_candidates[row] = n;
    return n;
}

/* A best vector without an exact dot product rules out none: it joins the candidates. */
static void demote(df_max_dot *s, int row)
{
    if (s->best[row] < 0 || s->best_dot[row] > DF_MAX_DOT_NONE)
        return;
    int32_t position = s->best_position[row];
    s->best[row] = s->best_position[row] = -1;
    compare_exactly(s, row, position);
}

/* Puts the candidate with the highest upper bound first: its exact dot product may rule out the
 * others. */
static void swap_first(df_max_dot_candidate *c, int n)
{
    int first = 0;
    for (int i = 1; i < n; i++)
        first = c[i].high > c[first].high ? i : first;
    df_max_dot_candidate held = c[0];
    c[0] = c[first];
    c[first] = held;
}

void df_max_dot_settle(df_max_dot *s, int row, bool exact)
{
    int n = prune(s, row);
    df_max_dot_candidate *c = s->candidate[row];
    s->n_candidates[row] = 0;
    if (n == 1 && !exact && s->best_high[row] < s->low[row]) {
        take_lead(s, row, c[0].position, DF_MAX_DOT_NONE, c[0].high);
        return;
    }
    if (n > 0 || exact)
        demote(s, row);
    if (n > 1)
        swap_first(c, n);
    for (int i = 0; i < n; i++) {
        if (c[i].high < s->low[row])
            pass_over(s, row, c[i].position, c[i].high);
        else
            compare_exactly(s, row, c[i].position);
    }
}

/* Adds the lanes of a panel that may hold the largest dot product to the row's candidates. */
static void add_hits(df_max_dot *s, int row, int panel, unsigned hits, const float *score,
                     float window)
{
    float top = s->low[row];
    for (unsigned h = hits; h; h &= h - 1)
        top = fmaxf(top, score[__builtin_ctz(h)] - window);
    s->low[row] = top;
    for (; hits; hits &= hits - 1) {
        int lane = __builtin_ctz(hits);
        float high = score[lane] + window;
        int32_t position = panel * DF_LANES + lane;
        if (high < s->low[row]) {
            pass_over(s, row, position, high);
            continue;
        }
        if (s->n_candidates[row] == DF_MAX_DOT_CANDIDATES && prune(s, row) == DF_MAX_DOT_CANDIDATES)
            df_max_dot_settle(s, row, true);
        s->candidate[row][s->n_candidates[row]++] = (df_max_dot_candidate){position, high};
    }
}

/* Eight rows that pass along the panels together, with what stays the same from panel to panel. */
typedef struct {
    int n;
    const uint16_t *rows;
    const int8_t *code[DF_TILE];
    int32_t start[DF_TILE];
    int skip_panel[DF_TILE];
    uint16_t skip_lane[DF_TILE];             /* as a bit mask */
    int least_end;                           /* the smallest `end` of the rows */
    int16_t *bound[DF_TILE];
    df_tile_scores scores;
} tile;

/* Gathers the codes and bounds of the rows of a tile. */
static void fill_tile(const df_max_dot *s, const uint16_t *rows, int n, tile *t)
{
    t->n = n;
    t->rows = rows;
    t->least_end = s->end[rows[0]];
    t->scores.bounded = s->bound != NULL;
    for (int i = 0; i < DF_TILE; i++) {
        int row = rows[i < n ? i : 0];
        const df_code *c = &s->row[row];
        t->code[i] = s->code + (size_t)row * (size_t)s->panels->stride;
        t->start[i] = c->start;
        t->scores.row_scale[i] = c->scale;
        t->scores.row_bias[i] = c->mean_dot;
        t->scores.row_error[i] = c->error;
        t->scores.row_norm[i] = c->norm;
        t->scores.low[i] = s->low[row];
        t->skip_panel[i] = s->skip[row] < 0 ? -1 : s->skip[row] / DF_LANES;
        t->skip_lane[i] = (uint16_t)(1U << (s->skip[row] & (DF_LANES - 1)));
        t->least_end = s->end[row] < t->least_end ? s->end[row] : t->least_end;
        t->bound[i] = s->bound ? s->bound + (size_t)row * s->bound_stride : NULL;
    }
}

/* Marks the lanes of this panel that a row must not see: the one that it skips, and those at or
 * beyond its end. */
static void leave_out_lanes(const df_max_dot *s, int panel, tile *t)
{
    for (int i = 0; i < DF_TILE; i++)
        t->scores.skip[i] = t->skip_panel[i] == panel ? t->skip_lane[i] : 0;
    for (int i = 0; t->least_end < (panel + 1) * DF_LANES && i < DF_TILE; i++) {
        int seen = s->end[t->rows[i < t->n ? i : 0]] - panel * DF_LANES;
        if (seen < DF_LANES)
            t->scores.skip[i] |= (uint16_t)(0xFFFFU << (seen < 0 ? 0 : seen));
    }
}

static void raise_bounds(const df_max_dot *s, int panel, tile *t)
{
    int group = group_of(s, panel), drift = s->drift[group];
    for (int i = 0; i < t->n; i++)
        raise_bound(t->bound[i] + group, t->scores.bound[i] - drift);
}

/* Scores the rows of a tile against one panel of centroids and keeps the candidates. */
static void search_tile(df_max_dot *s, int panel, tile *t)
{
    const df_quantised *p = s->panels;
    int32_t dots[DF_TILE][DF_LANES];
    s->simd->tile(p->panel + (size_t)panel * DF_LANES * (size_t)p->stride, t->code, t->start,
                  p->stride, dots);
    leave_out_lanes(s, panel, t);
    s->simd->scores((const int32_t(*)[DF_LANES])dots, &p->scale[panel], &t->scores);
    if (s->bound)
        raise_bounds(s, panel, t);
    for (int i = 0; i < t->n; i++)
        if (t->scores.hit[i]) {
            add_hits(s, t->rows[i], panel, t->scores.hit[i], t->scores.score[i],
                     t->scores.window[i]);
            t->scores.low[i] = s->low[t->rows[i]];
        }
}

/* What must be true of a list of rows: each is one of the block. */
static bool __attribute__((unused)) are_rows(const df_max_dot *s, const uint16_t *rows, int n)
{
    for (int i = 0; i < n; i++)
        if (rows[i] >= s->n_rows)
            return false;
    return n <= DF_MAX_DOT_ROWS;
}

void df_max_dot_panels(df_max_dot *s, int first, int end, const uint16_t *rows, int n)
{
    assert(first >= 0 && end <= s->panels->n_panels && are_rows(s, rows, n));
    tile t = {0};
    for (int i = 0; i < n; i += DF_TILE) {
        fill_tile(s, rows + i, n - i < DF_TILE ? n - i : DF_TILE, &t);
        for (int panel = first; panel < end; panel++)
            search_tile(s, panel, &t);
    }
}
