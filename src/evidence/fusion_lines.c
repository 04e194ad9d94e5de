/* Chooses the lines of text that are told. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/fusion_parts.h"
#include "evidence/tokens.h"

typedef struct {
    const df_line *line;
    int order;                               /* position in reading order */
    /* the text without case, spaces and ASCII punctuation */
    char *key;
    size_t size;                             /* of the key */
    uint64_t hash;
    double x0, y0, x1, y1;
    const char *reason;                      /* why it is left out; NULL: it is told */
} reading;

/* The axis-parallel box around the line. */
static void bound(reading *r)
{
    const df_line *l = r->line;
    r->x0 = fmin(fmin(l->x[0], l->x[1]), fmin(l->x[2], l->x[3]));
    r->x1 = fmax(fmax(l->x[0], l->x[1]), fmax(l->x[2], l->x[3]));
    r->y0 = fmin(fmin(l->y[0], l->y[1]), fmin(l->y[2], l->y[3]));
    r->y1 = fmax(fmax(l->y[0], l->y[1]), fmax(l->y[2], l->y[3]));
}

/* Makes the key by which texts are compared. A text that is only punctuation is its own key. */
static bool make_key(reading *r, df_arena *arena)
{
    const char *text = r->line->text;
    r->key = df_arena_alloc(arena, strlen(text) + 1, 1);
    if (!r->key)
        return false;
    for (const char *p = text; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c >= 0x80 || isalnum(c))
            r->key[r->size++] = (char)(c < 0x80 ? tolower(c) : c);
    }
    if (r->size == 0) {
        r->size = strlen(text);
        memcpy(r->key, text, r->size);
    }
    r->hash = df_hash_64(r->key, r->size);
    return true;
}

/* By falling score; of equals in reading order. */
static int by_certainty(const void *a, const void *b)
{
    const reading *x = *(const reading *const *)a, *y = *(const reading *const *)b;
    if (x->line->score != y->line->score)
        return x->line->score > y->line->score ? -1 : 1;
    return x->order - y->order;
}

/* Whether 70 % of a's area lies within b. */
static bool inside(const reading *a, const reading *b)
{
    const double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0),
                 h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return w > 0 && h > 0 && w * h >= 0.7 * (a->x1 - a->x0) * (a->y1 - a->y0);
}

/* Why r need not be told beside `other`: the same text, or a part of it inside its place. NULL: it
 * must. */
static const char *told_by(const reading *r, const reading *other)
{
    if (r->hash == other->hash && r->size == other->size &&
        memcmp(r->key, other->key, r->size) == 0)
        return "repeated";
    return other->size > r->size && inside(r, other) && strstr(other->key, r->key) ? "inside"
                                                                                   : NULL;
}

/* ranked is sorted by confidence. Drops a line when a more confident one has the same text, or when
 * any other line contains it. */
static void drop_told(reading *const *ranked, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n && !ranked[i]->reason; k++)
            if (k != i && !ranked[k]->reason && (k < i || ranked[k]->size > ranked[i]->size))
                ranked[i]->reason = told_by(ranked[i], ranked[k]);
}

/* Keeps the lines with the highest scores, as many as the options and the tokens allow. */
static void keep_surest(reading *const *ranked, int n, const df_fuse_options *o, int64_t budget)
{
    int64_t kept = 0;
    for (int i = 0; i < n; i++) {
        if (ranked[i]->reason)
            continue;
        budget -= df_tokens_estimate(ranked[i]->line->text);
        if (kept++ >= o->max_lines || budget < 0)
            ranked[i]->reason = "budget";
    }
}

static void leave_line(fusing *f, const reading *r)
{
    const df_line *l = r->line;
    fusion_leave(f, (df_left){"line", l->text, NULL, r->reason, l->score, r->x0, r->y0, r->x1,
                              r->y1, l->item});
}

bool fusion_lines(fusing *f, int64_t budget)
{
    const size_t room = (size_t)f->raw->n_lines + 1;
    reading *all = df_arena_alloc(f->arena, room, sizeof *all),
            **ranked = df_arena_alloc(f->arena, room, sizeof *ranked);
    df_line *lines = df_arena_alloc(f->arena, room, sizeof *lines);
    if (!all || !ranked || !lines)
        return false;
    int n = 0;
    for (int i = 0; i < f->raw->n_lines; i++) {
        const df_line *l = &f->raw->lines[i];
        reading r = {.line = l, .order = n};
        if (!l->text || !*l->text)
            continue;
        bound(&r);
        if (!(l->score >= f->how->options->line_score)) {
            r.reason = "score";
            leave_line(f, &r);
            continue;
        }
        if (!make_key(&r, f->arena))
            return false;
        all[n] = r;
        ranked[n] = &all[n];
        n++;
    }
    qsort(ranked, (size_t)n, sizeof *ranked, by_certainty);
    drop_told(ranked, n);
    keep_surest(ranked, n, f->how->options, budget);
    for (int i = 0; i < n; i++) {
        if (all[i].reason)
            leave_line(f, &all[i]);
        else
            lines[f->told.n_lines++] = *all[i].line;
    }
    f->told.lines = lines;
    return true;
}
