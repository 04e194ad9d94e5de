/* Rotated rectangles around points. y points down, so clockwise is what one sees as clockwise. */
#ifndef DF_VISION_QUAD_H
#define DF_VISION_QUAD_H

typedef struct {
    double x, y;
} df_point;
typedef struct {
    df_point at[4];
} df_quad; /* corners, clockwise */

/* Convex hull by Andrew's monotone chain. points [n] are sorted by y, then x; hull [n + 1] is
 * written clockwise, without repeated points and without points on a straight edge. Returns the
 * number of corners. */
int df_convex_hull(const df_point *points, int n, df_point *hull);
/* The rectangle of least area around a convex hull (n >= 1), by rotating calipers (Toussaint
 * 1983). */
df_quad df_quad_around(const df_point *hull, int n);
double df_quad_width(const df_quad *q); /* length of the edge 0-1 */
double df_quad_height(const df_quad *q); /* length of the edge 1-2 */
/* The rectangle with every side moved outward by `distance`. */
df_quad df_quad_grow(const df_quad *rect, double distance);
/* The same corners, but beginning at corner `first`. */
df_quad df_quad_turn(const df_quad *q, int first);
/* Turns the corners so that the first is the top left of the text that the rectangle probably
 * holds. Text runs along the long side, to the right, or downward where the long side is nearly
 * upright. Where the sides differ little, it runs along the flatter one. */
df_quad df_quad_for_text(const df_quad *rect);
#endif
