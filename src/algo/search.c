#include "algo/search.h"

#include <math.h>

void df_search_begin(df_search *s, int n_rows)
{
    s->n_rows = n_rows;
    for (int r = 0; r < n_rows; r++) {
        s->end[r] = s->panels->n;
        s->skip[r] = s->best[r] = s->best_position[r] = -1;
        s->low[r] = s->best_dot[r] = s->best_high[r] = DF_SEARCH_NONE;
        s->n_candidates[r] = 0;
    }
}

static void pass_over(df_search *s, int row, int32_t position, float high)
{
    if (s->passed && position >= 0)
        s->passed(s->passed_ctx, row, position / DF_PANEL, high);
}

static float exact_dot(df_search *s, int row, int32_t position)
{
    const float *x = s->exact(s->exact_ctx, row);
    s->failed = s->failed || !x;
    s->n_exact++;
    const df_panels *p = s->panels;
    return x ? s->simd->dot(x, p->vector + (size_t)p->order[position] * (size_t)p->d, p->d) : DF_SEARCH_NONE;
}

static void lead(df_search *s, int row, int32_t position, float dot, float high)
{
    pass_over(s, row, s->best_position[row], s->best_high[row]);
    s->best[row] = s->panels->order[position];
    s->best_position[row] = position;
    s->best_dot[row] = dot;
    s->best_high[row] = high;
    s->low[row] = fmaxf(s->low[row], dot);
}

static void compare(df_search *s, int row, int32_t position)
{
    float dot = exact_dot(s, row, position), high = dot + s->panels->slack;
    int32_t number = s->panels->order[position];
    if (dot > s->best_dot[row] || (dot == s->best_dot[row] && number < s->best[row]))
        lead(s, row, position, dot, high);
    else
        pass_over(s, row, position, high);
}

/* Candidates that fell behind are passed over; returns how many are left. */
static int prune(df_search *s, int row)
{
    df_candidate *c = s->candidate[row];
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

/* A leader without a dot product holds nobody off: it joins the candidates. */
static void demote(df_search *s, int row)
{
    if (s->best[row] < 0 || s->best_dot[row] > DF_SEARCH_NONE)
        return;
    int32_t position = s->best_position[row];
    s->best[row] = s->best_position[row] = -1;
    compare(s, row, position);
}

void df_search_settle(df_search *s, int row, bool exact)
{
    int n = prune(s, row);
    if (n == 1 && !exact && s->best_high[row] < s->low[row]) {
        df_candidate only = s->candidate[row][0];
        s->n_candidates[row] = 0;
        lead(s, row, only.position, DF_SEARCH_NONE, only.high);
        return;
    }
    if (n > 0 || exact)
        demote(s, row);
    for (int i = 0; i < n; i++) {
        if (s->candidate[row][i].high < s->low[row])
            pass_over(s, row, s->candidate[row][i].position, s->candidate[row][i].high);
        else
            compare(s, row, s->candidate[row][i].position);
    }
    s->n_candidates[row] = 0;
}

static void add_hits(df_search *s, int row, int panel, unsigned hits, const float *score, float window)
{
    float top = s->low[row];
    for (unsigned h = hits; h; h &= h - 1)
        top = fmaxf(top, score[__builtin_ctz(h)] - window);
    s->low[row] = top;
    for (; hits; hits &= hits - 1) {
        int lane = __builtin_ctz(hits);
        float high = score[lane] + window;
        int32_t position = panel * DF_PANEL + lane;
        if (high < s->low[row]) {
            pass_over(s, row, position, high);
            continue;
        }
        if (s->n_candidates[row] == DF_SEARCH_CANDIDATES && prune(s, row) == DF_SEARCH_CANDIDATES)
            df_search_settle(s, row, true);
        s->candidate[row][s->n_candidates[row]++] = (df_candidate){position, high};
    }
}

static uint16_t lanes_left_out(const df_search *s, int row, int panel)
{
    int first = panel * DF_PANEL, skip = s->skip[row] - first, seen = s->end[row] - first;
    unsigned out = seen >= DF_PANEL ? 0 : 0xFFFFU << (seen < 0 ? 0 : seen);
    return (uint16_t)(skip >= 0 && skip < DF_PANEL ? out | 1U << skip : out);
}

static void search_tile(df_search *s, int panel, const uint16_t *rows, int n)
{
    const df_panels *p = s->panels;
    const int8_t *code[DF_TILE];
    int32_t start[DF_TILE], dots[DF_TILE][DF_PANEL];
    float window[DF_TILE];
    df_tile_scores t;
    for (int i = 0; i < DF_TILE; i++) {
        int row = rows[i < n ? i : 0];
        code[i] = s->code + (size_t)row * (size_t)p->stride;
        start[i] = s->row[row].start;
        window[i] = df_panels_window(p, panel, &s->row[row]);
        t.row_scale[i] = s->row[row].scale;
        t.row_bias[i] = s->row[row].mean_dot;
        t.threshold[i] = s->low[row] - window[i];
        t.skip[i] = lanes_left_out(s, row, panel);
    }
    s->simd->tile(p->panel + (size_t)panel * DF_PANEL * (size_t)p->stride, code, start, p->stride, dots);
    s->simd->scores((const int32_t(*)[DF_PANEL])dots, &p->scale[panel], &t);
    for (int i = 0; i < n; i++) {
        if (s->passed)
            s->passed(s->passed_ctx, rows[i], panel, t.highest[i] + window[i]);
        if (t.hit[i])
            add_hits(s, rows[i], panel, t.hit[i], t.score[i], window[i]);
    }
}

void df_search_panel(df_search *s, int panel, const uint16_t *rows, int n)
{
    for (int i = 0; i < n; i += DF_TILE)
        search_tile(s, panel, rows + i, n - i < DF_TILE ? n - i : DF_TILE);
}
