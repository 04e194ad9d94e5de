/* Light, colour and detail of the parts of the picture, in words. */
#include "engine/compose/compose.h"

#include <math.h>
#include <string.h>

/* a difference of brightness that an eye sees at once */
static const double STEP = 0.1;
static const char *const at[9] = {"in the upper left", "at the top",    "in the upper right",
                                  "on the left",       "in the centre", "on the right",
                                  "in the lower left", "at the bottom", "in the lower right"};

typedef struct {
    df_region part[3];
    bool rows;
    double usual;
} bands;
typedef struct {
    const char *name[3], *two[2], *around, *from_to;
} band_words;
static const band_words words[2] = {
    {{"the left third", "the middle", "the right third"},
     {"the left two thirds", "the right two thirds"},
     "left and right of it",
     "from left to right"},
    {{"the upper third", "the middle", "the lower third"},
     {"the upper two thirds", "the lower two thirds"},
     "above and below it",
     "from top to bottom"},
};

/* Three cells joined: a third of the picture. */
static df_region join(const composer *c, int first, int step)
{
    df_region r = {0};
    struct {
        const char *name;
        double share;
    } all[3 * DF_COLOURS_MAX];
    int n = 0;
    for (int i = 0; i < 3; i++) {
        const df_region *cell = &c->ev->cells[first + i * step];
        r.brightness += cell->brightness / 3;
        r.saturation += cell->saturation / 3;
        r.detail += cell->detail / 3;
        for (int k = 0; k < cell->n_colours; k++) {
            int same = 0;
            while (same < n && strcmp(all[same].name, cell->colours[k].name) != 0)
                same++;
            if (same == n) {
                all[n].name = cell->colours[k].name;
                all[n++].share = 0;
            }
            all[same].share += cell->colours[k].share / 3;
        }
    }
    while (r.n_colours < DF_COLOURS_MAX && r.n_colours < n) {
        int best = 0;
        for (int i = 1; i < n; i++)
            if (all[i].share > all[best].share)
                best = i;
        r.colours[r.n_colours++] = (df_colour){all[best].name, all[best].share};
        all[best].share = -1;
    }
    return r;
}

static double difference(const df_region *a, const df_region *b)
{
    bool same =
        a->n_colours && b->n_colours && compose_same_colour(a->colours[0].name, b->colours[0].name);
    return fabs(a->brightness - b->brightness) + (same ? 0 : STEP);
}

static bool alike(const df_region *a, const df_region *b)
{
    return difference(a, b) < STEP;
}

static double spread(const bands *b)
{
    return fmax(difference(&b->part[0], &b->part[1]),
                fmax(difference(&b->part[1], &b->part[2]), difference(&b->part[0], &b->part[2])));
}

/* The same two colours, in any order. */
static bool same_words(composer *c, const df_region *a, const df_region *b)
{
    df_str keep = c->now, text[2] = {{0}, {0}}, turned = {0};
    const df_region *look[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        c->now = (df_str){0};
        compose_short(c, look[i], 2);
        text[i] = c->now;
    }
    c->now = keep;
    const char *first = df_str_text(&text[0]), *second = df_str_text(&text[1]),
               *joint = strstr(first, " and ");
    if (joint)
        df_str_printf(&turned, "%s and %.*s", joint + 5, (int)(joint - first), first);
    bool same = strcmp(first, second) == 0 || (joint && strcmp(df_str_text(&turned), second) == 0);
    df_str_free(&text[0]);
    df_str_free(&text[1]);
    df_str_free(&turned);
    return same;
}

static const char *even(const bands *b, int i)
{
    return b->part[i].detail < 0.07 || b->part[i].detail < 0.4 * b->usual ? " and even" : "";
}

/* Two areas, the second one third of the picture or two. */
static void say_two(composer *c, const bands *b, const char *first, int i, const char *second,
                    int k)
{
    const df_region *x = &b->part[i], *y = &b->part[k];
    bool several = strstr(first, "two") != NULL;
    if (same_words(c, x, y) && fabs(x->brightness - y->brightness) < STEP / 2)
        return;
    if (same_words(c, x, y))
        compose_put(c, "%s %s %s than the rest", first, several ? "are" : "is",
                    x->brightness > y->brightness ? "lighter" : "darker");
    else if (compose_pick(c, 60, 2)) {
        int n = compose_short(c, x, 2);
        compose_put(c, " fill%s %s, ", n > 1 ? "" : "s", first);
        compose_short(c, y, 2);
        compose_put(c, " %s", second);
    } else {
        compose_put(c, "%s %s ", first, several ? "are" : "is");
        compose_short(c, x, 2);
        compose_put(c, "%s, %s ", even(b, i), second);
        compose_short(c, y, 2);
        df_str_append(&c->now, even(b, k));
    }
}

/* Three areas that all differ. */
static void say_three(composer *c, const bands *b, const band_words *w)
{
    const df_region *p = b->part;
    bool falls =
        p[0].brightness > p[1].brightness + 0.03 && p[1].brightness > p[2].brightness + 0.03;
    bool rises =
        p[0].brightness < p[1].brightness - 0.03 && p[1].brightness < p[2].brightness - 0.03;
    if (same_words(c, &p[0], &p[2]) && same_words(c, &p[0], &p[1])) {
        if (falls || rises)
            compose_put(c, "the picture grows %s %s", falls ? "darker" : "lighter", w->from_to);
        else
            compose_put(c, "%s is %s than the parts %s", w->name[1],
                        p[1].brightness > p[0].brightness ? "lighter" : "darker", w->around);
        return;
    }
    if (compose_pick(c, 61, 2)) {
        compose_put(c, "%s the colours go from ", w->from_to);
        compose_short(c, &p[0], 2);
        df_str_append(&c->now, " through ");
        compose_short(c, &p[1], 2);
        df_str_append(&c->now, " to ");
        compose_short(c, &p[2], 2);
        return;
    }
    for (int i = 0; i < 3; i++) {
        compose_put(c, "%s%s ", i == 0 ? "" : i == 1 ? ", " : " and ", w->name[i]);
        df_str_append(&c->now, i == 0 ? "is " : "");
        compose_short(c, &p[i], i == 0 ? 2 : 1);
        df_str_append(&c->now, i == 0 ? even(b, i) : "");
    }
}

/* Says what three bands of the picture look like; those that are alike are told as one. */
static void say_bands(composer *c, const bands *b)
{
    const band_words *w = &words[b->rows];
    const df_region *p = b->part;
    if (alike(&p[0], &p[1]))
        say_two(c, b, w->two[0], p[0].detail > p[1].detail ? 0 : 1, w->name[2], 2);
    else if (alike(&p[1], &p[2]))
        say_two(c, b, w->name[0], 0, w->two[1], p[1].detail > p[2].detail ? 1 : 2);
    else if (alike(&p[0], &p[2]) && !same_words(c, &p[1], &p[0])) {
        int n = compose_short(c, &p[1], 2);
        compose_put(c, " fill%s %s, ", n > 1 ? "" : "s", w->name[1]);
        compose_short(c, &p[0], 2);
        compose_put(c, " the parts %s", w->around);
    } else
        say_three(c, b, w);
    if (compose_say(c, SLOT_AREAS))
        c->coloured = true;
}

static int extreme(const composer *c, int sign)
{
    int best = 0;
    for (int i = 1; i < 9; i++)
        if (sign * (c->ev->cells[i].brightness - c->ev->cells[best].brightness) > 0)
            best = i;
    return best;
}

/* Corners and sides that differ more than the thirds already told. */
static void say_light(composer *c, double told)
{
    int light = extreme(c, 1), dark = extreme(c, -1);
    if (c->ev->cells[light].brightness - c->ev->cells[dark].brightness < fmax(0.18, 1.3 * told))
        return;
    int k = compose_pick(c, 62, 3);
    if (k == 0)
        compose_put(c, "the brightest part is %s, the darkest %s", at[light], at[dark]);
    else if (k == 1)
        compose_put(c, "the picture is lightest %s and darkest %s", at[light], at[dark]);
    else
        compose_put(c, "most of the light is %s, most of the dark %s", at[light], at[dark]);
    compose_say(c, SLOT_AREAS);
}

/* Where things are fine and where they are plain. */
static void say_detail(composer *c)
{
    int busy = 0, plain = 0;
    double sum = 0;
    for (int i = 0; i < 9; i++) {
        busy = c->ev->cells[i].detail > c->ev->cells[busy].detail ? i : busy;
        plain = c->ev->cells[i].detail < c->ev->cells[plain].detail ? i : plain;
        sum += c->ev->cells[i].detail / 9;
    }
    double most = c->ev->cells[busy].detail, least = c->ev->cells[plain].detail;
    if (sum < 0.05 && most < 0.12)
        compose_put(c, compose_pick(c, 63, 2) ? "all surfaces are smooth, without fine detail"
                                              : "there is hardly any fine detail");
    else if (most > 1.5 * sum && least < 0.05)
        compose_put(c, "%s%s%s%s", compose_pick(c, 69, 2) ? "detail gathers " : "fine detail is ",
                    at[busy],
                    compose_pick(c, 69, 2) ? " and is missing " : ", and the surface is smooth ",
                    at[plain]);
    else if (most > 1.5 * sum && least < 0.5 * sum && compose_pick(c, 70, 4) != 0)
        compose_put(c,
                    compose_pick(c, 64, 2) ? "fine detail is densest %s; the plainest part is %s"
                                           : "the detail is finest %s and thins out %s",
                    at[busy], at[plain]);
    else if (most > 1.5 * sum)
        compose_put(
            c, compose_pick(c, 65, 2) ? "most of the fine detail is %s" : "the busiest part is %s",
            at[busy]);
    else if (sum > 0.6 && least > 0.6 * sum)
        compose_put(c, compose_pick(c, 66, 2) ? "fine detail covers the whole surface"
                                              : "every part is full of fine detail");
    else
        return;
    compose_say(c, SLOT_AREAS);
}

static double share_of(const df_region *r, const char *colour)
{
    double share = 0;
    for (int i = 0; i < r->n_colours; i++)
        if (compose_same_colour(r->colours[i].name, colour))
            share += r->colours[i].share;
    return share;
}

static bool greyish(const char *colour)
{
    return strstr(colour, "grey") || strstr(colour, "black") || strstr(colour, "white");
}

/* A colour that one part has and the rest does not. */
static void say_accent(composer *c)
{
    double best = 0;
    int where = -1;
    const char *name = NULL;
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < c->ev->cells[i].n_colours; k++) {
            const char *colour = c->ev->cells[i].colours[k].name;
            double here = share_of(&c->ev->cells[i], colour), all = 0;
            for (int j = 0; j < 9; j++)
                all += share_of(&c->ev->cells[j], colour);
            bool local = here > 0.55 * all && here >= 0.1 && !greyish(colour) &&
                         share_of(&c->ev->whole, colour) < 0.12;
            if (local && here > best) {
                best = here;
                where = i;
                name = colour;
            }
        }
    if (!name)
        return;
    int k = compose_pick(c, 67, 3);
    if (k == 0)
        compose_put(c, "a patch of %s stands out %s", name, at[where]);
    else if (k == 1)
        compose_put(c, "%s is a patch of %s", at[where], name);
    else
        compose_put(c, "some %s is %s", name, at[where]);
    compose_say(c, SLOT_AREAS);
}

void compose_areas(composer *c)
{
    for (int i = 0; i < 9; i++)
        if (c->ev->cells[i].n_colours == 0)
            return;
    bands rows = {.rows = true}, columns = {.rows = false};
    for (int i = 0; i < 3; i++) {
        rows.part[i] = join(c, 3 * i, 1);
        columns.part[i] = join(c, i, 3);
        rows.usual += rows.part[i].detail / 3;
    }
    columns.usual = rows.usual;
    const bands *b = spread(&rows) >= spread(&columns) ? &rows : &columns;
    double told = spread(b);
    if (told >= STEP)
        say_bands(c, b);
    say_light(c, told);
    say_accent(c);
    say_detail(c);
    if (b->rows && alike(&columns.part[0], &columns.part[2]) &&
        fabs(columns.part[0].brightness - columns.part[2].brightness) < 0.03 && told >= 2 * STEP &&
        compose_pick(c, 68, 2)) {
        df_str_append(&c->now, "left and right are alike in light and colour");
        compose_say(c, SLOT_AREAS);
    }
}

/* What stands out in light, contrast and colour of the whole; the usual is not worth a sentence. */
void compose_tone(composer *c)
{
    const df_region *w = &c->ev->whole;
    if (w->n_colours == 0)
        return;
    if (!c->coloured && !c->mono) {
        df_str_append(&c->now, compose_pick(c, 51, 2) ? "overall the picture is in "
                                                      : "the main colours of the picture are ");
        if (compose_short(c, w, 3) == 1) {
            df_str_clear(&c->now);
            df_str_append(&c->now, "the main colour of the picture is ");
            compose_short(c, w, 1);
        }
        compose_say(c, SLOT_TONE);
    }
    const char *light = c->lit ? NULL : compose_light(w->brightness);
    const char *contrast = w->contrast > 0.55 ? "strong" : w->contrast < 0.22 ? "low" : NULL;
    const char *colour = c->mono || c->sepia    ? NULL
                         : w->saturation < 0.1  ? "muted"
                         : w->saturation > 0.45 ? "strong"
                                                : NULL;
    int k = compose_pick(c, 52, 2);
    if (light)
        compose_put(c, k ? "the whole is %s" : "as a whole the picture is %s", light);
    if (contrast)
        compose_put(c, light ? ", with %s contrast" : "the contrast is %s", contrast);
    if (colour)
        compose_put(c, light || contrast ? " and %s colours" : "the colours are %s", colour);
    if (!light && contrast && colour) {
        df_str_clear(&c->now);
        if (k)
            compose_put(c, "contrast is %s, and the colours are %s", contrast, colour);
        else
            compose_put(c, "the colours are %s and the contrast is %s", colour, contrast);
    }
    compose_say(c, SLOT_TONE);
}
