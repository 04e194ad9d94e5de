/* Tiles and their boxes: geometry alone. The detector over them is in test_experts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "vision/slices.h"

static const df_slicing two = {.slices = 2, .overlap = 0.25};

static void test_no_tiles(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        df_slicing how;
    } cases[] = {
        {4000, 3000, {0}},
        {4000, 3000, {.slices = 1, .overlap = 0.2}},
        {200, 150, {.slices = 4, .overlap = 0.2}},       /* too small to show more in parts */
        {1, 1, {.slices = 8, .overlap = 0.5}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const df_slice_grid grid = df_slice_grid_of(cases[i].width, cases[i].height, &cases[i].how);
        assert_int_equal(grid.columns * grid.rows, 0);
    }
}

static void test_two_along_the_long_side(void **state)
{
    (void)state;
    const df_slice_grid grid = df_slice_grid_of(1750, 1000, &two);
    assert_int_equal(grid.side, 1000);
    assert_int_equal(grid.columns, 2);
    assert_int_equal(grid.rows, 1);
    const df_slice left = df_slice_at(&grid, 0), right = df_slice_at(&grid, 1);
    assert_int_equal(left.x0, 0);
    assert_int_equal(left.x1, 1000);
    assert_int_equal(right.x0, 750);
    assert_int_equal(right.x1, 1750);
    assert_int_equal(right.y0, 0);
    assert_int_equal(right.y1, 1000);
}

/* Whatever the size: inside the picture, all of it covered, neighbours share the
 * overlap at least. */
static void assert_covers(int width, int height, const df_slicing *how)
{
    const df_slice_grid grid = df_slice_grid_of(width, height, how);
    if (grid.columns == 0)
        return;
    assert_true(grid.columns <= how->slices + 1 && grid.rows <= how->slices + 1);
    for (int i = 0; i < grid.columns * grid.rows; i++) {
        const df_slice t = df_slice_at(&grid, i);
        const int column = i % grid.columns, row = i / grid.columns;
        assert_true(t.x0 >= 0 && t.y0 >= 0 && t.x1 <= width && t.y1 <= height && t.x0 < t.x1 &&
                    t.y0 < t.y1);
        assert_true((column > 0) == (t.x0 > 0) && (row > 0) == (t.y0 > 0));
        assert_true((column == grid.columns - 1) == (t.x1 == width) &&
                    (row == grid.rows - 1) == (t.y1 == height));
        if (column > 0)
            assert_true(df_slice_at(&grid, i - 1).x1 - t.x0 >= (int)(how->overlap * grid.side) - 1);
        if (row > 0)
            assert_true(df_slice_at(&grid, i - grid.columns).y1 - t.y0 >=
                        (int)(how->overlap * grid.side) - 1);
    }
}

static void test_tiles_cover_every_picture(void **state)
{
    (void)state;
    static const int sides[] = {1, 199, 201, 333, 416, 1000, 1001, 2047, 2048, 5000, 100000};
    enum { N = sizeof sides / sizeof *sides };
    for (int slices = 2; slices <= DF_SLICES_MAX; slices++)
        for (int overlap = 1; overlap <= 5; overlap++)
            for (int i = 0; i < N * N; i++)
                assert_covers(sides[i / N], sides[i % N],
                              &(df_slicing){.slices = slices, .overlap = overlap / 10.0});
}

static df_box box(const char *label, double score, double x0, double y0, double x1, double y1)
{
    return (df_box){
        .label = label, .source = "m", .score = score, .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1};
}

static bool kept_in(int tile, double x0, double y0, double x1, double y1)
{
    const df_slice_grid grid = df_slice_grid_of(1750, 1000, &two);
    const df_slice at = df_slice_at(&grid, tile);
    const df_box b = box("kite", 0.5, x0, y0, x1, y1);
    return df_slice_keeps(&grid, &at, &b);
}

static void test_boxes_that_count(void **state)
{
    (void)state;
    assert_true(kept_in(0, 400, 400, 500, 500));
    assert_true(kept_in(0, 0, 0, 100, 100));             /* at the picture's own borders */
    assert_true(kept_in(1, 1650, 900, 1750, 1000));
    assert_false(kept_in(0, 900, 400, 1000, 500));       /* cut by the border to the next tile, */
    assert_false(kept_in(0, 900, 400, 995, 500));        /* or nearly; */
    assert_true(kept_in(1, 900, 400, 1100, 500));        /* which has it whole */
    assert_false(kept_in(1, 750, 400, 900, 500));
    /* as large as the overlap: whole in a tile wherever it is */
    assert_true(kept_in(0, 100, 100, 350, 350));
    /* larger, in either direction: the whole picture's */
    assert_false(kept_in(0, 100, 100, 351, 200));
    assert_false(kept_in(0, 100, 100, 200, 351));
}

static void test_tiles_add_to_the_whole(void **state)
{
    (void)state;
    df_box all[] = {
        box("person", 0.9, 100, 100, 500, 900),
        box("kite", 0.4, 1000, 50, 1040, 90),
        box("person", 0.5, 200, 120, 320, 260),          /* the head of the big one: a part */
        box("kite", 0.8, 1001, 51, 1040, 91),            /* the same kite, surer */
        box("bird", 0.6, 1000, 50, 1040, 90),            /* another label in its place */
        /* one kite in two tiles */
        box("kite", 0.7, 1200, 50, 1240, 90),
        box("kite", 0.75, 1202, 52, 1240, 90),
    };
    assert_int_equal(df_slices_merge(all, 2, 7), 4);
    static const struct {
        const char *label;
        double score, x0;
    } expected[] = {
        {"person", 0.9, 100}, {"kite", 0.8, 1001}, {"kite", 0.75, 1202}, {"bird", 0.6, 1000}};
    for (int i = 0; i < 4; i++) {
        assert_string_equal(all[i].label, expected[i].label);
        assert_true(all[i].score == expected[i].score && all[i].x0 == expected[i].x0);
        assert_int_equal(all[i].item, i);
    }
}

/* A box no larger than the overlap counts in a tile that has it whole, wherever in the picture it
 * lies: nothing small is lost between tiles but what a margin takes. */
static void test_small_boxes_count_somewhere(void **state)
{
    (void)state;
    static const df_slicing how = {.slices = 3, .overlap = 0.2};
    const df_slice_grid grid = df_slice_grid_of(1300, 700, &how);
    const double side = grid.largest - 0.05 * grid.side;
    for (int at = 0; at < 130 * 70; at++) {
        const double x = 10 * (at % 130), y = 10 * (at / 130);
        bool counts = x + side > 1300 || y + side > 700;
        for (int i = 0; i < grid.columns * grid.rows && !counts; i++) {
            const df_slice tile = df_slice_at(&grid, i);
            const df_box b = box("kite", 0.5, x, y, x + side, y + side);
            counts = tile.x0 <= x && tile.y0 <= y && x + side <= tile.x1 && y + side <= tile.y1 &&
                     df_slice_keeps(&grid, &tile, &b);
        }
        if (!counts)
            fail_msg("%g, %g", x, y);
    }
}

/* What the whole picture shows is the detector's own answer: boxes of it that overlap stay as they
 * are. */
static void test_without_tiles_nothing_changes(void **state)
{
    (void)state;
    df_box all[] = {box("cup", 0.9, 0, 0, 100, 100), box("cup", 0.8, 0, 0, 100, 90),
                    box("cup", 0.8, 10, 10, 30, 30)};
    assert_int_equal(df_slices_merge(all, 3, 3), 3);
    assert_true(all[1].y1 == 90 && all[2].y1 == 30);
    assert_int_equal(df_slices_merge(all, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_tiles),
        cmocka_unit_test(test_two_along_the_long_side),
        cmocka_unit_test(test_tiles_cover_every_picture),
        cmocka_unit_test(test_boxes_that_count),
        cmocka_unit_test(test_small_boxes_count_somewhere),
        cmocka_unit_test(test_tiles_add_to_the_whole),
        cmocka_unit_test(test_without_tiles_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
