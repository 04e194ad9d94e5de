#include "algo/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

double df_box_area(const df_box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static double overlap_area(const df_box *a, const df_box *b)
{
    const double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0), h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return w > 0 && h > 0 ? w * h : 0;
}

static double overlap_iou(const df_box *a, const df_box *b)
{
    const double both = overlap_area(a, b);
    return both > 0 ? both / (df_box_area(a) + df_box_area(b) - both) : 0;
}

/* Clamps to the image; false for a box that no detector should have sent. */
static bool usable(df_box *b, const df_evidence *raw)
{
    if (!b->label || !*b->label || !(b->score >= 0 && b->score <= 1))
        return false;
    if (!isfinite(b->x0) || !isfinite(b->y0) || !isfinite(b->x1) || !isfinite(b->y1))
        return false;
    if (raw->width > 0 && raw->height > 0) {
        b->x0 = fmax(0, b->x0);
        b->y0 = fmax(0, b->y0);
        b->x1 = fmin((double)raw->width, b->x1);
        b->y1 = fmin((double)raw->height, b->y1);
    }
    return b->x1 > b->x0 && b->y1 > b->y0;
}

/* One object: the boxes [members] that say the same; mean is their weighted mean so far. */
typedef struct {
    df_box mean;
    double weight;
    int first, last;                         /* of its members, chained through next */
} cluster;

static void cluster_add(cluster *c, const df_box *boxes, int *next, int i)
{
    const df_box *b = &boxes[i];
    const double w = b->score + 1e-9, total = c->weight + w;   /* a box of score 0 still has a place */
    next[i] = -1;
    if (c->weight > 0) {
        c->mean.x0 += (b->x0 - c->mean.x0) * w / total;
        c->mean.y0 += (b->y0 - c->mean.y0) * w / total;
        c->mean.x1 += (b->x1 - c->mean.x1) * w / total;
        c->mean.y1 += (b->y1 - c->mean.y1) * w / total;
        next[c->last] = i;
    } else {
        c->mean = *b;
        c->first = i;
    }
    c->last = i;
    c->weight = total;
}

static int best_cluster(const cluster *clusters, int n, const df_box *b, double least)
{
    int best = -1;
    for (int k = 0; k < n; k++) {
        const double iou = overlap_iou(&clusters[k].mean, b);
        if (iou > least && strcmp(clusters[k].mean.label, b->label) == 0) {
            least = iou;
            best = k;
        }
    }
    return best;
}

static bool tagged(const df_evidence *raw, const char *label)
{
    for (int i = 0; i < raw->n_tags; i++)
        if (raw->tags[i].label && strcasecmp(raw->tags[i].label, label) == 0)
            return true;
    return false;
}

static const char *source_of(const df_box *b)
{
    return b->source ? b->source : "";
}

/* Next detector name of the cluster after `after` in alphabetical order; NULL at the end. */
static const char *next_source(const cluster *c, const df_box *boxes, const int *next, const char *after)
{
    const char *found = NULL;
    for (int i = c->first; i >= 0; i = next[i]) {
        const char *s = source_of(&boxes[i]);
        if ((!after || strcmp(s, after) > 0) && (!found || strcmp(s, found) < 0))
            found = s;
    }
    return found;
}

/* Members are in falling order: the first of a detector is its best. Writes mean.score and mean.source. */
static int join_witnesses(cluster *c, const df_box *boxes, const int *next, df_arena *arena)
{
    double doubt = 1;
    int n = 0;
    const char *joined = NULL, *s = NULL;
    while ((s = next_source(c, boxes, next, s)) != NULL) {
        int i = c->first;
        while (strcmp(source_of(&boxes[i]), s) != 0)
            i = next[i];
        doubt *= 1 - boxes[i].score;
        joined = joined ? df_arena_printf(arena, "%s+%s", joined, s) : s;
        if (!joined)
            return -1;
        n++;
    }
    if (n > 1)
        c->mean.score = 1 - doubt;
    c->mean.source = joined;
    return n;
}

/* A part of a bigger object of its label (a face of a person), as sure as the part or surer. */
static bool is_part(const df_box *boxes, int n, int i, const df_merge_options *o)
{
    const double area = df_box_area(&boxes[i]);
    for (int k = 0; k < n; k++) {
        const double bigger = df_box_area(&boxes[k]);
        if (k != i && bigger > area && boxes[k].score >= boxes[i].score && area >= o->part_area * bigger &&
            overlap_area(&boxes[i], &boxes[k]) >= o->nested * area && strcmp(boxes[i].label, boxes[k].label) == 0)
            return true;
    }
    return false;
}

/* A box around a group: two or more surer boxes of its label lie in it and fill half of it. */
static bool is_group(const df_box *boxes, int n, int i, const df_merge_options *o)
{
    const double area = df_box_area(&boxes[i]);
    double filled = 0;
    int members = 0;
    for (int k = 0; k < n; k++) {
        const double inner = df_box_area(&boxes[k]);
        if (k == i || inner >= area || boxes[k].score < boxes[i].score ||
            overlap_area(&boxes[i], &boxes[k]) < o->nested * inner || strcmp(boxes[i].label, boxes[k].label) != 0)
            continue;
        filled += inner;
        members++;
    }
    return members >= 2 && filled >= 0.5 * area;
}

/* Decided on the whole list before any box goes, so that the order does not matter. */
static int drop_parts_and_groups(df_box *boxes, int n, bool *drop, const df_merge_options *o)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        drop[i] = is_part(boxes, n, i, o) || is_group(boxes, n, i, o);
    for (int i = 0; i < n; i++)
        if (!drop[i])
            boxes[kept++] = boxes[i];
    return kept;
}

df_status df_merge_boxes(const df_evidence *raw, const df_merge_options *options, df_arena *arena, df_box **out, int *n_out,
                         df_error *err)
{
    const size_t room = (size_t)raw->n_boxes + 1;
    df_box *boxes = df_arena_alloc(arena, room, sizeof *boxes), *kept = df_arena_alloc(arena, room, sizeof *kept);
    cluster *clusters = df_arena_alloc(arena, room, sizeof *clusters);
    int *next = df_arena_alloc(arena, room, sizeof *next);
    bool *drop = df_arena_alloc(arena, room, sizeof *drop);
    if (!boxes || !kept || !clusters || !next || !drop)
        return df_fail(err, DF_NOMEM, "merge boxes: out of memory");
    int n = 0, n_clusters = 0, n_kept = 0;
    for (int i = 0; i < raw->n_boxes; i++) {
        boxes[n] = raw->boxes[i];
        n += usable(&boxes[n], raw);
    }
    qsort(boxes, (size_t)n, sizeof *boxes, df_box_compare);
    for (int i = 0; i < n; i++) {
        const int k = best_cluster(clusters, n_clusters, &boxes[i], options->iou);
        cluster_add(&clusters[k >= 0 ? k : n_clusters++], boxes, next, i);
    }
    for (int k = 0; k < n_clusters; k++) {
        const int witnesses = join_witnesses(&clusters[k], boxes, next, arena);
        if (witnesses < 0)
            return df_fail(err, DF_NOMEM, "merge boxes: out of memory");
        if (clusters[k].mean.score >= options->accept || tagged(raw, clusters[k].mean.label))
            kept[n_kept++] = clusters[k].mean;
    }
    qsort(kept, (size_t)n_kept, sizeof *kept, df_box_compare);
    *n_out = drop_parts_and_groups(kept, n_kept, drop, options);
    *out = kept;
    return DF_OK;
}
