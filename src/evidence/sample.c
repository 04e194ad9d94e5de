/* Balanced sampling of objects by size and label. */
#include "evidence/sample.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const df_box *box;
    int index, rank;
    df_box_size size;
} candidate;

df_box_size df_box_size_of(const df_box *b, int64_t width, int64_t height,
                           const df_sample_options *options)
{
    const double image = (double)width * (double)height,
                 share = image > 0 ? df_box_area(b) / image : 0;
    return share < options->small_area   ? DF_SIZE_SMALL
           : share < options->large_area ? DF_SIZE_MEDIUM
                                         : DF_SIZE_LARGE;
}

/* By size and label, the best first within each. */
static int by_label(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    const int c = strcmp(x->box->label, y->box->label);
    return c ? c : x->index - y->index;
}

/* The best of every label, then the second of every label, and so on; within a turn by belief. */
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

/* Marks the kept objects: first as many of each size as its quota allows, then others while there
 * is room. c is in the order of turns. */
static void fill_quotas(const candidate *c, int n, const df_sample_options *options, bool *keep)
{
    const int budget = (int)options->budget;
    int quota[DF_SIZES], left = budget;
    quota[DF_SIZE_SMALL] = (int)floor(options->small_quota * budget);
    quota[DF_SIZE_MEDIUM] =
        (int)fmin(floor(options->medium_quota * budget), budget - quota[DF_SIZE_SMALL]);
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
}

/* Extends the box b over another, for which it then stands, too. */
static void widen(df_box *b, const df_box *by)
{
    b->x0 = fmin(b->x0, by->x0);
    b->y0 = fmin(b->y0, by->y0);
    b->x1 = fmax(b->x1, by->x1);
    b->y1 = fmax(b->y1, by->y1);
    b->count = (b->count > 1 ? b->count : 1) + 1;
}

/* Gives each object that is not kept a reason, and counts it into the last kept one of its size and
 * label. c is sorted by by_label. */
static void count_the_rest(const candidate *c, int n, df_object *objects, const bool *keep)
{
    for (int start = 0, end; start < n; start = end) {
        int last = -1;
        for (end = start; end < n && c[end].size == c[start].size &&
                          strcmp(c[end].box->label, c[start].box->label) == 0;
             end++)
            if (keep[c[end].index])
                last = c[end].index;
        for (int i = start; i < end; i++) {
            df_object *o = &objects[c[i].index];
            if (keep[c[i].index])
                continue;
            const bool counted = last >= 0 && c[i].size != DF_SIZE_LARGE;
            o->reason = counted ? "counted" : "budget";
            if (counted)
                widen(&objects[last].box, &o->box);
        }
    }
}

/* What must be true of told objects: none has a reason to be left out, and belief falls. */
static bool __attribute__((unused)) are_told(const df_object *objects, int n)
{
    for (int i = 0; i < n; i++)
        if (objects[i].reason || (i && objects[i].box.score > objects[i - 1].box.score))
            return false;
    return true;
}

int df_sample_objects(df_object *objects, int n, int64_t width, int64_t height,
                      const df_sample_options *options, df_arena *arena)
{
    assert(are_told(objects, n));
    if (n <= options->budget)
        return n;
    candidate *c = df_arena_alloc(arena, (size_t)n, sizeof *c);
    bool *keep = df_arena_alloc(arena, (size_t)n, sizeof *keep);
    df_object *scratch = df_arena_alloc(arena, (size_t)n, sizeof *scratch);
    if (!c || !keep || !scratch)
        return -1;
    for (int i = 0; i < n; i++)
        c[i] = (candidate){&objects[i].box, i, 0,
                           df_box_size_of(&objects[i].box, width, height, options)};
    number_turns(c, n);
    fill_quotas(c, n, options, keep);
    qsort(c, (size_t)n, sizeof *c, by_label);
    count_the_rest(c, n, objects, keep);
    return df_objects_told_first(objects, n, scratch);
}
