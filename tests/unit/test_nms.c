#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "vision/nms.h"

static void test_overlap(void **state)
{
    (void)state;
    const df_candidate a = {0, 0, 10, 10, 1, 0}, half = {0, 5, 10, 15, 1, 0},
                       touching = {10, 0, 20, 10, 1, 0};
    assert_true(fabs(df_box_iou(&a, &a) - 1) < 1e-12);
    assert_true(fabs(df_box_iou(&a, &half) - 1.0 / 3) < 1e-12);
    assert_true(df_box_iou(&a, &touching) == 0);
    const df_candidate empty = {5, 5, 5, 5, 1, 0}, inside_out = {9, 9, 1, 1, 1, 0};
    assert_true(df_box_iou(&a, &empty) == 0 && df_box_iou(&empty, &empty) == 0 &&
                df_box_iou(&a, &inside_out) == 0);
}

static void test_weaker_twin_goes_other_class_stays(void **state)
{
    (void)state;
    df_candidate boxes[] = {{0, 0, 10, 10, 0.5, 1},
                            {0, 0, 10, 11, 0.9, 1},
                            {0, 0, 10, 10, 0.7, 2},
                            {50, 50, 60, 60, 0.6, 1}};
    assert_int_equal(df_nms(boxes, 4, 0.5, 100), 3);
    assert_true(boxes[0].score == 0.9 && boxes[1].score == 0.7 && boxes[2].score == 0.6);
}

/* A suppressed box suppresses nobody: c overlaps b, b overlaps a, c does not overlap a. */
static void test_chain(void **state)
{
    (void)state;
    df_candidate boxes[] = {{8, 0, 18, 10, 0.7, 0}, {0, 0, 10, 10, 0.9, 0}, {4, 0, 14, 10, 0.8, 0}};
    assert_int_equal(df_nms(boxes, 3, 0.4, 100), 2);
    assert_true(boxes[0].x0 == 0 && boxes[1].x0 == 8);
}

static void test_ties_keep_order_and_limit_holds(void **state)
{
    (void)state;
    df_candidate boxes[6];
    for (int i = 0; i < 6; i++)
        boxes[i] = (df_candidate){i * 20, 0, i * 20 + 10, 10, i == 4 ? 0.9 : 0.5, 0};
    assert_int_equal(df_nms(boxes, 6, 0.5, 3), 3);
    assert_true(boxes[0].x0 == 80 && boxes[1].x0 == 0 && boxes[2].x0 == 20);
    assert_int_equal(df_nms(boxes, 0, 0.5, 3), 0);
    assert_int_equal(df_nms(boxes, 3, 0.5, 0), 0);
}

static void test_numbers_gone_wild(void **state)
{
    (void)state;
    df_candidate boxes[] = {
        {NAN, 0, 10, 10, 0.5, 0}, {-INFINITY, 0, INFINITY, 1, 0.6, 0}, {0, 0, 10, 10, 0.4, 0}};
    int n = df_nms(boxes, 3, 0.5, 100);
    assert_true(n >= 1 && n <= 3);
}

/* 10,000 boxes into room for 40: the best 20 are there, in whatever order they came. */
static void test_candidates_are_bounded_and_the_best(void **state)
{
    (void)state;
    df_candidate at[40];
    for (int order = 0; order < 2; order++) {
        df_candidates c = {at, 0, 40};
        for (int i = 0; i < 10000; i++) {
            const int k = (order ? 9999 - i : i) * 7919 % 10000;
            df_candidates_add(&c, &(df_candidate){k, 0, k + 1, 1, k / 100 / 100.0, k % 3});
            assert_true(c.n <= 40);
        }
        df_candidates_add(&c, &(df_candidate){NAN, 0, 1, 1, 1, 0});
        df_candidates_add(&c, &(df_candidate){0, 0, 1, 1, NAN, 0});
        assert_int_equal(df_nms(at, c.n, 1, 20), 20);
        for (int i = 0; i < 20; i++)
            assert_true(at[i].score == 0.99 && at[i].x0 >= 9900);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates_are_bounded_and_the_best),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_weaker_twin_goes_other_class_stays),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_ties_keep_order_and_limit_holds),
        cmocka_unit_test(test_numbers_gone_wild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
