/* A hash of all that the evidence of an image says, by which captions know whether it changed. */
#include "evidence/evidence_hash.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

static void put_int(df_str *s, int64_t v)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)              /* little-endian on all machines */
        bytes[i] = (char)((uint64_t)v >> 8 * i & 255);
    df_str_append_n(s, bytes, sizeof bytes);
}

/* Appends a number to six decimals. What is not finite or is huge becomes one special value. */
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
    put_int(s, b->count);
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
    df_status status = s.failed ? df_no_memory(err, "hash evidence") : DF_OK;
    if (status == DF_OK)
        df_hash_hex(df_str_text(&s), s.size, hex);
    df_str_free(&s);
    return status;
}
