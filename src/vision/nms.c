/* Non-maximum suppression, and a bounded collection of the best boxes. */
#include "vision/nms.h"
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

double df_box_iou(const df_candidate *a, const df_candidate *b)
{
    double width = fmin(a->x1, b->x1) - fmax(a->x0, b->x0),
           height = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    if (width <= 0 || height <= 0)
        return 0;
    double both = width * height;
    return both / ((a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0) - both);
}

static bool suppressed(const df_candidate *kept, int n_kept, const df_candidate *box, double iou)
{
    for (int i = 0; i < n_kept; i++)
        if (kept[i].label == box->label && df_box_iou(&kept[i], box) > iou)
            return true;
    return false;
}

/* Index of the box with the highest score in boxes[from..n), of equals the first. */
static int best_of(const df_candidate *boxes, int from, int n)
{
    int best = from;
    for (int i = from + 1; i < n; i++)
        if (boxes[i].score > boxes[best].score)
            best = i;
    return best;
}

/* A selection sort that stops at the n_max-th kept box. The boxes in between move up one place, so
 * ties keep their order. */
int df_nms(df_candidate *boxes, int n, double iou, int n_max)
{
    int n_kept = 0;
    for (int next = 0; next < n && n_kept < n_max; next++) {
        int best = best_of(boxes, next, n);
        df_candidate box = boxes[best];
        for (int i = best; i > next; i--)
            boxes[i] = boxes[i - 1];
        boxes[next] = box; /* n_kept <= next, so no box is overwritten before it is read */
        if (!suppressed(boxes, n_kept, &box, iou))
            boxes[n_kept++] = box;
    }
    return n_kept;
}

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

/* By falling score; of equals by label and place, so that the order in which boxes were added does
 * not matter. */
static int by_score(const void *a, const void *b)
{
    const df_candidate *p = a, *q = b;
    int order = compare(q->score, p->score);
    order = order ? order : (p->label > q->label) - (p->label < q->label);
    order = order ? order : compare(p->x0, q->x0);
    order = order ? order : compare(p->y0, q->y0);
    order = order ? order : compare(p->x1, q->x1);
    return order ? order : compare(p->y1, q->y1);
}

/* When the room is full, the worse half is dropped: one sort for every room / 2 boxes. */
void df_candidates_add(df_candidates *c, const df_candidate *box)
{
    /* also when two sides are infinite in opposite directions, as their sum is NaN */
    if (isnan(box->score) || isnan(box->x0 + box->y0 + box->x1 + box->y1))
        return;
    assert(c->room >= 2 && c->n >= 0 && c->n <= c->room);
    if (c->n == c->room) {
        qsort(c->at, (size_t)c->n, sizeof *c->at, by_score);
        c->n = c->room / 2;
    }
    c->at[c->n++] = *box;
}
