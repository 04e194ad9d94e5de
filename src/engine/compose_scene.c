/* The main subject and what stands around it. */
#include "engine/compose.h"

#include <math.h>
#include <string.h>

#include "algo/english.h"

static const double EDGE = 0.008;            /* nearer to the edge than this is cut off by it */

const char *compose_place(compose_rect r, char buffer[64])
{
    double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2, dx = cx - 0.5, dy = cy - 0.5;
    int column = cx < 0.34 ? 0 : cx > 0.66 ? 2 : 1, row = cy < 0.34 ? 0 : cy > 0.66 ? 2 : 1;
    static const char *const places[9] = {"in the upper left", "at the top", "in the upper right", "on the left", "in the centre",
                                          "on the right", "in the lower left", "at the bottom", "in the lower right"};
    const char *place = places[row * 3 + column];
    if (row == 1 && column == 1 && (fabs(dx) > 0.07 || fabs(dy) > 0.07)) {
        if (fabs(dx) >= fabs(dy))
            place = dx < 0 ? "slightly left of the centre" : "slightly right of the centre";
        else
            place = dy < 0 ? "slightly above the centre" : "slightly below the centre";
    } else if (row == 1 && column == 1)
        place = "in the centre";
    else if (row != 1 && column != 1 && (column ? 1 - r.x0 : r.x1) < 0.3 && (row ? 1 - r.y0 : r.y1) < 0.3) {
        strcpy(buffer, places[row * 3 + column]);
        strcat(buffer, " corner");
        return buffer;
    } else if (row == 1 && (column ? 1 - r.x0 : r.x1) < 0.2)
        place = column ? "near the right edge" : "near the left edge";
    else if (column == 1 && (row ? 1 - r.y0 : r.y1) < 0.2)
        place = row ? "near the bottom edge" : "near the top edge";
    strcpy(buffer, place);
    return buffer;
}

/* Edges that a box touches, as "the left edge", "the left and bottom edges"; 0 when none. */
static int put_edges(composer *c, compose_rect r)
{
    const char *names[4];
    int n = 0;
    if (r.x0 < EDGE) names[n++] = "left";
    if (r.x1 > 1 - EDGE) names[n++] = "right";
    if (r.y0 < EDGE) names[n++] = "top";
    if (r.y1 > 1 - EDGE) names[n++] = "bottom";
    if (n == 0)
        return 0;
    df_str_append(&c->now, n == 4 ? "all four" : "the ");
    if (n < 4)
        df_list_append(&c->now, names, n);
    df_str_append(&c->now, n > 1 ? " edges" : " edge");
    return n;
}

static int edges_of(compose_rect r)
{
    return (r.x0 < EDGE) + (r.x1 > 1 - EDGE) + (r.y0 < EDGE) + (r.y1 > 1 - EDGE);
}

/* "a motorcycle", "three boats", "a small dog", "some broccoli". */
static void put_group(composer *c, const compose_group *g, const char *adjective)
{
    char number[24];
    const char *phrase = g->noun && strcmp(g->noun->name, g->name) == 0 ? g->noun->phrase : NULL;
    if (g->n == 1 && phrase && g->noun->kind != DF_NOUN_SCENE && !*adjective) {
        df_str_append(&c->now, phrase);
        return;
    }
    if (g->n == 1) {
        compose_put(c, "%s %s%s%s", df_article(*adjective ? adjective : g->name), adjective, *adjective ? " " : "", g->name);
        return;
    }
    compose_put(c, "%s %s%s", g->n > 12 ? "more than a dozen" : df_number_word(g->n, number), adjective, *adjective ? " " : "");
    df_plural_append(&c->now, g->name);
}

static const char *size_word(double area)
{
    return area < 0.004 ? "tiny" : area < 0.025 ? "small" : "";
}

/* Verb and how several are laid out: "is", "are in a row", "are spread". */
static const char *layout_verb(const composer *c, const compose_group *g)
{
    int k = compose_pick(c, 100 + (int)(g - c->groups), 2);
    switch (g->layout) {
    case LAYOUT_ROW: return g->n == 2 ? "are side by side" : k ? "form a row" : "are lined up";
    case LAYOUT_COLUMN: return g->n == 2 ? "are one above the other" : "are stacked one above the other";
    case LAYOUT_CLOSE: return g->n == 2 ? "are close together" : "form a group";
    case LAYOUT_SPREAD: return g->n == 2 ? "are far apart" : "are spread out";
    default: return "is";
    }
}

static void put_of_frame(composer *c)
{
    df_str_append(&c->now, " of ");
    compose_frame(c, false);
}

/* A group's area as seen: hull for a close group, sum for scattered ones. */
static double extent(const compose_group *g)
{
    return g->n == 1 ? g->largest : fmin(g->area, rect_area(g->hull));
}

static const char *side_of(compose_rect r)
{
    double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2;
    if (r.x1 - r.x0 > 0.85)
        return cy < 0.4 ? "the upper part" : cy > 0.6 ? "the lower part" : "the full width";
    return cx < 0.4 ? "the left side" : cx > 0.6 ? "the right side" : cy < 0.38 ? "the upper middle"
           : cy > 0.62 ? "the lower middle" : "the middle";
}

static void open_single(composer *c, const compose_group *g)
{
    char place[64];
    double area = extent(g);
    int k = compose_pick(c, 1, 3);
    if (area >= 0.55 && k == 0) {
        df_str_append(&c->now, "most");
        put_of_frame(c);
        df_str_append(&c->now, " is taken up by ");
        put_group(c, g, "");
    } else if (area >= 0.22) {
        put_group(c, g, "");
        compose_put(c, " %s%s ", k == 1 ? "fill" : "take", g->n == 1 ? "s" : "");
        if (k != 1)
            df_str_append(&c->now, "up ");
        df_str_append(&c->now, area >= 0.55 ? "most" : side_of(g->hull));
        put_of_frame(c);
    } else if (area >= 0.025 && k == 0 && g->n == 1) {
        df_str_append(&c->now, compose_place(g->hull, place));
        put_of_frame(c);
        df_str_append(&c->now, " is ");
        put_group(c, g, "");
    } else {
        put_group(c, g, g->n == 1 ? size_word(area) : "");
        compose_put(c, " %s %s", layout_verb(c, g), compose_place(g->hull, place));
        put_of_frame(c);
    }
}

/* "By the seashore, ..." */
static void put_scene(composer *c)
{
    if (c->scene && c->scene->phrase && compose_pick(c, 2, 3) != 0) {
        compose_put(c, "%s, ", c->scene->phrase);
        c->scene = NULL;
    }
}

static void say_scene_left(composer *c)
{
    if (!c->scene)
        return;
    if (compose_pick(c, 3, 2))
        compose_put(c, "the setting is %s %s", df_article(c->scene->name), c->scene->name);
    else
        compose_put(c, "the place is %s %s", df_article(c->scene->name), c->scene->name);
    compose_say(c, SLOT_OPEN);
    c->scene = NULL;
}

static void say_title(composer *c)
{
    int k = compose_pick(c, 4, 3);
    if (k == 0) {
        df_str_append(&c->now, "the subject of ");
        compose_frame(c, false);
        compose_put(c, " is %s", c->title);
    } else if (k == 1) {
        compose_put(c, "%s is the subject of ", c->title);
        compose_frame(c, false);
    } else {
        compose_frame(c, false);
        compose_put(c, " of %s", c->title);
    }
    compose_say(c, SLOT_OPEN);
}

static const char *pronoun(const compose_group *g)
{
    return g->n == 1 ? "it" : "they";
}

/* Colours and edges of the main subject. */
static void say_main(composer *c, const compose_group *g)
{
    const df_region *look = &c->ev->boxes[g->box[0]].look;
    bool coloured = false;
    const char *is = g->n == 1 ? "is" : "are";
    if (g->n == 1) {
        compose_put(c, "%s %s ", pronoun(g), is);
        coloured = compose_colours(c, look);
        if (!coloured)
            df_str_clear(&c->now);
    }
    int cut = edges_of(g->hull);
    if (cut > 0 && cut < 4) {
        if (coloured)
            df_str_append(&c->now, cut == 1 ? ", and is cut off by " : ", and reaches ");
        else
            compose_put(c, cut == 1 && g->n == 1 ? "%s is cut off by " : g->n == 1 ? "%s reaches " : "%s reach ", pronoun(g));
        put_edges(c, g->hull);
    }
    compose_say(c, SLOT_MAIN);
    if (g->n > 1 && rect_area(g->rect[0]) > 1.7 * rect_area(g->rect[1])) {
        char place[64];
        compose_put(c, "the largest of them is %s", compose_place(g->rect[0], place));
        compose_say(c, SLOT_MAIN);
    }
}

void compose_scene(composer *c)
{
    if (c->title[0])
        say_title(c);
    if (c->n_groups > 0) {
        put_scene(c);
        open_single(c, &c->groups[0]);
        compose_say(c, SLOT_OPEN);
        say_scene_left(c);
        say_main(c, &c->groups[0]);
        return;
    }
    if (c->subject) {
        const df_noun *noun = df_nouns_find(c->nouns, c->subject, strlen(c->subject));
        put_scene(c);
        if (noun && noun->phrase)
            df_str_append(&c->now, noun->phrase);
        else
            compose_put(c, "%s %s", df_article(c->subject), c->subject);
        df_str_append(&c->now, " is the main subject of ");
        compose_frame(c, c->title[0] != '\0');
        compose_say(c, SLOT_OPEN);
    }
    say_scene_left(c);
    if (!c->framed && c->ev->whole.n_colours > 0) {
        compose_frame(c, false);
        df_str_append(&c->now, compose_pick(c, 5, 2) ? " in " : " made up of ");
        size_t from = c->now.size;
        if (compose_colours(c, &c->ev->whole) && from)
            compose_say(c, SLOT_OPEN);
        df_str_clear(&c->now);
    }
}

/* Where b stands, seen from a. false: say its place in the frame instead. */
static bool put_relation(composer *c, compose_rect b, const compose_group *main)
{
    compose_rect a = main->hull;
    const char *them = main->n == 1 ? "it" : "them", *their = main->n == 1 ? "its" : "their";
    double cut = rect_area(rect_cut(a, b)), smaller = fmin(rect_area(a), rect_area(b));
    if (rect_area(a) > 0.6 || (main->n > 1 && main->layout == LAYOUT_SPREAD))
        return false;
    if (cut > 0.15 * smaller) {
        if (main->n > 1)
            return false;
        compose_put(c, cut > 0.9 * rect_area(b) ? "within the outline of the %s" : "partly overlapping the %s", main->name);
        return true;
    }
    bool left = b.x1 <= a.x0 + 0.02, right = b.x0 >= a.x1 - 0.02, above = b.y1 <= a.y0 + 0.02, below = b.y0 >= a.y1 - 0.02;
    if ((left || right) && (above || below))
        compose_put(c, "%s and to the %s of %s", above ? "above" : "below", left ? "left" : "right", them);
    else if (left || right)
        compose_put(c, "to %s %s", their, left ? "left" : "right");
    else if (above || below)
        compose_put(c, "%s %s", above ? "above" : "below", them);
    else
        return false;
    return true;
}

static void put_details(composer *c, const compose_group *g, bool after)
{
    const compose_group *main = &c->groups[0];
    const df_region *look = &c->ev->boxes[g->box[0]].look;
    const char *sep = after ? ", " : "";
    if (g->n == 1 && g->largest < 0.12 * main->largest) {
        compose_put(c, "%smuch smaller", sep);
        sep = ", ";
    }
    if (g->n == 1 && look->n_colours > 0 && look->colours[0].share > 0.35 && g->largest > 0.01) {
        compose_put(c, "%smostly %s", sep, look->colours[0].name);
        sep = " and ";
    }
    if (edges_of(g->hull) > 0 && g->n == 1) {
        compose_put(c, "%scut off by ", *sep ? " and " : "");
        put_edges(c, g->hull);
    }
}

static void say_other(composer *c, int index)
{
    const compose_group *g = &c->groups[index], *main = &c->groups[0];
    char place[64];
    const char *is = g->n == 1 ? "is" : "are";
    int k = compose_pick(c, 200 + index, 2);
    df_str relation = c->now;
    c->now = (df_str){0};
    bool related = index <= 2 && put_relation(c, g->hull, main);
    if (!related)
        df_str_append(&c->now, compose_place(g->hull, place));
    df_str swap = c->now;
    c->now = relation;
    relation = swap;
    if (k == 0) {
        compose_put(c, "%s %s ", df_str_text(&relation), is);
        put_group(c, g, size_word(g->largest));
        put_details(c, g, true);
    } else {
        put_group(c, g, size_word(g->largest));
        compose_put(c, " %s %s", g->n > 1 ? layout_verb(c, g) : is, df_str_text(&relation));
        put_details(c, g, true);
    }
    df_str_free(&relation);
    compose_say(c, SLOT_OTHERS);
}

/* What is left, in one sentence. */
static void say_rest(composer *c, int from)
{
    char place[64];
    int n = c->n_groups - from < 5 ? c->n_groups - from : 5;
    df_str_append(&c->now, n == 1 && c->groups[from].n == 1 ? "there is also " : "there are also ");
    for (int i = 0; i < n; i++) {
        df_str_append(&c->now, i == 0 ? "" : i == n - 1 ? " and " : ", ");
        put_group(c, &c->groups[from + i], "");
        compose_put(c, " %s", compose_place(c->groups[from + i].hull, place));
    }
    compose_say(c, SLOT_OTHERS);
}

void compose_others(composer *c)
{
    int single = c->n_groups > 5 ? 4 : c->n_groups;
    for (int i = 1; i < single; i++)
        say_other(c, i);
    if (single < c->n_groups)
        say_rest(c, single);
    if (c->n_groups > 0 && c->subject) {
        compose_put(c, "%s %s is part of the scene", df_article(c->subject), c->subject);
        compose_say(c, SLOT_TAGS);
    }
}
