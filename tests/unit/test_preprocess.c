/* Against tests/oracle/vision/make_vision.py: resizing there is two dense matrices in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model/preprocess.h"

/* The picture of make_vision.py. */
static df_image picture(int width, int height)
{
    df_image image = {width, height, width, height, malloc((size_t)(width * height) * 3)};
    assert_non_null(image.rgb);
    for (int i = 0; i < width * height * 3; i++) {
        int c = i % 3, x = i / 3 % width, y = i / 3 / width;
        image.rgb[i] = (uint8_t)((x * 7 + y * 13 + c * 50 + (x * y) % 31) % 256);
    }
    return image;
}

static df_card card_of(const char *resize, const char *channels, const char *layout, int width,
                       int height)
{
    return (df_card){.name = (char *)(uintptr_t)"test",
                     .input = (char *)(uintptr_t)"image",
                     .resize = (char *)(uintptr_t)resize,
                     .channels = (char *)(uintptr_t)channels,
                     .layout = (char *)(uintptr_t)layout,
                     .interpolation = (char *)(uintptr_t)"bilinear",
                     .width = width,
                     .height = height,
                     .pad = -1,
                     .std = {1, 1, 1}};
}

/* Resized pixels are whole numbers, so one unit of 255 apart is the rounding; more is another
 * picture. */
static void compare(const char *name, const df_tensor *t, double least_std)
{
    char path[512];
    float want[4096];
    snprintf(path, sizeof path, "%s/tests/oracle/vision/%s", getenv("DF_SOURCE_DIR"), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(want, sizeof *want, 4096, f);
    fclose(f);
    assert_int_equal(df_tensor_size(t), n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)(t->data[i] - want[i])) <= 0.51 / least_std))
            fail_msg("%s: value %zu is %g, expected %g", name, i, (double)t->data[i],
                     (double)want[i]);
}

static void test_stretch_matches_numpy(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_image image = picture(23, 17);
    image.full_width = 46;                   /* as if decoded at half size */
    image.full_height = 34;
    df_card card = card_of("stretch", "rgb", "nchw", 8, 6);
    memcpy(card.mean, (double[]){10, 20, 30}, sizeof card.mean);
    memcpy(card.std, (double[]){2, 4, 8}, sizeof card.std);
    df_tensor t;
    df_placement p;
    assert_int_equal(df_preprocess(&card, &image, &arena, &t, &p, NULL), DF_OK);
    assert_true(t.n_dims == 4 && t.dims[1] == 3 && t.dims[2] == 6 && t.dims[3] == 8);
    compare("stretch.f32", &t, 2);
    assert_true(p.offset_x == 0 && fabs(p.scale_x * 8 - 46) < 1e-9 &&
                fabs(p.scale_y * 6 - 34) < 1e-9);
    df_image_free(&image);
    df_arena_reset(&arena);
}

static void test_crop_matches_numpy(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_image image = picture(23, 17);
    df_card card = card_of("crop", "bgr", "nhwc", 10, 8);
    card.resize_side = 12;
    for (int c = 0; c < 3; c++) {
        card.mean[c] = 127;
        card.std[c] = 128;
    }
    df_tensor t;
    df_placement p;
    assert_int_equal(df_preprocess(&card, &image, &arena, &t, &p, NULL), DF_OK);
    assert_true(t.dims[1] == 8 && t.dims[2] == 10 && t.dims[3] == 3);
    compare("crop.f32", &t, 128);
    assert_true(fabs(p.offset_x - 3 * 23.0 / 16) < 1e-9 && fabs(p.offset_y - 2 * 17.0 / 12) < 1e-9);
    assert_true(fabs(p.scale_x - 23.0 / 16) < 1e-9 && fabs(p.scale_y - 17.0 / 12) < 1e-9);
    df_image_free(&image);
    df_arena_reset(&arena);
}

static void test_fit_matches_numpy(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_image image = picture(23, 17);
    df_card card = card_of("fit", "rgb", "nchw", 20, 20);
    for (int c = 0; c < 3; c++) {
        card.mean[c] = 100;
        card.std[c] = 50;
    }
    df_tensor t;
    df_placement p;
    assert_int_equal(df_preprocess(&card, &image, &arena, &t, &p, NULL), DF_OK);
    compare("fit.f32", &t, 50);
    assert_true(fabs(p.scale_x - 23.0 / 20) < 1e-9 && fabs(p.scale_y - 17.0 / 15) < 1e-9);
    const float first = t.data[0];
    card.pad = 125;                          /* rows 15 to 19 of each channel, and nothing else */
    assert_int_equal(df_preprocess(&card, &image, &arena, &t, &p, NULL), DF_OK);
    assert_true(t.data[0] == first);
    for (int i = 0; i < 3 * 20 * 20; i++)
        if (i / 20 % 20 >= 15)
            assert_true(t.data[i] == 0.5f);
    df_image_free(&image);
    df_arena_reset(&arena);
}

static void test_free_size_is_the_images_own(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_image image = picture(23, 17);
    df_card card = card_of("stretch", "rgb", "nhwc", 0, 0);
    df_tensor t;
    assert_int_equal(df_preprocess(&card, &image, &arena, &t, NULL, NULL), DF_OK);
    assert_true(t.dims[1] == 17 && t.dims[2] == 23);
    for (int i = 0; i < 23 * 17 * 3; i++)
        assert_true(t.data[i] == (float)image.rgb[i]);
    df_image_free(&image);
    df_arena_reset(&arena);
}

static void test_odd_shapes(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 3000}, {3000, 1}, {2, 2}, {7, 2048}};
    static const char *const ways[] = {"stretch", "crop", "fit"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int way = 0; way < 3; way++) {
            df_arena arena = {0};
            df_image image = picture(sizes[i][0], sizes[i][1]);
            df_card card = card_of(ways[way], "rgb", "nchw", 64, 48);
            card.resize_side = 72;
            df_tensor t;
            df_placement p;
            df_error err = {""};
            if (df_preprocess(&card, &image, &arena, &t, &p, &err) != DF_OK)
                fail_msg("%d x %d %s: %s", sizes[i][0], sizes[i][1], ways[way], err.message);
            assert_int_equal(df_tensor_size(&t), 3 * 64 * 48);
            assert_true(p.scale_x > 0 && p.scale_y > 0 && p.offset_x >= 0 && p.offset_y >= 0);
            df_image_free(&image);
            df_arena_reset(&arena);
        }
    df_card card = card_of("stretch", "rgb", "nchw", 64, 48);
    df_tensor t;
    assert_int_equal(df_preprocess(&card, &(df_image){0}, &(df_arena){0}, &t, NULL, NULL),
                     DF_FORMAT);
}

/* As torchvision 0.29's GeneralizedRCNNTransform(800, 1333) resizes before it pads. */
static void test_shortest_is_of_torchvisions_size(void **state)
{
    (void)state;
    static const int cases[][4] = {
        {640, 427, 1199, 800},  {427, 640, 800, 1199},   {500, 375, 1066, 800},
        {1000, 100, 1333, 133}, {33, 1500, 29, 1333},    {800, 800, 800, 800},
        {1333, 800, 1333, 800}, {1999, 1201, 1331, 800}, {3, 2, 1200, 800},
        {641, 479, 1070, 800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_arena arena = {0};
        df_image image = picture(cases[i][0], cases[i][1]);
        df_card card = card_of("shortest", "rgb", "nchw", 0, 0);
        card.resize_side = 800;
        card.max_side = 1333;
        df_tensor t;
        df_placement p;
        assert_int_equal(df_preprocess(&card, &image, &arena, &t, &p, NULL), DF_OK);
        assert_int_equal(t.dims[3], cases[i][2]);
        assert_int_equal(t.dims[2], cases[i][3]);
        assert_true(fabs(p.scale_x * cases[i][2] - cases[i][0]) < 1e-9 &&
                    fabs(p.scale_y * cases[i][3] - cases[i][1]) < 1e-9);
        df_image_free(&image);
        df_arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortest_is_of_torchvisions_size),
        cmocka_unit_test(test_stretch_matches_numpy),
        cmocka_unit_test(test_crop_matches_numpy),
        cmocka_unit_test(test_fit_matches_numpy),
        cmocka_unit_test(test_free_size_is_the_images_own),
        cmocka_unit_test(test_odd_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
