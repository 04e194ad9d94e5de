#include "algo/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/merge.h"

typedef struct { const df_box *box; int index, rank; df_box_size size; } candidate;

df_box_size df_box_size_of(const df_box *b, int64_t width, int64_t height, const df_sample_options *options)
{
    const double image = (double)width * (double)height, share = image > 0 ? df_box_area(b) / image : 0;
    return share < options->small_area ? DF_SIZE_SMALL : share < options->large_area ? DF_SIZE_MEDIUM : DF_SIZE_LARGE;
}

/* Groups of one size and label, best first. */
static int by_label(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    const int c = strcmp(x->box->label, y->box->label);
    return c ? c : x->index - y->index;
}

/* Each label's best, then each label's second, ...; among equals by score. */
static int by_turn(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : x->index - y->index;
}

static void number_turns(candidate *c, int n)
{
    qsort(c, (size_t)n, sizeof *c, by_label);
    for (int i = 1; i < n; i++)
        if (c[i].size == c[i - 1].size && strcmp(c[i].box->label, c[i - 1].box->label) == 0)
            c[i].rank = c[i - 1].rank + 1;
    qsort(c, (size_t)n, sizeof *c, by_turn);
}

int df_sample_boxes(df_box *boxes, int n, int64_t width, int64_t height, const df_sample_options *options, df_arena *arena)
{
    if (n <= options->budget)
        return n;
    candidate *c = df_arena_alloc(arena, (size_t)n, sizeof *c);
    bool *keep = df_arena_alloc(arena, (size_t)n, sizeof *keep);
    if (!c || !keep)
        return -1;
    for (int i = 0; i < n; i++)
        c[i] = (candidate){&boxes[i], i, 0, df_box_size_of(&boxes[i], width, height, options)};
    number_turns(c, n);
    const int budget = (int)options->budget;
    int quota[DF_SIZES], left = budget;
    quota[DF_SIZE_SMALL] = (int)floor(options->small_quota * budget);
    quota[DF_SIZE_MEDIUM] = (int)fmin(floor(options->medium_quota * budget), budget - quota[DF_SIZE_SMALL]);
    quota[DF_SIZE_LARGE] = budget - quota[DF_SIZE_SMALL] - quota[DF_SIZE_MEDIUM];
    for (int i = 0; i < n; i++)
        if (quota[c[i].size] > 0) {
            quota[c[i].size]--;
            keep[c[i].index] = true;
            left--;
        }
    for (int i = 0; i < n && left > 0; i++)
        if (!keep[c[i].index]) {
            keep[c[i].index] = true;
            left--;
        }
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (keep[i])
            boxes[kept++] = boxes[i];
    return kept;
}
