/* What is the picture about, what belongs together, and what is written on what. */
#include "engine/compose/compose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/alt_text.h"

enum { BOXES_MAX = 512 };
static const double SUBJECT_SCORE = 0.6;     /* a name that no box backs needs more */
/* below this a tagger of 1,000 classes is more often wrong than right */
static const double TAG_SCORE = 0.5;

static double clamp01(double v)
{
    return isfinite(v) ? fmin(fmax(v, 0.0), 1.0) : 0.0;
}

compose_rect compose_box_rect(const composer *c, int box)
{
    const df_box *b = &c->ev->boxes[box];
    double w = c->ev->width > 0 ? (double)c->ev->width : 1,
           h = c->ev->height > 0 ? (double)c->ev->height : 1;
    compose_rect r = {clamp01(b->x0 / w), clamp01(b->y0 / h), clamp01(b->x1 / w),
                      clamp01(b->y1 / h)};
    if (r.x1 < r.x0)
        r.x1 = r.x0;
    if (r.y1 < r.y0)
        r.y1 = r.y0;
    return r;
}

double rect_area(compose_rect r)
{
    return fmax(r.x1 - r.x0, 0) * fmax(r.y1 - r.y0, 0);
}

compose_rect rect_cut(compose_rect a, compose_rect b)
{
    return (compose_rect){fmax(a.x0, b.x0), fmax(a.y0, b.y0), fmin(a.x1, b.x1), fmin(a.y1, b.y1)};
}

compose_rect rect_hull(compose_rect a, compose_rect b)
{
    return (compose_rect){fmin(a.x0, b.x0), fmin(a.y0, b.y0), fmax(a.x1, b.x1), fmax(a.y1, b.y1)};
}

/* How near the middle: 1 there, 0.4 in a corner. */
static double centrality(compose_rect r)
{
    double dx = (r.x0 + r.x1) / 2 - 0.5, dy = (r.y0 + r.y1) / 2 - 0.5;
    return 1 - 0.85 * sqrt(dx * dx + dy * dy);
}

static double weight_of(const compose_group *g, double score)
{
    double kind = !g->noun                             ? 1
                  : g->noun->kind == DF_NOUN_PERSON    ? 1.3
                  : g->noun->kind == DF_NOUN_ANIMAL    ? 1.25
                  : g->noun->kind == DF_NOUN_FURNITURE ? 0.75
                                                       : 1;
    return kind * sqrt(g->area) * centrality(g->hull) * (0.4 + 0.6 * clamp01(score));
}

/* In a row: apart along one axis, level along the other. */
static compose_layout layout_of(const compose_group *g)
{
    if (g->total == 1)
        return LAYOUT_ONE;
    if (g->n == 1)                           /* counted: where each of them is, is not known */
        return g->hull.x1 - g->hull.x0 > 0.5 || g->hull.y1 - g->hull.y0 > 0.5 ? LAYOUT_SPREAD
                                                                              : LAYOUT_CLOSE;
    double size_x = 0, size_y = 0, min_x = 1, max_x = 0, min_y = 1, max_y = 0;
    for (int i = 0; i < g->n; i++) {
        compose_rect r = g->rect[i];
        double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2;
        size_x += (r.x1 - r.x0) / g->n;
        size_y += (r.y1 - r.y0) / g->n;
        min_x = fmin(min_x, cx);
        max_x = fmax(max_x, cx);
        min_y = fmin(min_y, cy);
        max_y = fmax(max_y, cy);
    }
    double span_x = max_x - min_x, span_y = max_y - min_y;
    if (span_x > 0.7 * size_x * (g->n - 1) && span_y < 0.5 * size_y)
        return LAYOUT_ROW;
    if (span_y > 0.7 * size_y * (g->n - 1) && span_x < 0.5 * size_x)
        return LAYOUT_COLUMN;
    return span_x > 0.5 || span_y > 0.5 ? LAYOUT_SPREAD : LAYOUT_CLOSE;
}

static void add_box(compose_group *g, int box, compose_rect r)
{
    int at = g->n++;
    for (; at > 0 && rect_area(g->rect[at - 1]) < rect_area(r); at--) {
        g->rect[at] = g->rect[at - 1];
        g->box[at] = g->box[at - 1];
    }
    g->rect[at] = r;
    g->box[at] = box;
    g->hull = g->n == 1 ? r : rect_hull(g->hull, r);
    g->area += rect_area(r);
    g->largest = fmax(g->largest, rect_area(r));
}

static int heavier(const void *a, const void *b)
{
    const compose_group *x = a, *y = b;
    return x->weight < y->weight ? 1 : x->weight > y->weight ? -1 : strcmp(x->name, y->name);
}

static compose_group *group_for(composer *c, const char *name, const df_noun *noun, int n_boxes)
{
    for (int i = 0; i < c->n_groups; i++)
        if (noun ? c->groups[i].noun == noun : strcmp(c->groups[i].name, name) == 0)
            return &c->groups[i];
    compose_group *g = &c->groups[c->n_groups];
    g->box = df_arena_alloc(c->arena, (size_t)n_boxes, sizeof *g->box);
    g->rect = df_arena_alloc(c->arena, (size_t)n_boxes, sizeof *g->rect);
    if (!g->box || !g->rect)
        return NULL;
    memcpy(g->name, name, DF_LABEL_MAX);
    g->noun = noun;
    c->n_groups++;
    return g;
}

/* Groups the boxes by what they show, the heaviest group first. */
static bool group_boxes(composer *c)
{
    int n = c->ev->n_boxes < BOXES_MAX ? c->ev->n_boxes : BOXES_MAX;
    double *score = df_arena_alloc(c->arena, (size_t)n + 1, sizeof *score);
    c->groups = df_arena_alloc(c->arena, (size_t)n + 1, sizeof *c->groups);
    if (!c->groups || !score)
        return false;
    for (int i = 0; i < n; i++) {
        char name[DF_LABEL_MAX] = {0};
        const df_noun *noun = df_nouns_label(c->nouns, c->ev->boxes[i].label, name);
        compose_rect r = compose_box_rect(c, i);
        if (!*name || rect_area(r) <= 0)
            continue;
        compose_group *g = group_for(c, name, noun, n);
        if (!g)
            return false;
        add_box(g, i, r);
        g->total += c->ev->boxes[i].count > 1 ? c->ev->boxes[i].count : 1;
        score[g - c->groups] = fmax(score[g - c->groups], c->ev->boxes[i].score);
    }
    for (int i = 0; i < c->n_groups; i++) {
        c->groups[i].layout = layout_of(&c->groups[i]);
        c->groups[i].weight = weight_of(&c->groups[i], score[i]);
    }
    qsort(c->groups, (size_t)c->n_groups, sizeof *c->groups, heavier);
    return true;
}

/* The smallest box that holds most of the line, unless the box is nearly everything. */
static int home_of(const composer *c, const df_line *line)
{
    double w = c->ev->width > 0 ? (double)c->ev->width : 1,
           h = c->ev->height > 0 ? (double)c->ev->height : 1;
    compose_rect r = {1, 1, 0, 0};
    for (int k = 0; k < 4; k++) {
        double x = clamp01(line->x[k] / w), y = clamp01(line->y[k] / h);
        r = rect_hull(r, (compose_rect){x, y, x, y});
    }
    int best = -1;
    double best_area = 0.8;
    for (int g = 0; g < c->n_groups; g++)
        for (int i = 0; i < c->groups[g].n; i++) {
            compose_rect box = c->groups[g].rect[i];
            double inside = rect_area(rect_cut(r, box)), all = rect_area(r);
            bool bears = !c->groups[g].noun || (c->groups[g].noun->kind != DF_NOUN_ANIMAL &&
                                                c->groups[g].noun->kind != DF_NOUN_FOOD);
            if (bears && all > 0 && inside >= 0.85 * all && rect_area(box) < best_area) {
                best = c->groups[g].box[i];
                best_area = rect_area(box);
            }
        }
    return best;
}

static bool is_grey(const char *name)
{
    return strstr(name, "grey") || strcmp(name, "black") == 0 || strcmp(name, "white") == 0;
}

/* One coloured thing in a grey room makes a colour picture: every part must be without colour. */
static bool cells_are_grey(const df_evidence *ev)
{
    for (int cell = 0; cell < 9; cell++)
        for (int i = 0; i < ev->cells[cell].n_colours; i++)
            if (!is_grey(ev->cells[cell].colours[i].name))
                return false;
    return true;
}

/* Black and white, or toned: told by the colours' names, since no photograph is quite without
 * colour. */
static void find_medium(composer *c)
{
    double grey = 0, brown = 0, all = 0;
    for (int i = 0; i < c->ev->whole.n_colours; i++) {
        const char *name = c->ev->whole.colours[i].name;
        double share = c->ev->whole.colours[i].share;
        all += share;
        if (is_grey(name))
            grey += share;
        if (strstr(name, "sepia"))
            brown += share;
    }
    c->mono =
        all > 0 && grey >= 0.98 * all && c->ev->whole.saturation < 0.04 && cells_are_grey(c->ev);
    c->sepia = all > 0 && brown >= 0.3 * all;
}

/* Tags: the place, a name for the subject, and a finer name for the only box of its kind ("tabby"
 * for a cat). */
static void read_tags(composer *c)
{
    for (int i = 0; i < c->ev->n_tags; i++) {
        char name[DF_LABEL_MAX] = {0};
        const df_noun *noun = df_nouns_label(c->nouns, c->ev->tags[i].label, name);
        if (c->ev->tags[i].score < TAG_SCORE || !*name)
            continue;
        if (noun && noun->kind == DF_NOUN_SCENE) {
            c->scene = c->scene ? c->scene : noun;
            continue;
        }
        bool boxed = false;
        for (int g = 0; g < c->n_groups; g++) {
            compose_group *group = &c->groups[g];
            bool finer = noun && group->noun && noun != group->noun &&
                         df_noun_is(c->nouns, noun, group->noun);
            boxed =
                boxed || finer || (noun && noun == group->noun) || strcmp(group->name, name) == 0;
            if (finer && group->n == 1 && g == 0)
                memcpy(group->name, name, DF_LABEL_MAX);
        }
        if (!boxed && !c->subject && c->ev->tags[i].score >= SUBJECT_SCORE) {
            char *copy = df_arena_strdup(c->arena, name);
            c->subject = copy;
        }
    }
}

static bool word_is(const char *word, size_t n, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == n && strncmp(*list, word, n) == 0)
            return true;
    return false;
}

/* "Boats at Nagasaki" is "boats at ..." within a sentence. A leading word that can be a name
 * ("Aizkorri mountains") or not ("Hiking trail") keeps its capital, and the title stands first in
 * its sentence. */
static void fit_title(composer *c)
{
    static const char *const articles[] = {"A", "An", "The", NULL};
    static const char *const links[] = {"of", "de",  "von", "van", "the", "in", "at", "from",
                                        "on", "and", "la",  "du",  "del", "di", NULL};
    char *t = c->title;
    size_t first = strcspn(t, " ,");
    const char *next = t[first] == ' ' ? t + first + 1 : "";
    bool plain = *next >= 'a' && *next <= 'z' && !word_is(next, strcspn(next, " ,"), links);
    bool capital = t[0] >= 'A' && t[0] <= 'Z' && !(t[1] >= 'A' && t[1] <= 'Z');
    if (capital && (df_nouns_find(c->nouns, t, first) || word_is(t, first, articles)))
        t[0] = (char)(t[0] - 'A' + 'a');
    else
        c->title_first = plain;
}

/* The alt-text's names, unless it speaks of another kind of thing than was seen (a dog, where a cat
 * is). */
static void read_alt(composer *c)
{
    df_alt_title(c->ev->alt_text, c->title, sizeof c->title);
    const df_noun *seen = c->n_groups > 0 ? c->groups[0].noun : NULL;
    if (seen && df_alt_contradicts(c->nouns, c->title, seen))
        c->title[0] = '\0';
    fit_title(c);
}

bool compose_plan(composer *c)
{
    if (!group_boxes(c))
        return false;
    c->home = df_arena_alloc(c->arena, (size_t)c->ev->n_lines + 1, sizeof *c->home);
    if (!c->home)
        return false;
    for (int i = 0; i < c->ev->n_lines; i++)
        c->home[i] = home_of(c, &c->ev->lines[i]);
    find_medium(c);
    read_tags(c);
    read_alt(c);
    return true;
}
