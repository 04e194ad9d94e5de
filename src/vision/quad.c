/* Convex hull (Andrew's monotone chain) and rectangles of least area (rotating calipers). */
#include "vision/quad.h"

#include <math.h>
#include <stdbool.h>

/* In a box this much longer than high the text runs along the long side. */
#define LONG_RATIO 1.5
/* cos 80 degrees. The text of a steeper box runs downward. */
#define UPRIGHT_COS 0.17

static double cross(df_point o, df_point a, df_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static double dot(df_point a, df_point b)
{
    return a.x * b.x + a.y * b.y;
}

static int chain_add(df_point *hull, int n, int floor, df_point p)
{
    while (n >= floor && cross(hull[n - 2], hull[n - 1], p) <= 0)
        n--;
    hull[n] = p;
    return n + 1;
}

int df_convex_hull(const df_point *points, int n, df_point *hull)
{
    int size = 0;
    for (int i = 0; i < n; i++)
        size = chain_add(hull, size, 2, points[i]);
    int floor = size + 1;
    for (int i = n - 2; i >= 0; i--)
        size = chain_add(hull, size, floor, points[i]);
    return n > 1 ? size - 1 : n;             /* the last point is the first again */
}

static df_point direction(df_point a, df_point b)
{
    double length = hypot(b.x - a.x, b.y - a.y);
    return length > 0 ? (df_point){(b.x - a.x) / length, (b.y - a.y) / length} : (df_point){1, 0};
}

/* The farthest hull point along an axis, searched from `at` on: the calipers only move forward. */
static int advance(const df_point *hull, int n, int at, df_point axis)
{
    for (int steps = 0; steps < n; steps++) {
        int next = (at + 1) % n;
        if (dot(hull[next], axis) < dot(hull[at], axis))
            break;
        at = next;
    }
    return at;
}

static df_quad span(df_point u, df_point v, double u0, double u1, double v0)
{
    return (df_quad){{{u.x * u0 + v.x * v0, u.y * u0 + v.y * v0},
                      {u.x * u1 + v.x * v0, u.y * u1 + v.y * v0},
                      {0, 0},
                      {0, 0}}};
}

df_quad df_quad_around(const df_point *hull, int n)
{
    df_quad best = {{hull[0], hull[0], hull[0], hull[0]}};
    double least = INFINITY;
    int right = 0, far = 0, left = 0;
    for (int i = 0; i < n && n > 1; i++) {
        df_point u = direction(hull[i], hull[(i + 1) % n]), v = {-u.y, u.x}, back = {-u.x, -u.y};
        right = advance(hull, n, i == 0 ? 1 : right, u);
        far = advance(hull, n, i == 0 ? right : far, v);
        left = advance(hull, n, i == 0 ? far : left, back);
        double u0 = dot(hull[left], u), u1 = dot(hull[right], u), v0 = dot(hull[i], v),
               v1 = dot(hull[far], v);
        if ((u1 - u0) * (v1 - v0) >= least)
            continue;
        least = (u1 - u0) * (v1 - v0);
        df_quad top = span(u, v, u0, u1, v0), bottom = span(u, v, u0, u1, v1);
        best = (df_quad){{top.at[0], top.at[1], bottom.at[1], bottom.at[0]}};
    }
    return best;
}

static double distance(df_point a, df_point b)
{
    return hypot(b.x - a.x, b.y - a.y);
}

double df_quad_width(const df_quad *q)
{
    return distance(q->at[0], q->at[1]);
}

double df_quad_height(const df_quad *q)
{
    return distance(q->at[1], q->at[2]);
}

df_quad df_quad_grow(const df_quad *rect, double by)
{
    df_point u = direction(rect->at[0], rect->at[1]), v = {-u.y, u.x};
    df_quad out = *rect;
    for (int i = 0; i < 4; i++) {
        double along = i == 1 || i == 2 ? by : -by, across = i >= 2 ? by : -by;
        out.at[i].x += u.x * along + v.x * across;
        out.at[i].y += u.y * along + v.y * across;
    }
    return out;
}

df_quad df_quad_turn(const df_quad *q, int first)
{
    df_quad out;
    for (int i = 0; i < 4; i++)
        out.at[i] = q->at[(i + first) % 4];
    return out;
}

df_quad df_quad_for_text(const df_quad *rect)
{
    double width = df_quad_width(rect), height = df_quad_height(rect);
    df_point u = direction(rect->at[0], rect->at[1]);
    /* is 0-1 the flatter edge, or the longer one where they differ much? */
    bool along = fabs(u.x) >= fabs(u.y);
    if (width >= LONG_RATIO * height || height >= LONG_RATIO * width)
        along = width > height;
    df_quad q = df_quad_turn(rect, along ? 0 : 1);
    u = direction(q.at[0], q.at[1]);
    bool forward = fabs(u.x) > UPRIGHT_COS ? u.x > 0 : u.y > 0;
    return forward ? q : df_quad_turn(&q, 2);
}
