/* The main subject and what stands around it. */
#include "engine/compose/compose.h"

#include <math.h>
#include <string.h>

#include "language/english.h"

static const char *size_word(double area)
{
    return area < 0.004 ? "tiny" : area < 0.025 ? "small" : "";
}

static const df_region *look_of(const composer *c, const compose_group *g)
{
    return &c->ev->boxes[g->box[0]].look;
}

/* Whether the colours in a box are those of the thing: in a small box they can
 * be its background's. */
static bool own_colours(const composer *c, const compose_group *g)
{
    const df_region *look = look_of(c, g);
    compose_rect r = g->rect[0];
    if (g->total != 1 || look->n_colours == 0)
        return false;
    int column = (int)fmin((r.x0 + r.x1) * 1.5, 2), row = (int)fmin((r.y0 + r.y1) * 1.5, 2);
    const df_region *around = &c->ev->cells[row * 3 + column];
    for (int i = 0; i < around->n_colours && g->largest < 0.06; i++)
        if (2 * around->colours[i].share > look->colours[0].share &&
            compose_same_colour(around->colours[i].name, look->colours[0].name))
            return false;
    return true;
}

/* A colour that most of the box has, so that it can be said of the thing. */
static const char *main_colour(const composer *c, const compose_group *g)
{
    const df_region *look = look_of(c, g);
    return own_colours(c, g) && look->colours[0].share > 0.4 && g->largest > 0.006
               ? look->colours[0].name
               : NULL;
}

/* "a motorcycle", "three boats", "a small, mostly red handbag", "some broccoli". */
static void put_group(composer *c, const compose_group *g, const char *size, const char *colour)
{
    char number[24];
    const char *phrase = g->noun && strcmp(g->noun->name, g->name) == 0 ? g->noun->phrase : NULL;
    if (g->total == 1 && phrase && !*size && !colour) {
        df_str_append(&c->now, phrase);
        return;
    }
    df_str adjectives = {0};
    df_str_append(&adjectives, size);
    if (colour)
        df_str_printf(&adjectives, "%smostly %s", *size ? ", " : "", colour);
    if (adjectives.size)
        df_str_append(&adjectives, " ");
    if (g->total == 1)
        compose_put(c, "%s %s%s", df_article(adjectives.size ? df_str_text(&adjectives) : g->name),
                    df_str_text(&adjectives), g->name);
    else {
        compose_put(c, "%s %s",
                    g->total > 12 ? "more than a dozen" : df_number_word(g->total, number),
                    df_str_text(&adjectives));
        df_plural_append(&c->now, g->name);
    }
    c->now.failed |= adjectives.failed;
    df_str_free(&adjectives);
}

/* Said again: "it", "the motorcycle", "the boats". */
static void put_again(composer *c, const compose_group *g, bool pronoun)
{
    if (pronoun) {
        df_str_append(&c->now, g->total == 1 ? "it" : "them");
        return;
    }
    df_str_append(&c->now, "the ");
    if (g->total == 1)
        df_str_append(&c->now, g->name);
    else
        df_plural_append(&c->now, g->name);
}

/* How the members of a group stand to each other. */
static const char *layout_verb(const composer *c, const compose_group *g)
{
    int k = compose_pick(c, 100 + (int)(g - c->groups), 2);
    switch (g->layout) {
    case LAYOUT_ROW:
        return g->total == 2 ? "are side by side" : k ? "form a row" : "are lined up";
    case LAYOUT_COLUMN:
        return g->total == 2 ? "are one above the other" : "are one above the other in a column";
    case LAYOUT_CLOSE:
        return g->total == 2 ? "are close together" : "form a group";
    case LAYOUT_SPREAD:
        return "are spread out";
    default:
        return "is";
    }
}

static void put_of_frame(composer *c)
{
    df_str_append(&c->now, " of ");
    compose_frame(c, false);
}

/* Area as seen: boxes of one kind may overlap. */
static double extent(const compose_group *g)
{
    return g->total == 1 ? g->largest : fmin(g->area, rect_area(g->hull));
}

static void put_scene(composer *c)
{
    if (c->scene && c->scene->phrase)
        compose_put(c, "%s, ", c->scene->phrase);
    c->scene = NULL;
}

/* Begins with a subject that takes up much of the picture. */
static void open_large(composer *c, const compose_group *g, double area, int k)
{
    if (area >= 0.55 && k == 0) {
        df_str_append(&c->now, "most");
        put_of_frame(c);
        df_str_append(&c->now, " is taken up by ");
        put_group(c, g, "", NULL);
        return;
    }
    put_group(c, g, "", NULL);
    const char *s = g->total == 1 ? "s" : "";
    if (k == 1)
        compose_put(c, " fill%s ", s);
    else
        compose_put(c, k ? " take%s up " : " occup%s ", k ? s : g->total == 1 ? "ies" : "y");
    df_str_append(&c->now, area >= 0.55 ? "most" : compose_side(g->hull));
    put_of_frame(c);
}

/* Begins with the subject: spread out, large, or at its place. */
static void open_subject(composer *c, const compose_group *g)
{
    double area = extent(g);
    int k = compose_pick(c, 1, 3);
    put_scene(c);
    if (g->total > 1 && g->layout == LAYOUT_SPREAD) {
        put_group(c, g, "", NULL);
        df_str_append(&c->now, " are spread across ");
        compose_frame(c, false);
    } else if (area >= 0.2)
        open_large(c, g, area, k);
    else if (k == 0 && g->total == 1) {
        df_str_append(&c->now, compose_place(g->hull));
        put_of_frame(c);
        df_str_append(&c->now, " is ");
        put_group(c, g, size_word(area), NULL);
    } else {
        put_group(c, g, g->total == 1 ? size_word(area) : "", NULL);
        compose_put(c, " %s %s", layout_verb(c, g), compose_place(g->hull));
        put_of_frame(c);
    }
    compose_say(c, SLOT_OPEN);
}

/* Says the name of what is shown, which the alt-text gave. */
static void say_title(composer *c)
{
    int k = compose_pick(c, 4, 3);
    /* "Paris, France is ..." lacks a comma */
    if (k == 1 && strchr(c->title, ','))
        k = 0;
    if (c->title_first) {
        compose_put(c, "%s: this is the subject of ", c->title);
        compose_frame(c, false);
    } else if (k == 0) {
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

static const char *fraction(double area)
{
    return area > 0.85   ? "nearly all"
           : area > 0.7  ? "about three quarters"
           : area > 0.6  ? "about two thirds"
           : area > 0.43 ? "about half"
           : area > 0.29 ? "about a third"
           : area > 0.22 ? "about a quarter"
           : area > 0.17 ? "about a fifth"
           : area > 0.08 ? "about a tenth"
                         : NULL;
}

/* The subject again, as the subject of a sentence: "it", "the person", "they". */
static const char *subject_again(composer *c, const compose_group *g, bool first)
{
    bool person = g->noun && g->noun->kind == DF_NOUN_PERSON;
    const char *name = person && g->total == 1
                           ? first ? df_arena_printf(c->arena, "the %s", g->name) : "the figure"
                           : NULL;
    return name ? name : g->total == 1 ? "it" : "they";
}

/* Members of a group that an edge cuts. */
static int cut_members(const compose_group *g)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += compose_edges(g->rect[i]) > 0;
    return n;
}

static const char *lighter_or_darker(const composer *c, const compose_group *g)
{
    const df_region *look = look_of(c, g), *whole = &c->ev->whole;
    double light = g->total == 1 && look->n_colours && whole->n_colours
                       ? look->brightness - whole->brightness
                       : 0;
    return extent(g) > 0.6 ? NULL : light > 0.12 ? "lighter" : light < -0.12 ? "darker" : NULL;
}

static void say_cut_group(composer *c, const compose_group *g)
{
    char number[24];
    int n = cut_members(g);
    if (n == 0 || g->total > g->n)
        return;
    if (n == g->n)
        compose_put(c,
                    g->total == 2 ? "both are cut off by the edge" : "all of them touch the edge");
    else
        compose_put(c, "%s of them %s cut off by the edge", df_number_word(n, number),
                    n == 1 ? "is" : "are");
    c->cuts++;
    compose_say(c, SLOT_MAIN);
}

/* How much of the picture it is, and what cuts it off. */
static void say_extent(composer *c, const compose_group *g)
{
    const char *part = fraction(extent(g)), *again = subject_again(c, g, !c->slots[SLOT_MAIN].size);
    int cut = g->total == 1 ? compose_edges(g->hull) : 0;
    bool tell = part && (c->n_groups < 4 || extent(g) > 0.25);
    if (tell)
        compose_put(c, g->total == 1 ? "%s covers %s of the area" : "%s cover %s of the area",
                    g->total == 1 ? again : "together they", part);
    if (cut > 0 && cut < 4) {
        compose_put(c, tell ? " and is cut off by " : "%s is cut off by ", again);
        compose_put_edges(c, g->hull);
        c->cuts++;
    }
    compose_say(c, SLOT_MAIN);
    if (g->total > 1)
        say_cut_group(c, g);
}

/* Says the colours of the subject, and whether it is lighter or darker than what surrounds it. */
static void say_colours(composer *c, const compose_group *g)
{
    const char *than = lighter_or_darker(c, g);
    if (g->total > 1)
        return;
    compose_put(c, "%s is ", subject_again(c, g, true));
    bool coloured = own_colours(c, g) && compose_colours(c, look_of(c, g));
    bool listed = coloured && strstr(df_str_text(&c->now), " and ");
    if (than)
        compose_put(c, "%s%s than %s",
                    !coloured ? ""
                    : listed  ? ", "
                              : " and ",
                    than, compose_pick(c, 10, 2) ? "its surroundings" : "what surrounds it");
    if (coloured || than)
        compose_say(c, SLOT_MAIN);
    df_str_clear(&c->now);
}

/* Which of several is where: "one is on the left, the other in the upper right". */
static void say_members(composer *c, const compose_group *g)
{
    if (g->n < 2)
        return;
    bool distinct =
        g->total <= 3 && g->total == g->n && g->layout != LAYOUT_ROW && g->layout != LAYOUT_COLUMN;
    for (int i = 0; i < g->n && distinct; i++)
        for (int k = 0; k < i; k++)
            distinct = distinct && compose_place(g->rect[i]) != compose_place(g->rect[k]);
    bool largest = rect_area(g->rect[0]) > 1.7 * rect_area(g->rect[1]);
    if (distinct && g->total == 2)
        compose_put(c, "%s is %s, the %s %s", largest ? "the larger" : "one",
                    compose_place(g->rect[0]), largest ? "smaller" : "other",
                    compose_place(g->rect[1]));
    else if (distinct)
        compose_put(c, "%s is %s, the others %s and %s", largest ? "the largest" : "one",
                    compose_place(g->rect[0]), compose_place(g->rect[1]),
                    compose_place(g->rect[2]));
    else if (largest)
        compose_put(c, "the %s of them is %s", g->total == 2 ? "larger" : "largest",
                    compose_place(g->rect[0]));
    compose_say(c, SLOT_MAIN);
}

/* No box: a tag names the subject, or colours are the subject. */
static void open_without_boxes(composer *c)
{
    if (!c->subject) {
        compose_field(c);
        return;
    }
    const df_noun *noun = df_nouns_find(c->nouns, c->subject, strlen(c->subject));
    int k = compose_pick(c, 7, 2);
    put_scene(c);
    if (k && !c->title[0]) {
        compose_frame(c, false);
        df_str_append(&c->now, " has ");
    }
    if (noun && noun->phrase)
        df_str_append(&c->now, noun->phrase);
    else
        compose_put(c, "%s %s", df_article(c->subject), c->subject);
    if (c->title[0]) {
        df_str_append(&c->now, " is in ");
        compose_frame(c, true);
    } else if (k)
        df_str_append(&c->now, " as its subject");
    else {
        df_str_append(&c->now, " is the subject of ");
        compose_frame(c, false);
    }
    compose_say(c, SLOT_OPEN);
}

void compose_scene(composer *c)
{
    if (c->title[0])
        say_title(c);
    if (c->n_groups == 0) {
        open_without_boxes(c);
        return;
    }
    const compose_group *main = &c->groups[0];
    open_subject(c, main);
    say_colours(c, main);
    say_extent(c, main);
    say_members(c, main);
}

/* After the noun: what sets it apart. Starts with a comma; ends with one when `closed`. */
static void put_details(composer *c, const compose_group *g, bool colour, bool closed)
{
    const char *parts[3];
    int n = 0;
    df_str edges = {0};
    const char *name = colour ? main_colour(c, g) : NULL;
    char *mostly = name ? df_arena_printf(c->arena, "mostly %s", name) : NULL;
    if (g->total == 1 && !*size_word(g->largest) && g->largest < 0.15 * c->groups[0].largest)
        parts[n++] = "much smaller";
    if (mostly)
        parts[n++] = mostly;
    if (g->total == 1 && compose_edges(g->hull) > 0 && c->cuts < 2) {
        df_str now = c->now;
        c->now = (df_str){0};
        df_str_append(&c->now, "cut off by ");
        compose_put_edges(c, g->hull);
        edges = c->now;
        c->now = now;
        c->cuts++;
        parts[n++] = df_str_text(&edges);
    }
    if (n > 0) {
        df_str_append(&c->now, ", ");
        df_list_append(&c->now, parts, n);
        df_str_append(&c->now, closed ? "," : "");
    }
    c->now.failed |= edges.failed;
    df_str_free(&edges);
}

static void put_link(composer *c, const compose_link *link, bool verb, bool pronoun)
{
    const compose_group *main = &c->groups[0];
    if (link->part) {
        compose_put(c, "%s ", verb ? link->verb : link->preposition);
        if (pronoun)
            compose_put(c, "its %s", link->part);
        else
            compose_put(c, "the %s of the %s", link->part, main->name);
        return;
    }
    compose_put(c, "%s%s ", verb ? "is " : "", link->preposition);
    put_again(c, main, pronoun);
}

/* One kind of thing beside the subject, in one of three builds; neighbours in the text never have
 * the same. */
static void say_other(composer *c, int index)
{
    const compose_group *g = &c->groups[index], *main = &c->groups[0];
    const char *place = compose_place(g->hull), *is = g->total == 1 ? "is" : "are";
    compose_link link;
    /* "it" is still the subject */
    bool near = index == 1 && !(main->noun && main->noun->kind == DF_NOUN_PERSON);
    bool related = index <= 2 && g->total == 1 && compose_relation(g->hull, main, &link);
    bool also = !related && c->last_place == place;
    int k = also ? 1 : (compose_pick(c, 200, 3) + index) % 3;
    if (k == 0) {
        if (related)
            put_link(c, &link, false, near);
        else
            df_str_append(&c->now, place);
        compose_put(c, " %s ", is);
        put_group(c, g, size_word(g->largest), NULL);
        put_details(c, g, true, false);
    } else {
        put_group(c, g, size_word(g->largest), k == 2 ? main_colour(c, g) : NULL);
        put_details(c, g, k == 1, true);
        if (related) {
            df_str_append(&c->now, " ");
            put_link(c, &link, true, near);
        } else
            compose_put(
                c, " %s %s%s", g->total > 1 && g->layout != LAYOUT_SPREAD ? layout_verb(c, g) : is,
                also ? "also " : "",
                g->layout == LAYOUT_SPREAD && g->total > 1 ? "spread across the picture" : place);
    }
    c->last_place = related ? NULL : place;
    compose_say(c, SLOT_OTHERS);
}

/* What is left, in one sentence; things in one place are told together. */
static void say_rest(composer *c, int from)
{
    int n = c->n_groups - from < 6 ? c->n_groups - from : 6, left = n, said = 0;
    bool told[6] = {false};
    df_str_append(&c->now, c->groups[from].n == 1 ? "there is also " : "there are also ");
    for (int i = 0; i < n; i++) {
        const char *place = compose_place(c->groups[from + i].hull);
        if (told[i])
            continue;
        int here = 0, in_place = 0;
        for (int k = i; k < n; k++)
            here += !told[k] && compose_place(c->groups[from + k].hull) == place;
        df_str_append(&c->now, said == 0 ? "" : left == here ? ", and " : ", ");
        for (int k = i; k < n; k++) {
            if (told[k] || compose_place(c->groups[from + k].hull) != place)
                continue;
            df_str_append(&c->now, in_place == 0 ? "" : in_place == here - 1 ? " and " : ", ");
            put_group(c, &c->groups[from + k], "", NULL);
            told[k] = true;
            in_place++;
        }
        compose_put(c, " %s", place);
        left -= here;
        said++;
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
        compose_put(
            c, compose_pick(c, 8, 2) ? "%s %s is part of the scene" : "the scene includes %s %s",
            df_article(c->subject), c->subject);
        compose_say(c, SLOT_TAGS);
    }
}
