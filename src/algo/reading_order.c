#include "algo/reading_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double lowest(const double v[4])
{
    return fmin(fmin(v[0], v[1]), fmin(v[2], v[3]));
}

static double highest(const double v[4])
{
    return fmax(fmax(v[0], v[1]), fmax(v[2], v[3]));
}

static double middle(const df_line *l)
{
    return (lowest(l->y) + highest(l->y)) / 2;
}

static int compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int by_middle(const void *a, const void *b)
{
    const df_line *p = a, *q = b;
    int order = compare(middle(p), middle(q));
    order = order ? order : compare(lowest(p->x), lowest(q->x));
    return order ? order : strcmp(p->text, q->text);
}

static int by_left(const void *a, const void *b)
{
    const df_line *p = a, *q = b;
    int order = compare(lowest(p->x), lowest(q->x));
    return order ? order : by_middle(a, b);
}

/* Compared with the row's first line, not with its last: a slope of lines must not become one row. */
static bool same_row(const df_line *first, const df_line *l)
{
    double smaller = fmin(highest(first->y) - lowest(first->y), highest(l->y) - lowest(l->y));
    return fabs(middle(l) - middle(first)) <= smaller / 2;
}

void df_reading_order(df_line *lines, int n)
{
    if (n < 2)
        return;
    qsort(lines, (size_t)n, sizeof *lines, by_middle);
    for (int start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && same_row(&lines[start], &lines[end]);)
            end++;
        qsort(lines + start, (size_t)(end - start), sizeof *lines, by_left);
    }
}
