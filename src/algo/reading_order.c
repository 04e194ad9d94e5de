#include "algo/reading_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct { df_line line; double left, top, bottom; } placed;   /* as on the page turned level */

static int compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int by_value(const void *a, const void *b)
{
    return compare(*(const double *)a, *(const double *)b);
}

/* Median direction of the lines that are less than 45 degrees off level; 0 when there is none. angles: scratch [n]. */
static double page_angle(const df_line *lines, int n, double *angles)
{
    int n_level = 0;
    for (int i = 0; i < n; i++) {
        double dx = lines[i].x[1] - lines[i].x[0], dy = lines[i].y[1] - lines[i].y[0];
        if (dx > fabs(dy))
            angles[n_level++] = atan2(dy, dx);
    }
    qsort(angles, (size_t)n_level, sizeof *angles, by_value);
    return n_level ? angles[n_level / 2] : 0;
}

static placed place(const df_line *l, double angle)
{
    const double c = cos(angle), s = sin(angle);
    placed p = {.line = *l, .left = INFINITY, .top = INFINITY, .bottom = -INFINITY};
    for (int i = 0; i < 4; i++) {
        double along = l->x[i] * c + l->y[i] * s, down = l->y[i] * c - l->x[i] * s;
        p.left = fmin(p.left, along);
        p.top = fmin(p.top, down);
        p.bottom = fmax(p.bottom, down);
    }
    return p;
}

static int by_middle(const void *a, const void *b)
{
    const placed *p = a, *q = b;
    int order = compare(p->top + p->bottom, q->top + q->bottom);
    order = order ? order : compare(p->left, q->left);
    return order ? order : strcmp(p->line.text, q->line.text);
}

static int by_left(const void *a, const void *b)
{
    const placed *p = a, *q = b;
    int order = compare(p->left, q->left);
    return order ? order : by_middle(a, b);
}

/* Compared with the row's first line, not with its last: a staircase of lines must not become one row. */
static bool same_row(const placed *first, const placed *p)
{
    double smaller = fmin(first->bottom - first->top, p->bottom - p->top);
    return fabs(p->top + p->bottom - first->top - first->bottom) <= smaller;
}

df_status df_reading_order(df_line *lines, int n, df_error *err)
{
    if (n == 1)
        lines[0].paragraph = 0;
    if (n < 2)
        return DF_OK;
    double *angles = calloc((size_t)n, sizeof *angles);
    placed *page = calloc((size_t)n, sizeof *page);
    if (!angles || !page) {
        free(angles);
        free(page);
        return df_fail(err, DF_NOMEM, "order of %d lines: out of memory", n);
    }
    double angle = page_angle(lines, n, angles);
    for (int i = 0; i < n; i++)
        page[i] = place(&lines[i], angle);
    qsort(page, (size_t)n, sizeof *page, by_middle);
    for (int start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && same_row(&page[start], &page[end]);)
            end++;
        qsort(page + start, (size_t)(end - start), sizeof *page, by_left);
    }
    for (int i = 0; i < n; i++)
        lines[i] = page[i].line;
    for (int i = 0; i < n; i++)
        lines[i].paragraph = i;
    free(angles);
    free(page);
    return DF_OK;
}
