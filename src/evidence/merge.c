/* Weighted box fusion: clusters boxes that mean the same object, and raises the belief in those
 * that several experts saw. */
#include "evidence/merge.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Clamps the box to the image. False for a box that no working detector gives. */
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

static double finite_or_0(double v)
{
    return isfinite(v) ? v : 0;
}

static df_object broken_object(const df_box *b)
{
    return (df_object){.box = {.label = b->label ? b->label : "",
                               .source = b->source,
                               .score = finite_or_0(b->score),
                               .x0 = finite_or_0(b->x0),
                               .y0 = finite_or_0(b->y0),
                               .x1 = finite_or_0(b->x1),
                               .y1 = finite_or_0(b->y1),
                               .item = b->item},
                       .reason = "broken"};
}

/* ---- clusters: boxes that mean the same object ---- */

typedef struct {
    const df_merger *m;
    /* [n]: the usable boxes with belief as score, by df_box_compare */
    df_box *boxes;
    int n;
    int *next;                               /* [n]: the next box of the same cluster; -1: none */
    df_object *objects;
    int n_objects;
    double *weight;                          /* [n_objects]: weight of the mean so far */
    int *first, *last;                       /* [n_objects]: first and last box of each object */
    /* [n_objects]: the object of the same thing made before it; -1: none */
    int *older;
    df_kind *kinds;
    int n_kinds;             /* number of different things seen */
    /* [n_labels]: the labels seen, and the index of the thing that each names */
    const char **labels;
    int *kind_of_label, n_labels;
    int *newest; /* [n_kinds]: the object of that thing that was made last; -1: none */
} clustering;

/* Makes room for `room` boxes. False: out of memory. */
static bool clustering_alloc(clustering *c, int room, df_arena *arena)
{
    const size_t n = (size_t)room + 1;
    c->boxes = df_arena_alloc(arena, n, sizeof *c->boxes);
    c->next = df_arena_alloc(arena, n, sizeof *c->next);
    c->objects = df_arena_alloc(arena, n, sizeof *c->objects);
    c->weight = df_arena_alloc(arena, n, sizeof *c->weight);
    c->first = df_arena_alloc(arena, n, sizeof *c->first);
    c->last = df_arena_alloc(arena, n, sizeof *c->last);
    c->older = df_arena_alloc(arena, n, sizeof *c->older);
    c->kinds = df_arena_alloc(arena, n, sizeof *c->kinds);
    c->labels = df_arena_alloc(arena, n, sizeof *c->labels);
    c->kind_of_label = df_arena_alloc(arena, n, sizeof *c->kind_of_label);
    c->newest = df_arena_alloc(arena, n, sizeof *c->newest);
    return c->boxes && c->next && c->objects && c->weight && c->first && c->last && c->older &&
           c->kinds && c->labels && c->kind_of_label && c->newest;
}

/* Index of the thing that a label names, which is added if it is new. */
static int kind_of(clustering *c, const char *label)
{
    for (int i = 0; i < c->n_labels; i++)
        if (strcmp(c->labels[i], label) == 0)
            return c->kind_of_label[i];
    const df_kind kind = df_kinds_find(c->m->kinds, label);
    int at = 0;
    while (at < c->n_kinds && !df_kind_same(&c->kinds[at], &kind))
        at++;
    if (at == c->n_kinds) {
        c->kinds[c->n_kinds++] = kind;
        c->newest[at] = -1;
    }
    c->labels[c->n_labels] = label;
    c->kind_of_label[c->n_labels++] = at;
    return at;
}

/* The object of this thing that overlaps the box most, and by more than options->iou; -1: none. */
static int best_object(const clustering *c, int kind, const df_box *b)
{
    int best = -1;
    double least = c->m->options->iou;
    for (int k = c->newest[kind]; k >= 0; k = c->older[k]) {
        const double iou = df_box_overlap(&c->objects[k].box, b);
        if (iou > least || (best >= 0 && iou == least && k < best)) {
            least = iou;
            best = k;
        }
    }
    return best;
}

/* Adds a box to the object of its kind that it overlaps most, else begins an object: the sides
 * are means weighted by score (weighted boxes fusion, Solovyev et al. 2021). */
static void add_box(clustering *c, int i)
{
    const df_box *b = &c->boxes[i];
    const int kind = kind_of(c, b->label);
    int k = best_object(c, kind, b);
    const double w = b->score + 1e-9;        /* so that a box of belief 0 still has a place */
    c->next[i] = -1;
    if (k < 0) {
        k = c->n_objects++;
        c->objects[k] = (df_object){.box = *b, .kind = c->kinds[kind]};
        c->weight[k] = w;
        c->first[k] = c->last[k] = i;
        c->older[k] = c->newest[kind];
        c->newest[kind] = k;
        return;
    }
    const double total = c->weight[k] + w;
    df_box *mean = &c->objects[k].box;
    mean->x0 += (b->x0 - mean->x0) * w / total;
    mean->y0 += (b->y0 - mean->y0) * w / total;
    mean->x1 += (b->x1 - mean->x1) * w / total;
    mean->y1 += (b->y1 - mean->y1) * w / total;
    c->weight[k] = total;
    c->next[c->last[k]] = i;
    c->last[k] = i;
}

/* ---- witnesses ---- */

static const char *source_of(const df_box *b)
{
    return b->source ? b->source : "";
}

/* Whether the object has a box with a higher belief of the same detector. */
static bool has_counted(const clustering *c, int object, int i)
{
    for (int k = c->first[object]; k != i; k = c->next[k])
        if (strcmp(source_of(&c->boxes[k]), source_of(&c->boxes[i])) == 0)
            return true;
    return false;
}

/* Joins the beliefs of the detectors that saw an object, each once, as independent witnesses:
 * what is left is the doubt of all. */
static bool join_detectors(clustering *c, int object, df_arena *arena)
{
    df_box *b = &c->objects[object].box;
    double doubt = 1 - b->score;
    b->source = source_of(b);
    for (int i = c->next[c->first[object]]; i >= 0; i = c->next[i]) {
        if (has_counted(c, object, i))
            continue;
        doubt *= 1 - c->boxes[i].score;
        b->source = df_sources_join(b->source, source_of(&c->boxes[i]), arena);
        if (!b->source)
            return false;
    }
    b->score = 1 - doubt;
    return true;
}

typedef struct {
    df_kind kind;
    double belief;
} witness;

/* Lists the tags with their beliefs, as witnesses for boxes. */
static df_status find_witnesses(const df_merger *m, const df_evidence *raw, df_arena *arena,
                                witness **out, int *n, df_error *err)
{
    witness *w = df_arena_alloc(arena, (size_t)raw->n_tags + 1, sizeof *w);
    if (!w)
        return df_no_memory(err, "merge boxes");
    *n = 0;
    for (int i = 0; i < raw->n_tags; i++) {
        const df_tag *t = &raw->tags[i];
        if (!t->label || !*t->label || !(t->score >= 0 && t->score <= 1))
            continue;
        const double accept = df_accept_of(m->accept, m->n_accept, t->source, m->tag_accept);
        w[(*n)++] = (witness){df_kinds_find(m->kinds, t->label),
                              df_belief(t->score, accept) * m->options->tag_weight};
    }
    *out = w;
    return DF_OK;
}

/* The belief of the surest tag that names the thing. Taggers see the whole image, so a second tag
 * is no second witness for each box. */
static double tag_belief(const df_merger *m, const witness *w, int n, const df_kind *thing)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        if (w[i].belief > most && df_kind_is(m->kinds, &w[i].kind, thing))
            most = w[i].belief;
    return most;
}

/* ---- objects ---- */

/* Makes objects of the boxes; a tag of the same kind is one more witness. */
static df_status make_objects(clustering *c, const df_evidence *raw, df_arena *arena, df_error *err)
{
    witness *tags = NULL;
    int n_tags = 0;
    DF_TRY(find_witnesses(c->m, raw, arena, &tags, &n_tags, err));
    for (int i = 0; i < c->n; i++)
        add_box(c, i);
    double *by_tag = df_arena_alloc(arena, (size_t)c->n_kinds + 1, sizeof *by_tag);
    if (!by_tag)
        return df_no_memory(err, "merge boxes");
    for (int i = 0; i < c->n_kinds; i++) {
        by_tag[i] = tag_belief(c->m, tags, n_tags, &c->kinds[i]);
        for (int k = c->newest[i]; k >= 0; k = c->older[k]) {
            if (!join_detectors(c, k, arena))
                return df_no_memory(err, "merge boxes");
            c->objects[k].box.score = 1 - (1 - c->objects[k].box.score) * (1 - by_tag[i]);
        }
    }
    qsort(c->objects, (size_t)c->n_objects, sizeof *c->objects, df_object_compare);
    return DF_OK;
}

/* What must be true of merged objects: belief is in [0, 1] and falls. */
static bool __attribute__((unused)) are_objects(const df_object *objects, int n)
{
    for (int i = 0; i < n; i++) {
        const double belief = objects[i].box.score;
        if (!(belief >= 0 && belief <= 1) || (i && belief > objects[i - 1].box.score))
            return false;
    }
    return true;
}

df_status df_merge_boxes(const df_merger *m, const df_evidence *raw, df_arena *arena,
                         df_object **objects, int *n, df_error *err)
{
    clustering c = {.m = m};
    df_object *broken = df_arena_alloc(arena, (size_t)raw->n_boxes + 1, sizeof *broken);
    int n_broken = 0;
    if (!broken || !clustering_alloc(&c, raw->n_boxes, arena))
        return df_no_memory(err, "merge boxes");
    for (int i = 0; i < raw->n_boxes; i++) {
        df_box *b = &c.boxes[c.n];
        *b = raw->boxes[i];
        if (!usable(b, raw)) {
            broken[n_broken++] = broken_object(&raw->boxes[i]);
            continue;
        }
        b->score = df_belief(b->score,
                             df_accept_of(m->accept, m->n_accept, b->source, m->options->accept));
        c.n++;
    }
    qsort(c.boxes, (size_t)c.n, sizeof *c.boxes, df_box_compare);
    DF_TRY(make_objects(&c, raw, arena, err));
    assert(are_objects(c.objects, c.n_objects));
    if (df_merge_names(m, c.objects, c.n_objects, arena) < 0)
        return df_no_memory(err, "merge boxes");
    for (int i = 0; i < n_broken; i++)
        c.objects[c.n_objects++] = broken[i];
    *objects = c.objects;
    *n = c.n_objects;
    return DF_OK;
}
