/* Fuses tags, boxes and lines into what a prompt tells, within a budget of tokens. */
#include "evidence/fusion.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/fusion_parts.h"
#include "evidence/tokens.h"

/* ---- tags ---- */

typedef struct {
    df_tag tag;
    df_kind kind;
} known_tag;

static int compare_tags(const void *a, const void *b)
{
    const df_tag *x = &((const known_tag *)a)->tag, *y = &((const known_tag *)b)->tag;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    const int c = strcmp(x->label, y->label);
    return c ? c : (x->item > y->item) - (x->item < y->item);
}

static void leave_tag(fusing *f, const df_tag *t, const char *reason)
{
    fusion_leave(f, (df_left){.kind = "tag",
                              .text = t->label,
                              .source = t->source,
                              .reason = reason,
                              .score = t->score,
                              .item = t->item});
}

/* Merges the tags that name the same thing into the one with the highest score. Several taggers
 * raise its belief as independent witnesses. Returns how many tags are left, -1 when out of
 * memory. */
static int merge_tags(fusing *f, known_tag *t, int n)
{
    int kept = 0;
    for (int i = 0; i < n; i++) {
        int same = 0;
        while (same < kept && !df_kind_same(&t[same].kind, &t[i].kind))
            same++;
        if (same == kept) {
            t[kept++] = t[i];
            continue;
        }
        const char *a = t[same].tag.source ? t[same].tag.source : "",
                   *b = t[i].tag.source ? t[i].tag.source : "";
        leave_tag(f, &t[i].tag, "repeated");
        if (strcmp(a, b) == 0)
            continue;
        const char *both = df_sources_join(a, b, f->arena);
        if (!both)
            return -1;
        if (strlen(both) > strlen(a))        /* the tagger is a new witness */
            t[same].tag.score = 1 - (1 - t[same].tag.score) * (1 - t[i].tag.score);
        t[same].tag.source = both;
    }
    qsort(t, (size_t)kept, sizeof *t, compare_tags);
    return kept;
}

/* Whether a narrower tag is told: "poodle" includes "dog". */
static bool is_general(const fusing *f, const known_tag *all, int n, const known_tag *t)
{
    for (int i = 0; i < n; i++)
        if (&all[i] != t && all[i].tag.score >= 0.5 &&
            df_kind_is(f->how->kinds, &all[i].kind, &t->kind))
            return true;
    return false;
}

/* Chooses the tags that are told: believed, none that a narrower one says too, within the
 * budget. */
static bool fuse_tags(fusing *f)
{
    const df_fusion *how = f->how;
    const size_t room = (size_t)f->raw->n_tags + 1;
    known_tag *all = df_arena_alloc(f->arena, room, sizeof *all);
    df_tag *told = df_arena_alloc(f->arena, room, sizeof *told);
    int n = 0;
    if (!all || !told)
        return false;
    for (int i = 0; i < f->raw->n_tags; i++) {
        df_tag t = f->raw->tags[i];
        if (!t.label || !*t.label || !(t.score >= 0))
            continue;
        t.score = df_belief(
            t.score, df_accept_of(how->accept, how->n_accept, t.source, how->options->tag_score));
        all[n++] = (known_tag){t, df_kinds_find(how->kinds, t.label)};
    }
    qsort(all, (size_t)n, sizeof *all, compare_tags);
    n = merge_tags(f, all, n);
    for (int i = 0; i < n; i++) {
        const df_tag *t = &all[i].tag;
        const char *reason = t->score < 0.5                             ? "score"
                             : is_general(f, all, n, &all[i])           ? "general"
                             : f->told.n_tags >= how->options->max_tags ? "budget"
                                                                        : NULL;
        if (reason)
            leave_tag(f, t, reason);
        else
            told[f->told.n_tags++] = *t;
    }
    f->told.tags = told;
    return n >= 0;
}

/* ---- tokens ---- */

static int64_t digits(double v)
{
    return v >= 10000 ? 5 : v >= 1000 ? 4 : v >= 100 ? 3 : v >= 10 ? 2 : 1;
}

/* tokens of "label: [x0, y0, x1, y1]" and the end of the line */
static int64_t box_tokens(const df_box *b)
{
    return df_tokens_estimate(b->label) + 7 + digits(b->x0) + digits(b->y0) + digits(b->x1) +
           digits(b->y1);
}

static int64_t costliest(const df_object *objects, int n)
{
    int64_t most = 1;
    for (int i = 0; i < n; i++) {
        const int64_t tokens = box_tokens(&objects[i].box);
        most = tokens > most ? tokens : most;
    }
    return most;
}

static int64_t lines_tokens(const df_evidence *e)
{
    int64_t n = 0;
    for (int i = 0; i < e->n_lines; i++)
        n += df_tokens_estimate(e->lines[i].text);
    return n;
}

static int64_t other_tokens(const df_evidence *told)
{
    int64_t n = told->alt_text ? df_tokens_estimate(told->alt_text) : 0;
    for (int i = 0; i < told->n_tags; i++)
        n += df_tokens_estimate(told->tags[i].label) + 1;
    return n;
}

/* ---- boxes and lines, which share the tokens ---- */

static void leave_box(fusing *f, const df_box *b, const char *reason)
{
    fusion_leave(f, (df_left){"box", b->label, b->source, reason, b->score, b->x0, b->y0, b->x1,
                              b->y1, b->item});
}

/* Samples the objects that are told within the budget of boxes, and leaves the others with their
 * reason. */
static bool tell_boxes(fusing *f, df_object *objects, int n, int n_told, int64_t budget)
{
    df_sample_options o = f->how->options->sample;
    o.budget = budget < o.budget ? budget : o.budget;
    const int told =
        df_sample_objects(objects, n_told, f->raw->width, f->raw->height, &o, f->arena);
    df_box *boxes = df_arena_alloc(f->arena, (size_t)n + 1, sizeof *boxes);
    if (told < 0 || !boxes)
        return false;
    for (int i = 0; i < told; i++)
        boxes[i] = objects[i].box;
    for (int i = told; i < n; i++)
        /* "joined": it is told as part of another object */
        if (strcmp(objects[i].reason, "joined") != 0)
            leave_box(f, &objects[i].box, objects[i].reason);
    f->told.boxes = boxes;
    f->told.n_boxes = told;
    return true;
}

/* Shares the tokens of the prompt between boxes and lines: neither takes more than half unless
 * the other leaves it. */
static df_status fuse_boxes_and_lines(fusing *f, df_error *err)
{
    const df_fuse_options *o = f->how->options;
    const df_merger merger = {&o->merge, f->how->kinds, f->how->accept, f->how->n_accept,
                              o->tag_score};
    df_object *objects;
    int n, n_told = 0;
    DF_TRY(df_merge_boxes(&merger, f->raw, f->arena, &objects, &n, err));
    while (n_told < n && !objects[n_told].reason)
        n_told++;
    const int64_t all = o->max_tokens > 0 ? o->max_tokens : INT64_MAX,
                  cost = costliest(objects, n_told);
    const int64_t planned = (n_told < o->sample.budget ? n_told : o->sample.budget) * cost,
                  other = other_tokens(&f->told);
    const int64_t rest = all - planned - other;
    if (!fusion_lines(f, rest > all / 2 ? rest : all / 2))
        return df_no_memory(err, "fuse lines");
    const int64_t left = all - other - lines_tokens(&f->told);
    const bool ok = tell_boxes(f, objects, n, n_told, left > 0 ? left / cost : 0);
    return ok ? DF_OK : df_no_memory(err, "fuse boxes");
}

df_status df_fuse(const df_fusion *how, const df_evidence *raw, df_arena *arena, df_fused *fused,
                  df_error *err)
{
    const size_t room = (size_t)raw->n_tags + (size_t)raw->n_boxes + (size_t)raw->n_lines + 1;
    fusing f = {how, raw, arena, *raw, df_arena_alloc(arena, room, sizeof *f.left), 0};
    f.told.tags = NULL;
    f.told.boxes = NULL;
    f.told.lines = NULL;
    f.told.n_tags = f.told.n_boxes = f.told.n_lines = 0;
    if (!f.left || !fuse_tags(&f))
        return df_no_memory(err, "fuse tags");
    DF_TRY(fuse_boxes_and_lines(&f, err));
    *fused = (df_fused){f.told, f.left, f.n_left};
    return DF_OK;
}
