#include "algo/fusion.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* ---- tags ---- */

static int compare_tags(const void *a, const void *b)
{
    const df_tag *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    const int c = strcmp(x->label, y->label);
    return c ? c : (x->item > y->item) - (x->item < y->item);
}

static df_status fuse_tags(const df_evidence *raw, const df_fuse_options *o, df_arena *arena, df_evidence *fused, df_error *err)
{
    df_tag *tags = df_arena_alloc(arena, (size_t)raw->n_tags + 1, sizeof *tags);
    if (!tags)
        return df_fail(err, DF_NOMEM, "fuse tags: out of memory");
    int n = 0, kept = 0;
    for (int i = 0; i < raw->n_tags; i++)
        if (raw->tags[i].label && *raw->tags[i].label && raw->tags[i].score >= o->tag_score)
            tags[n++] = raw->tags[i];
    qsort(tags, (size_t)n, sizeof *tags, compare_tags);
    for (int i = 0; i < n && kept < o->max_tags; i++) {
        bool seen = false;
        for (int k = 0; k < kept && !seen; k++)
            seen = strcasecmp(tags[k].label, tags[i].label) == 0;
        if (!seen)
            tags[kept++] = tags[i];
    }
    fused->tags = tags;
    fused->n_tags = kept;
    return DF_OK;
}

/* ---- lines ---- */

typedef struct {
    const df_line *line;
    int order;                               /* in reading order */
    char *key;                               /* the text without case, spaces and ASCII punctuation */
    size_t size;                             /* of the key */
    uint64_t hash;
    double x0, y0, x1, y1;
    bool dropped;
} reading;

static void bound(reading *r)
{
    const df_line *l = r->line;
    r->x0 = fmin(fmin(l->x[0], l->x[1]), fmin(l->x[2], l->x[3]));
    r->x1 = fmax(fmax(l->x[0], l->x[1]), fmax(l->x[2], l->x[3]));
    r->y0 = fmin(fmin(l->y[0], l->y[1]), fmin(l->y[2], l->y[3]));
    r->y1 = fmax(fmax(l->y[0], l->y[1]), fmax(l->y[2], l->y[3]));
}

/* A text of punctuation alone is its own key. */
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

/* Surest first; of equals the one that is read first. */
static int by_certainty(const void *a, const void *b)
{
    const reading *x = *(const reading *const *)a, *y = *(const reading *const *)b;
    if (x->line->score != y->line->score)
        return x->line->score > y->line->score ? -1 : 1;
    return x->order - y->order;
}

static bool inside(const reading *a, const reading *b)
{
    const double w = fmin(a->x1, b->x1) - fmax(a->x0, b->x0), h = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return w > 0 && h > 0 && w * h >= 0.7 * (a->x1 - a->x0) * (a->y1 - a->y0);
}

static bool told_by(const reading *r, const reading *other)
{
    if (r->hash == other->hash && r->size == other->size && memcmp(r->key, other->key, r->size) == 0)
        return true;
    return other->size > r->size && inside(r, other) && strstr(other->key, r->key) != NULL;
}

/* ranked is surest first: an equal text goes when a surer line tells it; a part goes for any line that holds it. */
static void drop_told(reading *const *ranked, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n && !ranked[i]->dropped; k++)
            if (k != i && !ranked[k]->dropped && (k < i || ranked[k]->size > ranked[i]->size))
                ranked[i]->dropped = told_by(ranked[i], ranked[k]);
}

static df_status fuse_lines(const df_evidence *raw, const df_fuse_options *o, df_arena *arena, df_evidence *fused, df_error *err)
{
    const size_t room = (size_t)raw->n_lines + 1;
    reading *all = df_arena_alloc(arena, room, sizeof *all), **ranked = df_arena_alloc(arena, room, sizeof *ranked);
    df_line *lines = df_arena_alloc(arena, room, sizeof *lines);
    bool ok = all && ranked && lines;
    int n = 0;
    for (int i = 0; ok && i < raw->n_lines; i++) {
        if (!raw->lines[i].text || !*raw->lines[i].text || !(raw->lines[i].score >= o->line_score))
            continue;
        all[n] = (reading){.line = &raw->lines[i], .order = n};
        bound(&all[n]);
        ok = make_key(&all[n], arena);
        ranked[n] = &all[n];
        n++;
    }
    if (!ok)
        return df_fail(err, DF_NOMEM, "fuse lines: out of memory");
    qsort(ranked, (size_t)n, sizeof *ranked, by_certainty);
    drop_told(ranked, n);
    int64_t kept = 0;
    for (int i = 0; i < n; i++)
        if (!ranked[i]->dropped && kept++ >= o->max_lines)
            ranked[i]->dropped = true;
    for (int i = 0; i < n; i++)
        if (!all[i].dropped)
            lines[fused->n_lines++] = *all[i].line;
    fused->lines = lines;
    return DF_OK;
}

/* ---- all ---- */

df_status df_fuse(const df_evidence *raw, const df_fuse_options *options, df_arena *arena, df_evidence *fused, df_error *err)
{
    df_evidence out = *raw;
    out.tags = NULL;
    out.boxes = NULL;
    out.lines = NULL;
    out.n_tags = out.n_boxes = out.n_lines = 0;
    DF_TRY(fuse_tags(raw, options, arena, &out, err));
    df_box *boxes;
    DF_TRY(df_merge_boxes(raw, &options->merge, arena, &boxes, &out.n_boxes, err));
    out.n_boxes = df_sample_boxes(boxes, out.n_boxes, raw->width, raw->height, &options->sample, arena);
    if (out.n_boxes < 0)
        return df_fail(err, DF_NOMEM, "sample boxes: out of memory");
    out.boxes = boxes;
    DF_TRY(fuse_lines(raw, options, arena, &out, err));
    *fused = out;
    return DF_OK;
}

/* ---- hash ---- */

static void put_int(df_str *s, int64_t v)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)              /* little-endian on every machine */
        bytes[i] = (char)((uint64_t)v >> 8 * i & 255);
    df_str_append_n(s, bytes, sizeof bytes);
}

static void put_real(df_str *s, double v)
{
    put_int(s, isfinite(v) && fabs(v) < 1e12 ? llround(v * 1e6) : INT64_MIN);
}

static void put_text(df_str *s, const char *text)
{
    const char *t = text ? text : "";
    put_int(s, (int64_t)strlen(t));
    df_str_append(s, t);
}

static void put_region(df_str *s, const df_region *r)
{
    put_int(s, r->n_colours);
    for (int i = 0; i < r->n_colours; i++) {
        put_text(s, r->colours[i].name);
        put_real(s, r->colours[i].share);
    }
    const double numbers[] = {r->brightness, r->contrast, r->saturation, r->detail};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_real(s, numbers[i]);
}

static void put_box(df_str *s, const df_box *b)
{
    const double numbers[] = {b->score, b->x0, b->y0, b->x1, b->y1};
    put_text(s, b->label);
    put_text(s, b->source);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        put_real(s, numbers[i]);
    put_region(s, &b->look);
}

static void put_line(df_str *s, const df_line *l)
{
    put_text(s, l->text);
    put_real(s, l->score);
    put_int(s, l->paragraph);
    for (int k = 0; k < 4; k++) {
        put_real(s, l->x[k]);
        put_real(s, l->y[k]);
    }
}

df_status df_evidence_hash(const df_evidence *e, char hex[DF_HASH_HEX], df_error *err)
{
    df_str s = {0};
    put_text(&s, e->alt_text);
    put_int(&s, e->width);
    put_int(&s, e->height);
    put_int(&s, e->n_tags);
    for (int i = 0; i < e->n_tags; i++) {
        put_text(&s, e->tags[i].label);
        put_real(&s, e->tags[i].score);
    }
    put_int(&s, e->n_boxes);
    for (int i = 0; i < e->n_boxes; i++)
        put_box(&s, &e->boxes[i]);
    put_int(&s, e->n_lines);
    for (int i = 0; i < e->n_lines; i++)
        put_line(&s, &e->lines[i]);
    put_region(&s, &e->whole);
    for (int i = 0; i < 9; i++)
        put_region(&s, &e->cells[i]);
    df_status status = s.failed ? df_fail(err, DF_NOMEM, "hash evidence: out of memory") : DF_OK;
    if (status == DF_OK)
        df_hash_hex(df_str_text(&s), s.size, hex);
    df_str_free(&s);
    return status;
}
