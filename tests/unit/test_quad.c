/* Hulls and rectangles of least area, against what is known by construction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "vision/quad.h"

static int by_row(const void *a, const void *b)
{
    const df_point *p = a, *q = b;
    if (p->y != q->y)
        return p->y < q->y ? -1 : 1;
    return p->x < q->x ? -1 : p->x > q->x;
}

static double side_of(df_point a, df_point b, df_point p)
{
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

/* A cloud: all points are inside the hull and inside the rectangle, the hull turns one way, and no
 * rectangle along another of the hull's edges is smaller. */
static void clouds(void **state)
{
    (void)state;
    enum { N = 60 };
    unsigned seed = 7;
    for (int round = 0; round < 50; round++) {
        df_point points[N], hull[N + 1];
        for (int i = 0; i < N; i++) {
            seed = seed * 1664525u + 1013904223u;
            points[i] = (df_point){seed >> 8 & 127, (seed >> 16 & 127) >> (round & 3)};
        }
        qsort(points, N, sizeof *points, by_row);
        int n = df_convex_hull(points, N, hull);
        df_quad q = df_quad_around(hull, n);
        double area = df_quad_width(&q) * df_quad_height(&q);
        for (int k = 0; k < n; k++) {
            df_point a = hull[k], b = hull[(k + 1) % n];
            double length = hypot(b.x - a.x, b.y - a.y), u0 = INFINITY, u1 = -INFINITY, v1 = 0;
            assert_true(side_of(a, b, hull[(k + 2) % n]) > 0);
            for (int i = 0; i < N; i++) {
                double u = ((points[i].x - a.x) * (b.x - a.x) + (points[i].y - a.y) * (b.y - a.y)) /
                           length;
                assert_true(side_of(a, b, points[i]) >= 0);
                u0 = fmin(u0, u);
                u1 = fmax(u1, u);
                v1 = fmax(v1, side_of(a, b, points[i]) / length);
            }
            assert_true(area <= (u1 - u0) * v1 + 1e-6);
        }
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < N; i++)
                assert_true(side_of(q.at[k], q.at[(k + 1) % 4], points[i]) >= -1e-6 * area);
    }
}

static void points_and_lines(void **state)
{
    (void)state;
    df_point hull[4];
    const df_point one = {3, 4}, two[] = {{1, 2}, {5, 5}}, row[] = {{0, 0}, {1, 0}, {2, 0}};
    df_quad q = df_quad_around(hull, df_convex_hull(&one, 1, hull));
    assert_true(q.at[2].x == 3 && q.at[2].y == 4);
    q = df_quad_around(hull, df_convex_hull(two, 2, hull));
    assert_true(fabs(df_quad_width(&q) - 5) < 1e-9 && df_quad_height(&q) < 1e-9);
    assert_int_equal(df_convex_hull(row, 3, hull), 2);
}

static void text_begins_at_its_top_left(void **state)
{
    (void)state;
    const df_quad wide = {{{0, 0}, {100, 0}, {100, 20}, {0, 20}}},
                  tall = {{{0, 0}, {20, 0}, {20, 100}, {0, 100}}};
    for (int turn = 0; turn < 4; turn++) {
        df_quad q = df_quad_turn(&wide, turn), text = df_quad_for_text(&q);
        assert_true(text.at[0].x == 0 && text.at[0].y == 0 && text.at[1].x == 100);
        q = df_quad_turn(&tall, turn);       /* reads downward: its top is the right side */
        text = df_quad_for_text(&q);
        assert_true(text.at[0].x == 20 && text.at[0].y == 0 && text.at[1].x == 20 &&
                    text.at[1].y == 100);
    }
    df_quad grown = df_quad_grow(&wide, 5);
    assert_true(grown.at[0].x == -5 && grown.at[0].y == -5 && grown.at[2].x == 105 &&
                grown.at[2].y == 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(clouds), cmocka_unit_test(points_and_lines),
                                       cmocka_unit_test(text_begins_at_its_top_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
