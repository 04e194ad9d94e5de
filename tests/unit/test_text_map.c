/* Boxes from a map of text probability: where drawn rectangles are, how the reference sees the same
 * maps, bad maps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/text_map.h"
#include "base/file.h"

static const df_text_map_options usual = {0.3, 0.5, 1.6, true, 1000};

static void paint(float *map, int width, int x0, int y0, int x1, int y1, float p)
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            map[y * width + x] = p;
}

static void a_rectangle_grows_by_its_share(void **state)
{
    (void)state;
    enum { W = 200, H = 100 };
    float *map = calloc(W * H, sizeof *map);
    df_arena arena = {0};
    df_text_box *boxes;
    int n;
    paint(map, W, 40, 30, 140, 50, 0.9f); /* 100 x 20: grows by 2000 * 1.6 / 240 = 13.33 */
    assert_int_equal(df_text_map_boxes(map, W, H, &usual, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 1);
    const double x[4] = {26.67, 153.33, 153.33, 26.67}, y[4] = {16.67, 16.67, 63.33, 63.33};
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(boxes[0].quad.at[i].x - x[i]) < 0.01);
        assert_true(fabs(boxes[0].quad.at[i].y - y[i]) < 0.01);
    }
    assert_true(boxes[0].score > 0.8 && boxes[0].score <= 0.9);
    paint(map, W, 40, 30, 140, 50, 0.4f); /* text, but too faint a box */
    assert_int_equal(df_text_map_boxes(map, W, H, &usual, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 0);
    df_arena_reset(&arena);
    free(map);
}

/* A bar turned by any angle comes back with its angle, its size, and text running to the right or
 * down. */
static void a_turned_bar(void **state)
{
    (void)state;
    enum { SIDE = 300 };
    df_arena arena = {0};
    for (int degrees = -90; degrees < 90; degrees += 5) {
        double c = cos(degrees * 3.14159265358979 / 180), s = sin(degrees * 3.14159265358979 / 180);
        float *map = calloc(SIDE * SIDE, sizeof *map);
        for (int i = 0; i < SIDE * SIDE; i++) {
            double dx = i % SIDE + 0.5 - 150, dy = i / SIDE + 0.5 - 150;
            map[i] = fabs(dx * c + dy * s) <= 80 && fabs(dy * c - dx * s) <= 12 ? 0.95f : 0.01f;
        }
        df_text_box *boxes;
        int n;
        assert_int_equal(df_text_map_boxes(map, SIDE, SIDE, &usual, &arena, &boxes, &n, NULL),
                         DF_OK);
        assert_int_equal(n, 1);
        double by = 160.0 * 24 * 1.6 / (2 * 184);
        const df_quad *q = &boxes[0].quad;
        assert_true(fabs(df_quad_width(q) - 160 - 2 * by) < 4);
        assert_true(fabs(df_quad_height(q) - 24 - 2 * by) < 4);
        double angle =
            atan2(q->at[1].y - q->at[0].y, q->at[1].x - q->at[0].x) * 180 / 3.14159265358979;
        double want = degrees < -80 ? degrees + 180 : degrees;
        assert_true(fabs(angle - want) < 1.5);
        df_arena_reset(&arena);
        free(map);
    }
}

static void touching_corners_are_one_region(void **state)
{
    (void)state;
    enum { W = 64, H = 64 };
    float map[W * H] = {0};
    df_arena arena = {0};
    df_text_box *boxes;
    int n;
    paint(map, W, 10, 10, 20, 20, 1);
    paint(map, W, 20, 20, 30, 30, 1);
    paint(map, W, 10, 40, 30, 50, 1); /* ten rows lower: another one */
    df_text_map_options low = usual;
    low.box_threshold = 0.2;
    assert_int_equal(df_text_map_boxes(map, W, H, &low, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 2);
    df_arena_reset(&arena);
}

/* 10,000 blobs: the largest are looked at, the rest cost little. */
static void many_blobs_are_bounded(void **state)
{
    (void)state;
    enum { SIDE = 1000 };
    float *map = calloc(SIDE * SIDE, sizeof *map);
    for (int i = 0; i < 10000; i++) {
        int x = i % 100 * 10, y = i / 100 * 10, big = i >= 9990;
        paint(map, SIDE, x, y, x + 5 + big, y + 5 + big, 1);
    }
    df_arena arena = {0};
    df_text_box *boxes;
    int n;
    df_text_map_options few = usual;
    few.max_boxes = 10;
    assert_int_equal(df_text_map_boxes(map, SIDE, SIDE, &few, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 10);
    for (int i = 0; i < n; i++)
        assert_true(boxes[i].quad.at[0].x > 890 && boxes[i].quad.at[0].y > 980);
    assert_int_equal(df_text_map_boxes(map, SIDE, SIDE, &usual, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 1000);
    df_arena_reset(&arena);
    free(map);
}

static void bad_maps_have_no_text(void **state)
{
    (void)state;
    enum { W = 40, H = 40 };
    static float map[W * H];
    df_arena arena = {0};
    df_text_box *boxes;
    int n;
    const float values[] = {NAN, -INFINITY, 0, -5};
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        paint(map, W, 0, 0, W, H, values[k]);
        assert_int_equal(df_text_map_boxes(map, W, H, &usual, &arena, &boxes, &n, NULL), DF_OK);
        assert_int_equal(n, 0);
    }
    paint(map, W, 10, 10, 30, 20, 1);
    map[15 * W + 15] = NAN; /* a hole that is no number: the box has no score */
    assert_int_equal(df_text_map_boxes(map, W, H, &usual, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(n, 0);
    df_error err;
    assert_int_equal(df_text_map_boxes(map, 0, 4, &usual, &arena, &boxes, &n, &err), DF_MODEL);
    const float line[5] = {1, 1, 1, 1, 1};
    assert_int_equal(df_text_map_boxes(line, 5, 1, &usual, &arena, &boxes, &n, NULL), DF_OK);
    assert_int_equal(df_text_map_boxes(line, 1, 5, &usual, &arena, &boxes, &n, NULL), DF_OK);
    df_arena_reset(&arena);
}

/* --- the reference on the same maps: tests/oracle/text_map.py --- */

typedef struct {
    float map_threshold, threshold, unclip, dilate;
    int32_t width, height, n_boxes, n_runs;
} header;

static float *unpack(const header *h, const uint8_t *runs)
{
    float *map = calloc((size_t)h->width * (size_t)h->height, sizeof *map), *to = map;
    for (int i = 0; i < h->n_runs; i++)
        for (int k = 0; k < runs[2 * i]; k++)
            *to++ = (float)runs[2 * i + 1] / 32;
    assert_int_equal(to - map, h->width * h->height);
    return map;
}

static double corner_distance(const df_quad *q, const float *want, int turn)
{
    double most = 0;
    for (int i = 0; i < 4; i++) {
        const df_point *p = &q->at[(i + turn) % 4];
        most = fmax(most, hypot(p->x - (double)want[2 * i], p->y - (double)want[2 * i + 1]));
    }
    return most;
}

/* The distance between two boxes' corners, whichever comes first. */
static double box_distance(const df_quad *q, const float *want)
{
    double least = INFINITY;
    for (int turn = 0; turn < 4; turn++)
        least = fmin(least, corner_distance(q, want, turn));
    return least;
}

/* Each reference box has one of ours whose corners are at most 3 map pixels away (the reference
 * truncates before it grows, grows on whole numbers, rounds at the end) and whose score differs by
 * at most 0.06 (corners that are whole but for rounding fall to either side). The reference cuts
 * boxes at the border of the image, ours reach beyond. */
static void as_the_reference(void **state)
{
    (void)state;
    char path[600], *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/tests/data/text_map.bin", getenv("DF_SOURCE_DIR"));
    assert_int_equal(df_file_read(path, 1 << 24, &bytes, &size, NULL), DF_OK);
    int n_maps = 0, n_all = 0;
    for (const char *p = bytes; p < bytes + size; n_maps++) {
        header h;
        memcpy(&h, p, sizeof h);
        const uint8_t *runs = (const uint8_t *)(p + sizeof h);
        float *map = unpack(&h, runs), *want = malloc((size_t)h.n_boxes * 9 * sizeof *want);
        memcpy(want, runs + h.n_runs * 2, (size_t)h.n_boxes * 9 * sizeof *want);
        p = (const char *)runs + h.n_runs * 2 + (size_t)h.n_boxes * 9 * sizeof *want;

        const df_text_map_options how = {(double)h.map_threshold, (double)h.threshold,
                                         (double)h.unclip, h.dilate != 0, 1000};
        df_arena arena = {0};
        df_text_box *boxes;
        int n;
        assert_int_equal(df_text_map_boxes(map, h.width, h.height, &how, &arena, &boxes, &n, NULL),
                         DF_OK);
        assert_int_equal(n, h.n_boxes);
        for (int i = 0; i < 4 * n; i++) {
            df_point *c = &boxes[i / 4].quad.at[i % 4];
            *c = (df_point){fmin(fmax(c->x, 0), h.width - 1), fmin(fmax(c->y, 0), h.height - 1)};
        }
        for (int k = 0; k < h.n_boxes; k++) {
            int best = 0;
            for (int i = 0; i < n; i++)
                if (box_distance(&boxes[i].quad, want + k * 9) <
                    box_distance(&boxes[best].quad, want + k * 9))
                    best = i;
            double away = box_distance(&boxes[best].quad, want + k * 9),
                   score = (double)want[k * 9 + 8];
            if (away > 3 || fabs(boxes[best].score - score) > 0.06)
                fail_msg("map %d, box %d: %.2f px away, score %.3f, not %.3f", n_maps, k, away,
                         boxes[best].score, score);
            n_all++;
        }
        df_arena_reset(&arena);
        free(map);
        free(want);
    }
    assert_true(n_maps == 10 && n_all >= 90); /* v6 small and tiny, v5, v4 */
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rectangle_grows_by_its_share),  cmocka_unit_test(a_turned_bar),
        cmocka_unit_test(touching_corners_are_one_region), cmocka_unit_test(many_blobs_are_bounded),
        cmocka_unit_test(bad_maps_have_no_text),           cmocka_unit_test(as_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
