/* Colours, light and detail, in words: of the whole, of its parts, of an object. */
#include "engine/compose.h"

#include <math.h>
#include <string.h>

static const double EVEN = 0.12;             /* difference of brightness that an eye calls the same */

void compose_frame(composer *c, bool definite)
{
    if (definite || c->framed) {
        static const char *const nouns[] = {"the picture", "the frame", "the picture"};
        df_str_append(&c->now, nouns[compose_pick(c, 900 + c->words, 3)]);
        return;
    }
    c->framed = true;
    double ratio = c->ev->height > 0 ? (double)c->ev->width / (double)c->ev->height : 1;
    const char *shape = ratio >= 2.2 ? "panoramic " : ratio >= 1.7 ? "wide " : ratio <= 0.55 ? "tall, narrow "
                        : ratio <= 0.85 ? "upright " : ratio < 1.04 && ratio > 0.96 ? "square " : "";
    const char *medium = c->ev->whole.n_colours == 0 ? "" : c->mono ? "black-and-white " : c->sepia ? "sepia-toned " : "colour ";
    compose_put(c, "%s %s%spicture", *shape == 'u' ? "an" : "a", shape, medium);
}

static const char *base_of(const char *colour)
{
    const char *space = strrchr(colour, ' ');
    return space ? space + 1 : colour;
}

/* Colours worth a word, near shades of one colour told once ("grey" and "dark grey" are "shades of grey"). */
static int worthy(composer *c, const df_region *look, const char *names[DF_COLOURS_MAX], double shares[DF_COLOURS_MAX])
{
    int n = 0;
    for (int i = 0; i < look->n_colours; i++) {
        const char *name = look->colours[i].name;
        if (look->colours[i].share < 0.09)
            continue;
        int same = -1;
        for (int k = 0; k < n && same < 0; k++)
            if (strcmp(base_of(names[k]), base_of(name)) == 0)
                same = k;
        if (same < 0) {
            names[n] = name;
            shares[n++] = look->colours[i].share;
            continue;
        }
        if (shares[same] < 2 * look->colours[i].share) {
            const char *merged = df_arena_printf(c->arena, "shades of %s", base_of(name));
            names[same] = merged ? merged : names[same];
        }
        shares[same] += look->colours[i].share;
    }
    return n;
}

/* "mostly X, with some Y and Z"; false when there is nothing to say. */
bool compose_colours(composer *c, const df_region *look)
{
    const char *name[DF_COLOURS_MAX];
    double share[DF_COLOURS_MAX];
    int n = worthy(c, look, name, share);
    if (n == 0)
        return false;
    if (n == 1 && share[0] > 0.8)
        compose_put(c, "almost entirely %s", name[0]);
    else if (n == 1)
        compose_put(c, "mostly %s", name[0]);
    else if (share[0] >= 0.5) {
        compose_put(c, "mostly %s, with %s%s", name[0], share[1] < 0.2 ? "some " : "", name[1]);
        if (n > 2 && share[2] > 0.12)
            compose_put(c, " and %s", name[2]);
    } else if (n == 2 || share[2] < 0.15)
        compose_put(c, "%s and %s", name[0], name[1]);
    else
        compose_put(c, "%s, %s and %s", name[0], name[1], name[2]);
    return true;
}

/* Cells joined: a third, a column, everything but the middle. */
static df_region join(const composer *c, const int *cells, int n)
{
    df_region r = {0};
    struct { const char *name; double share; } all[9 * DF_COLOURS_MAX];
    int n_all = 0;
    for (int i = 0; i < n; i++) {
        const df_region *cell = &c->ev->cells[cells[i]];
        r.brightness += cell->brightness / n;
        r.contrast += cell->contrast / n;
        r.saturation += cell->saturation / n;
        r.detail += cell->detail / n;
        for (int k = 0; k < cell->n_colours; k++) {
            int at = 0;
            while (at < n_all && strcmp(all[at].name, cell->colours[k].name) != 0)
                at++;
            if (at == n_all) {
                all[n_all].name = cell->colours[k].name;
                all[n_all++].share = 0;
            }
            all[at].share += cell->colours[k].share / n;
        }
    }
    while (r.n_colours < DF_COLOURS_MAX && r.n_colours < n_all) {
        int best = 0;
        for (int i = 1; i < n_all; i++)
            if (all[i].share > all[best].share)
                best = i;
        r.colours[r.n_colours++] = (df_colour){all[best].name, all[best].share};
        all[best].share = -1;
    }
    return r;
}

static bool alike(const df_region *a, const df_region *b)
{
    bool colour = a->n_colours && b->n_colours && (strcmp(base_of(a->colours[0].name), base_of(b->colours[0].name)) == 0);
    return colour && fabs(a->brightness - b->brightness) < EVEN && fabs(a->detail - b->detail) < 0.2;
}

static double difference(const df_region *r)
{
    double d = 0;
    for (int i = 0; i < 3; i++)
        for (int k = i + 1; k < 3; k++)
            d = fmax(d, fabs(r[i].brightness - r[k].brightness) + (alike(&r[i], &r[k]) ? 0 : 0.1));
    return d;
}

/* "pale and even", "full of detail": only what stands out against the whole. */
static void put_texture(composer *c, const df_region *r, double usual)
{
    if (r->detail < 0.08 || r->detail < 0.4 * usual)
        df_str_append(&c->now, ", smooth and even");
    else if (r->detail > 1.5 * usual && r->detail > 0.2)
        df_str_append(&c->now, ", and full of fine detail");
}

typedef struct { const char *name[3], *two[2], *rest; } compose_bands;
static const compose_bands bands[2] = {
    {{"the upper third", "the middle", "the lower third"}, {"the upper two thirds", "the lower two thirds"}, "from top to bottom"},
    {{"the left third", "the middle", "the right third"}, {"the left two thirds", "the right two thirds"}, "from left to right"},
};

static void say_band(composer *c, const char *name, bool plural, const df_region *r, double usual)
{
    compose_put(c, "%s %s ", name, plural ? "are" : "is");
    if (!compose_colours(c, r)) {
        df_str_clear(&c->now);
        return;
    }
    put_texture(c, r, usual);
    compose_say(c, SLOT_AREAS);
}

static void say_three(composer *c, const compose_bands *b, const df_region *r, double usual)
{
    if (alike(&r[0], &r[1])) {
        say_band(c, b->two[0], true, r[0].detail > r[1].detail ? &r[0] : &r[1], usual);
        say_band(c, b->name[2], false, &r[2], usual);
    } else if (alike(&r[1], &r[2])) {
        say_band(c, b->name[0], false, &r[0], usual);
        say_band(c, b->two[1], true, r[1].detail > r[2].detail ? &r[1] : &r[2], usual);
    } else {
        for (int i = 0; i < 3; i++)
            say_band(c, b->name[i], false, &r[i], usual);
    }
}

static void say_extremes(composer *c)
{
    static const char *const at[9] = {"in the upper left", "at the top", "in the upper right", "on the left", "in the centre",
                                      "on the right", "in the lower left", "at the bottom", "in the lower right"};
    int dark = 0, light = 0, busy = 0;
    double sum = 0;
    for (int i = 0; i < 9; i++) {
        const df_region *r = &c->ev->cells[i];
        dark = r->brightness < c->ev->cells[dark].brightness ? i : dark;
        light = r->brightness > c->ev->cells[light].brightness ? i : light;
        busy = r->detail > c->ev->cells[busy].detail ? i : busy;
        sum += r->detail / 9;
    }
    if (c->ev->cells[light].brightness - c->ev->cells[dark].brightness > 0.2) {
        if (compose_pick(c, 41, 2) == 0)
            compose_put(c, "the brightest part is %s, the darkest %s", at[light], at[dark]);
        else
            compose_put(c, "the picture is lightest %s and darkest %s", at[light], at[dark]);
        compose_say(c, SLOT_AREAS);
    }
    if (c->ev->cells[busy].detail > 1.6 * sum && sum > 0.02) {
        compose_put(c, compose_pick(c, 42, 2) ? "most of the fine detail is %s" : "detail gathers %s", at[busy]);
        compose_say(c, SLOT_AREAS);
    }
}

void compose_areas(composer *c)
{
    if (c->ev->cells[0].n_colours == 0)
        return;
    df_region rows[3], columns[3];
    double usual = 0;
    for (int i = 0; i < 3; i++) {
        rows[i] = join(c, (const int[]){3 * i, 3 * i + 1, 3 * i + 2}, 3);
        columns[i] = join(c, (const int[]){i, i + 3, i + 6}, 3);
        usual += rows[i].detail / 3;
    }
    bool by_rows = difference(rows) >= difference(columns);
    const df_region *r = by_rows ? rows : columns;
    if (difference(r) >= EVEN)
        say_three(c, &bands[by_rows ? 0 : 1], r, usual);
    say_extremes(c);
}

void compose_tone(composer *c)
{
    const df_region *w = &c->ev->whole;
    if (w->n_colours == 0)
        return;
    if (!c->mono) {
        df_str_append(&c->now, compose_pick(c, 51, 2) ? "taken together the colours are " : "overall it is ");
        if (compose_colours(c, w))
            compose_say(c, SLOT_TONE);
        df_str_clear(&c->now);
    }
    const char *light = w->brightness < 0.25 ? "dark" : w->brightness < 0.4 ? "rather dark" : w->brightness > 0.75 ? "very bright"
                        : w->brightness > 0.6 ? "bright" : "of medium brightness";
    const char *contrast = w->contrast > 0.6 ? "strong contrast" : w->contrast < 0.25 ? "low contrast" : "moderate contrast";
    const char *colour = c->mono ? "" : w->saturation < 0.12 ? " and muted colours" : w->saturation > 0.4 ? " and strong colours" : "";
    compose_put(c, "the picture is %s, with %s%s", light, contrast, colour);
    compose_say(c, SLOT_TONE);
}
