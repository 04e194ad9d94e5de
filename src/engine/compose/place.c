/* Where things are, in words: in the frame, and seen from one another. */
#include "engine/compose/compose.h"

#include <math.h>
#include <string.h>

#include "language/english.h"

static const double EDGE = 0.008;            /* nearer to the edge than this is cut off by it */

const char *compose_place(compose_rect r)
{
    static const char *const places[9] = {
        "in the upper left", "at the top",    "in the upper right",
        "on the left",       "in the centre", "on the right",
        "in the lower left", "at the bottom", "in the lower right"};
    static const char *const corners[9] = {
        "in the upper left corner", "near the top edge",    "in the upper right corner",
        "near the left edge",       "in the centre",        "near the right edge",
        "in the lower left corner", "near the bottom edge", "in the lower right corner"};
    double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2, dx = cx - 0.5, dy = cy - 0.5;
    int column = cx < 0.34   ? 0
                 : cx > 0.66 ? 2
                             : 1,
        row = cy < 0.34   ? 0
              : cy > 0.66 ? 2
                          : 1,
        at = row * 3 + column;
    if (at == 4 && (fabs(dx) > 0.07 || fabs(dy) > 0.07)) {
        if (fabs(dx) >= fabs(dy))
            return dx < 0 ? "slightly left of the centre" : "slightly right of the centre";
        return dy < 0 ? "slightly above the centre" : "slightly below the centre";
    }
    double from_side = column == 0   ? r.x1
                       : column == 2 ? 1 - r.x0
                                     : 0,
           from_end = row == 0   ? r.y1
                      : row == 2 ? 1 - r.y0
                                 : 0;
    double near = row != 1 && column != 1 ? 0.3 : 0.2;
    return from_side < near && from_end < near ? corners[at] : places[at];
}

const char *compose_side(compose_rect r)
{
    double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2;
    if (r.x1 - r.x0 > 0.85)
        return cy < 0.4 ? "the upper part" : cy > 0.6 ? "the lower part" : "the full width";
    return cx < 0.4    ? "the left side"
           : cx > 0.6  ? "the right side"
           : cy < 0.38 ? "the upper middle"
           : cy > 0.62 ? "the lower middle"
                       : "the middle";
}

int compose_edges(compose_rect r)
{
    return (r.x0 < EDGE) + (r.x1 > 1 - EDGE) + (r.y0 < EDGE) + (r.y1 > 1 - EDGE);
}

void compose_put_edges(composer *c, compose_rect r)
{
    const char *names[4];
    int n = 0;
    if (r.x0 < EDGE)
        names[n++] = "left";
    if (r.x1 > 1 - EDGE)
        names[n++] = "right";
    if (r.y0 < EDGE)
        names[n++] = "top";
    if (r.y1 > 1 - EDGE)
        names[n++] = "bottom";
    df_str_append(&c->now, n == 4 ? "all four" : "the ");
    if (n < 4)
        df_list_append(&c->now, names, n);
    df_str_append(&c->now, n > 1 ? " edges" : " edge");
}

/* The part of a that b covers. */
static const char *covered_part(compose_rect a, compose_rect b)
{
    double dx = ((b.x0 + b.x1) - (a.x0 + a.x1)) / 2 / fmax(a.x1 - a.x0, 1e-6);
    double dy = ((b.y0 + b.y1) - (a.y0 + a.y1)) / 2 / fmax(a.y1 - a.y0, 1e-6);
    if (fabs(dx) < 0.15 && fabs(dy) < 0.15)
        return "middle";
    if (fabs(dx) >= fabs(dy))
        return dx < 0 ? "left side" : "right side";
    return dy < 0 ? "upper part" : "lower part";
}

bool compose_relation(compose_rect b, const compose_group *main, compose_link *out)
{
    compose_rect a = main->hull;
    double cut = rect_area(rect_cut(a, b)), smaller = fmin(rect_area(a), rect_area(b));
    *out = (compose_link){0};
    if (rect_area(a) > 0.6 || (main->n > 1 && main->layout == LAYOUT_SPREAD))
        return false;
    if (cut > 0.12 * smaller) {
        if (main->n > 1 || rect_area(b) > rect_area(a))
            return false;
        *out =
            (compose_link){cut > 0.9 * rect_area(b) ? "is set within" : "overlaps",
                           cut > 0.9 * rect_area(b) ? "within" : "overlapping", covered_part(a, b)};
        return true;
    }
    bool left = b.x1 <= a.x0 + 0.02, right = b.x0 >= a.x1 - 0.02, above = b.y1 <= a.y0 + 0.02,
         below = b.y0 >= a.y1 - 0.02;
    if ((left || right) && (above || below))
        out->preposition = above ? (left ? "above and to the left of" : "above and to the right of")
                           : left ? "below and to the left of"
                                  : "below and to the right of";
    else if (left || right)
        out->preposition = left ? "to the left of" : "to the right of";
    else if (above || below)
        out->preposition = above ? "above" : "below";
    return out->preposition != NULL;
}
