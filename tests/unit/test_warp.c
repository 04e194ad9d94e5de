/* A turned piece of an image comes out straight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "image/warp.h"

/* Red grows to the right, green downward: a pixel tells where it is. */
static df_image ramp(int width, int height)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    for (int i = 0; i < width * height; i++) {
        image.rgb[3 * i] = (uint8_t)(i % width);
        image.rgb[3 * i + 1] = (uint8_t)(i / width);
        image.rgb[3 * i + 2] = 0;
    }
    return image;
}

static void turned_by_any_angle(void **state)
{
    (void)state;
    df_image in = ramp(200, 200), out;
    for (int degrees = 0; degrees < 360; degrees += 15) {
        double c = cos(degrees * 3.14159265358979 / 180), s = sin(degrees * 3.14159265358979 / 180);
        df_frame frame = {100, 100, 60 * c, 60 * s, -30 * s, 30 * c};
        assert_int_equal(df_image_warp(&in, &frame, 60, 30, &out, NULL), DF_OK);
        for (int j = 0; j < 30; j++)
            for (int i = 0; i < 60; i++) {
                double x = 100 + (i + 0.5) * c - (j + 0.5) * s - 0.5,
                       y = 100 + (i + 0.5) * s + (j + 0.5) * c - 0.5;
                assert_true(fabs(out.rgb[3 * (j * 60 + i)] - x) <= 0.51);
                assert_true(fabs(out.rgb[3 * (j * 60 + i) + 1] - y) <= 0.51);
            }
        df_image_free(&out);
    }
    df_image_free(&in);
}

static void beyond_the_border(void **state)
{
    (void)state;
    df_image in = ramp(20, 10), out;
    df_frame frame = {-10, -10, 40, 0, 0, 30};
    assert_int_equal(df_image_warp(&in, &frame, 40, 30, &out, NULL), DF_OK);
    assert_int_equal(out.rgb[0], 0);
    assert_int_equal(out.rgb[3 * (40 * 30 - 1)], 19);
    assert_int_equal(out.rgb[3 * (40 * 30 - 1) + 1], 9);
    df_image_free(&out);
    frame.x = NAN;
    assert_int_equal(df_image_warp(&in, &frame, 5, 5, &out, NULL), DF_OK);
    df_image_free(&out);
    df_error err;
    assert_int_not_equal(df_image_warp(&in, &frame, 0, 5, &out, &err), DF_OK);
    df_image_free(&in);
}

static void half_a_turn(void **state)
{
    (void)state;
    df_image image = ramp(7, 5);
    df_image_rotate_180(&image);
    for (int i = 0; i < 35; i++) {
        assert_int_equal(image.rgb[3 * i], 6 - i % 7);
        assert_int_equal(image.rgb[3 * i + 1], 4 - i / 7);
    }
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(turned_by_any_angle),
                                       cmocka_unit_test(beyond_the_border),
                                       cmocka_unit_test(half_a_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
