/* Colours in words: of the whole, of an object, of a part. Parts and light: area.c. */
#include "engine/compose/compose.h"

#include <math.h>
#include <string.h>

#include "language/english.h"

const char *compose_light(double brightness)
{
    return brightness < 0.2    ? "very dark"
           : brightness < 0.38 ? "dark"
           : brightness > 0.8  ? "very bright"
           : brightness > 0.64 ? "bright"
                               : NULL;
}

void compose_frame(composer *c, bool definite)
{
    if (definite || c->framed) {
        df_str_append(&c->now, c->n_frames++ % 2 ? "the frame" : "the picture");
        return;
    }
    c->framed = true;
    double ratio = c->ev->height > 0 ? (double)c->ev->width / (double)c->ev->height : 1;
    const char *shape = ratio >= 2.2                   ? "panoramic "
                        : ratio >= 1.7                 ? "wide "
                        : ratio <= 0.55                ? "tall, narrow "
                        : ratio <= 0.85                ? "upright "
                        : ratio < 1.04 && ratio > 0.96 ? "square "
                                                       : "";
    const char *medium = c->ev->whole.n_colours == 0 || c->plain_medium ? ""
                         : c->mono                                      ? "black-and-white "
                         : c->sepia                                     ? "sepia-toned "
                                                                        : "colour ";
    const char *light = c->ev->whole.n_colours ? compose_light(c->ev->whole.brightness) : NULL;
    if (compose_pick(c, 9, 3) == 0 || !light)
        light = "";
    else
        c->lit = true;
    const char *first = *light ? light : *shape ? shape : medium;
    compose_put(c, "%s %s%s%s%spicture", *first == 'u' ? "an" : "a", light,
                *light ? (*shape ? ", " : " ") : "", shape, medium);
}

static const char *base_of(const char *colour)
{
    const char *space = strrchr(colour, ' ');
    return space ? space + 1 : colour;
}

bool compose_same_colour(const char *a, const char *b)
{
    return strcmp(base_of(a), base_of(b)) == 0;
}

/* One colour of a text, its near shades joined: "grey" beside others, "dark and light grey" when it
 * stands alone. */
typedef struct {
    const char *list, *alone;
    double share;
    int members;
} tone;

static const char *join_shades(composer *c, const char *a, const char *b)
{
    const char *base = base_of(a);
    int first = (int)(base - a), second = (int)(base_of(b) - b);
    char *text = first && second ? df_arena_printf(c->arena, "%.*sand %s", first, a, b)
                                 : df_arena_printf(c->arena, "%s and %s", a, b);
    return text ? text : base;
}

/* Joins shades of one colour and sorts the result by share; small shares that are of no other
 * shade are left out. */
static int tones_of(composer *c, const df_region *look, tone out[DF_COLOURS_MAX])
{
    int n = 0;
    for (int i = 0; i < look->n_colours; i++) {
        const char *name = look->colours[i].name;
        int same = 0;
        while (same < n && !compose_same_colour(out[same].list, name))
            same++;
        if (look->colours[i].share < 0.06 && same == n)
            continue;
        if (same == n) {
            out[n++] = (tone){name, name, look->colours[i].share, 1};
            continue;
        }
        tone *t = &out[same];
        /* a little of another shade changes no name */
        bool major = t->share > 3 * look->colours[i].share;
        t->alone = major ? t->alone : t->members == 1 ? join_shades(c, t->list, name) : "";
        if (!major && t->members++ > 1) {
            char *all = df_arena_printf(c->arena, "shades of %s", base_of(name));
            t->alone = all ? all : base_of(name);
        }
        t->list = major ? t->list : base_of(name);
        t->share += look->colours[i].share;
    }
    /* joining can change the order */
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && out[k].share > out[k - 1].share; k--) {
            tone swap = out[k];
            out[k] = out[k - 1];
            out[k - 1] = swap;
        }
    return n;
}

/* The colours that count, as a list: "dark green", "blue and grey". How many; 0: nothing was
 * appended. */
int compose_short(composer *c, const df_region *look, int most)
{
    tone t[DF_COLOURS_MAX];
    const char *names[DF_COLOURS_MAX];
    int n = tones_of(c, look, t), kept = 0;
    for (; kept < n && kept < most && (kept == 0 || t[kept].share > 0.4 * t[0].share); kept++)
        names[kept] = t[kept].list;
    if (kept == 1)
        names[0] = t[0].alone;
    df_list_append(&c->now, names, kept);
    return kept == 1 && t[0].members > 1 ? 2 : kept;
}

/* "mostly dark grey with some red"; false when there is nothing to say. */
bool compose_colours(composer *c, const df_region *look)
{
    tone t[DF_COLOURS_MAX];
    int n = tones_of(c, look, t);
    /* the tone of the print, not of the thing */
    if (n == 0 || strcmp(t[0].list, "sepia") == 0)
        return false;
    if (n == 1 || t[0].share > 0.8)
        compose_put(c, "%s%s", t[0].share > 0.8 ? "" : "mostly ", t[0].alone);
    else if (t[0].share > 0.45)
        compose_put(c, "mostly %s with %s%s", t[0].list, t[1].share < 0.2 ? "some " : "",
                    t[1].list);
    else
        compose_short(c, look, 3);
    return true;
}

/* Opening of a picture of which only colours are known. */
void compose_field(composer *c)
{
    tone t[DF_COLOURS_MAX];
    int n = tones_of(c, &c->ev->whole, t), k = compose_pick(c, 5, 2);
    if (n == 0)
        return;
    if (c->scene) {
        compose_put(c, "%s %s is part of the scene", df_article(c->scene->name), c->scene->name);
        compose_say(c, SLOT_OPEN);
        c->scene = NULL;
    }
    if (c->sepia) {
        c->plain_medium = true;
        compose_frame(c, false);
        df_str_append(&c->now, k ? " is toned in sepia" : " is in shades of sepia");
        c->coloured = compose_say(c, SLOT_OPEN);
        return;
    }
    const char *s = n == 1 && t[0].members > 1 ? "" : "s";
    if (n == 1 || t[0].share > 0.8) {
        compose_put(c, "%s fill%s %s of ", t[0].alone, t[0].members > 1 ? "" : s,
                    t[0].share > 0.8 ? "nearly all" : "most");
        compose_frame(c, false);
    } else if (t[0].share >= 0.5) {
        compose_put(c, "%s %s more than half of ", t[0].list, k ? "takes up" : "covers");
        compose_frame(c, false);
        compose_put(c, k ? ", %s%s%s most of the rest" : "; the rest is mainly %s%s%s", t[1].list,
                    n > 2 ? " and " : "", n > 2 ? t[2].list : "");
    } else {
        if (k) {
            compose_frame(c, false);
            df_str_append(&c->now,
                          compose_pick(c, 55, 2) ? " is divided between " : " is made up of ");
        }
        compose_short(c, &c->ev->whole, 3);
        if (!k) {
            df_str_append(&c->now, compose_pick(c, 56, 2) ? " are the main colours of "
                                                          : " make up most of ");
            compose_frame(c, false);
        }
    }
    c->coloured = compose_say(c, SLOT_OPEN);
}
