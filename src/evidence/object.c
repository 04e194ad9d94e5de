/* Objects and their boxes: belief, order, overlap, names of their sources. */
#include "evidence/object.h"

#include <math.h>
#include <string.h>

double df_belief(double score, double accept)
{
    if (!(score > 0))
        return 0;
    if (score >= 1)
        return 1;
    return score < accept ? 0.5 * score / accept : 0.5 + 0.5 * (score - accept) / (1 - accept);
}

double df_accept_of(const df_accept *accept, int n_accept, const char *source, double other)
{
    for (int i = 0; i < n_accept; i++)
        if (strcmp(accept[i].source, source ? source : "") == 0)
            return accept[i].score;
    return other;
}

static int compare_real(double a, double b)
{
    return (a > b) - (a < b);
}

int df_box_compare(const void *a, const void *b)
{
    const df_box *x = a, *y = b;
    int c = compare_real(y->score, x->score);
    if (c == 0)
        c = strcmp(x->label, y->label);
    if (c == 0)
        c = compare_real(x->x0, y->x0);
    if (c == 0)
        c = compare_real(x->y0, y->y0);
    if (c == 0)
        c = compare_real(x->x1, y->x1);
    if (c == 0)
        c = compare_real(x->y1, y->y1);
    if (c == 0)
        c = strcmp(x->source ? x->source : "", y->source ? y->source : "");
    return c ? c : (x->item > y->item) - (x->item < y->item);
}

int df_object_compare(const void *a, const void *b)
{
    return df_box_compare(&((const df_object *)a)->box, &((const df_object *)b)->box);
}

double df_box_area(const df_box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static double shared_area(const df_box *a, const df_box *b)
{
    const double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0),
                 h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return w > 0 && h > 0 ? w * h : 0;
}

double df_box_overlap(const df_box *a, const df_box *b)
{
    const double both = shared_area(a, b);
    return both > 0 ? both / (df_box_area(a) + df_box_area(b) - both) : 0;
}

/* The next name of a list "a+b"; its length goes to *n. */
static const char *next_name(const char *list, size_t *n)
{
    *n = strcspn(list, "+");
    return *n ? list : NULL;
}

static int compare_names(const char *a, size_t n, const char *b, size_t m)
{
    const int c = memcmp(a, b, n < m ? n : m);
    return c ? c : (n > m) - (n < m);
}

const char *df_sources_join(const char *a, const char *b, df_arena *arena)
{
    char *joined = df_arena_alloc(arena, strlen(a) + strlen(b) + 2, 1), *to = joined;
    size_t n, m;
    const char *x = next_name(a, &n), *y = next_name(b, &m);
    while (joined && (x || y)) {
        const int c = !x ? 1 : !y ? -1 : compare_names(x, n, y, m);
        if (to > joined)
            *to++ = '+';
        memcpy(to, c <= 0 ? x : y, c <= 0 ? n : m);
        to += c <= 0 ? n : m;
        if (c <= 0)
            x = next_name(x + n + (x[n] == '+'), &n);
        if (c >= 0)
            y = next_name(y + m + (y[m] == '+'), &m);
    }
    return joined;
}

int df_objects_told_first(df_object *o, int n, df_object *scratch)
{
    int told = 0;
    for (int i = 0; i < n; i++)
        if (!o[i].reason)
            scratch[told++] = o[i];
    for (int i = 0, at = told; i < n; i++)
        if (o[i].reason)
            scratch[at++] = o[i];
    for (int i = 0; i < n; i++)
        o[i] = scratch[i];
    return told;
}
