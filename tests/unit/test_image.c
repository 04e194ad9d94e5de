/* Every format shows the same upright picture (tests/data/make_images.py); a file that breaks off
 * is seen to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/image.h"

enum { W = 48, H = 32 };
typedef struct {
    const char *name;
    df_image_format format;
    int orientation;
} sample;

static const sample pictures[] = {
    {"exif-1.jpg", DF_FORMAT_JPEG, 1},    {"exif-2.jpg", DF_FORMAT_JPEG, 2},
    {"exif-3.jpg", DF_FORMAT_JPEG, 3},    {"exif-4.jpg", DF_FORMAT_JPEG, 4},
    {"exif-5.jpg", DF_FORMAT_JPEG, 5},    {"exif-6.jpg", DF_FORMAT_JPEG, 6},
    {"exif-7.jpg", DF_FORMAT_JPEG, 7},    {"exif-8.jpg", DF_FORMAT_JPEG, 8},
    {"exif-6.tiff", DF_FORMAT_TIFF, 6},   {"progressive.jpg", DF_FORMAT_JPEG, 1},
    {"cmyk.jpg", DF_FORMAT_JPEG, 1},      {"rgb.png", DF_FORMAT_PNG, 1},
    {"palette.png", DF_FORMAT_PNG, 1},    {"deep.png", DF_FORMAT_PNG, 1},
    {"interlaced.png", DF_FORMAT_PNG, 1}, {"rgb.webp", DF_FORMAT_WEBP, 1},
    {"lossless.webp", DF_FORMAT_WEBP, 1}, {"first.webp", DF_FORMAT_WEBP, 1},
    {"first.gif", DF_FORMAT_GIF, 1},      {"rgb.bmp", DF_FORMAT_BMP, 1},
    {"rgb.tiff", DF_FORMAT_TIFF, 1},      {"deflate.tiff", DF_FORMAT_TIFF, 1},
    {"rgb.avif", DF_FORMAT_AVIF, 1},      {"turned.avif", DF_FORMAT_AVIF, 1},
};
static const char *const ghosts[] = {"alpha.png", "alpha.webp", "alpha.tiff", "alpha.avif",
                                     "alpha.gif"};

static uint8_t *load(const char *name, size_t *size)
{
    char path[1024];
    char *bytes = NULL;
    const char *root = getenv("DF_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/data/image/%s", root ? root : ".", name);
    df_error err = {""};
    df_file_read(path, 1 << 20, &bytes, size, &err);
    assert_string_equal(err.message, "");
    return (uint8_t *)bytes;
}

static const uint8_t *pixel(const df_image *image, int x, int y)
{
    return image->rgb + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
}

static void expect_colour(const df_image *image, int x, int y, const int wanted[3],
                          const char *name)
{
    const uint8_t *p = pixel(image, x, y);
    for (int c = 0; c < 3; c++)
        if (abs(p[c] - wanted[c]) > 24)
            fail_msg("%s at %d %d: %d %d %d, wanted %d %d %d", name, x, y, p[0], p[1], p[2],
                     wanted[0], wanted[1], wanted[2]);
}

static const int red[] = {220, 30, 30}, green[] = {30, 200, 30}, blue[] = {30, 30, 220},
                 yellow[] = {230, 220, 30}, white[] = {255, 255, 255};

static void all_formats_are_upright(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        const sample *s = &pictures[i];
        size_t size;
        uint8_t *bytes = load(s->name, &size);
        df_image_info info;
        df_image image = {0};
        df_error err = {""};
        assert_int_equal(df_image_probe(bytes, size, &info, &err), DF_OK);
        assert_int_equal(info.format, s->format);
        assert_int_equal(info.orientation, s->orientation);
        assert_int_equal(info.width, W);
        assert_int_equal(info.height, H);
        if (df_image_decode(bytes, size, 0, &image, &err) != DF_OK)
            fail_msg("%s: %s", s->name, err.message);
        assert_int_equal(image.width, W);
        assert_int_equal(image.height, H);
        assert_int_equal(image.full_width, W);
        expect_colour(&image, 3, 3, red, s->name);
        expect_colour(&image, W - 4, 3, green, s->name);
        expect_colour(&image, 3, H - 4, blue, s->name);
        expect_colour(&image, W - 4, H - 4, yellow, s->name);
        assert_false(df_image_is_cut(bytes, size));
        df_image_free(&image);

        /* the smaller, the same picture */
        assert_int_equal(df_image_decode(bytes, size, 12, &image, &err), DF_OK);
        assert_int_equal(image.width, 12);
        assert_int_equal(image.height, 8);
        assert_int_equal(image.full_width, W);
        assert_int_equal(image.full_height, H);
        expect_colour(&image, 1, 1, red, s->name);
        expect_colour(&image, 10, 6, yellow, s->name);
        df_image_free(&image);
        free(bytes);
    }
}

static void alpha_lies_on_white(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ghosts / sizeof *ghosts; i++) {
        size_t size;
        uint8_t *bytes = load(ghosts[i], &size);
        df_image image = {0};
        df_error err = {""};
        if (df_image_decode(bytes, size, 0, &image, &err) != DF_OK)
            fail_msg("%s: %s", ghosts[i], err.message);
        expect_colour(&image, 3, 3, red, ghosts[i]);
        expect_colour(&image, W - 4, 3, white, ghosts[i]);
        expect_colour(&image, W - 4, H - 4, white, ghosts[i]);
        df_image_free(&image);
        free(bytes);
    }
}

/* Any prefix is refused or, where only an end marker is gone, is still the whole picture; never a
 * crash. */
static void cut_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        size_t size;
        uint8_t *bytes = load(pictures[i].name, &size);
        for (size_t n = 0; n < size; n += n < size - 40 ? 7 : 1) {
            uint8_t *part = malloc(n + 1);   /* so that a sanitizer sees the true end */
            assert_non_null(part);
            memcpy(part, bytes, n);
            df_image image = {0};
            df_error err = {""};
            df_status status = df_image_decode(part, n, 0, &image, &err);
            if (status == DF_OK)
                expect_colour(&image, W - 4, H - 4, yellow, pictures[i].name);
            else
                assert_true(status == DF_FORMAT && err.message[0]);
            if (n == size / 2) {
                assert_int_equal(status, DF_FORMAT);
                assert_true(df_image_is_cut(part, n));
            }
            df_image_free(&image);
            free(part);
        }
        free(bytes);
    }
}

/* A byte changed anywhere gives a picture or a reason. Same bytes each time: a linear congruence
 * chooses. */
static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        size_t size;
        uint8_t *bytes = load(pictures[i].name, &size);
        for (int round = 0; round < 60; round++) {
            seed = seed * 1664525u + 1013904223u;
            size_t at = (seed >> 8) % size;
            uint8_t was = bytes[at];
            bytes[at] = (uint8_t)(seed >> 3);
            df_image image = {0};
            df_image_info info;
            df_error err = {""};
            df_status status = df_image_decode(bytes, size, 64, &image, &err);
            assert_true(status == DF_OK || err.message[0]);
            assert_int_equal(status == DF_OK, image.rgb != NULL);
            df_image_probe(bytes, size, &info, &err);
            df_image_is_cut(bytes, size);
            df_image_free(&image);
            bytes[at] = was;
        }
        free(bytes);
    }
}

static void bombs_are_refused_by_their_header(void **state)
{
    (void)state;
    static const char *const names[] = {"bomb.png", "ribbon.png"};
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        uint8_t *bytes = load(names[i], &size);
        df_image image = {0};
        df_image_info info;
        df_error err = {""};
        assert_int_equal(df_image_probe(bytes, size, &info, &err), DF_OK);
        assert_int_equal(df_image_decode(bytes, size, 336, &image, &err), DF_FORMAT);
        assert_non_null(strstr(err.message, "above the limit"));
        assert_false(df_image_is_cut(bytes, size));
        free(bytes);
    }
}

static void no_image_is_no_image(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "B", "BM", "I am a text file with a picture's name", "\xFF\xD8\xFF", "GIF89a", "II*"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        df_image_info info;
        df_image image = {0};
        df_error err = {""};
        assert_int_equal(df_image_probe((const uint8_t *)texts[i], strlen(texts[i]), &info, &err),
                         DF_FORMAT);
        assert_int_equal(
            df_image_decode((const uint8_t *)texts[i], strlen(texts[i]), 0, &image, &err),
            DF_FORMAT);
    }
    assert_int_equal(df_image_probe(NULL, 0, &(df_image_info){0}, NULL), DF_FORMAT);
}

static void a_grey_jpeg_is_grey(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = load("grey.jpg", &size);
    df_image image = {0};
    assert_int_equal(df_image_decode(bytes, size, 0, &image, NULL), DF_OK);
    const uint8_t *p = pixel(&image, 3, 3);
    assert_true(p[0] == p[1] && p[1] == p[2] && p[0] > 60 && p[0] < 120);
    df_image_free(&image);
    free(bytes);
}

/* A JPEG is decoded in part while enough of its shorter edge is left; the whole file's size is
 * told, and it is upright. */
static void a_reduced_jpeg_is_the_same_picture(void **state)
{
    (void)state;
    static const struct {
        int edge, reduction, width, height;
    } cases[] = {{0, 8, 6, 4},   {4, 8, 6, 4},    {5, 4, 12, 8},   {8, 4, 12, 8},
                 {9, 2, 24, 16}, {16, 2, 24, 16}, {17, 1, 48, 32}, {4000, 1, 48, 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int turned = 0; turned < 2; turned++) {
            size_t size;
            uint8_t *bytes = load(turned ? "exif-6.jpg" : "exif-1.jpg", &size);
            df_image image = {0};
            df_image_info info;
            assert_int_equal(df_image_probe(bytes, size, &info, NULL), DF_OK);
            assert_int_equal(df_image_reduction(&info, cases[i].edge), cases[i].reduction);
            assert_int_equal(df_image_decode_reduced(bytes, size, cases[i].reduction, &image, NULL),
                             DF_OK);
            assert_int_equal(image.width, cases[i].width);
            assert_int_equal(image.height, cases[i].height);
            assert_int_equal(image.full_width, W);
            assert_int_equal(image.full_height, H);
            expect_colour(&image, 0, 0, red, "reduced");
            expect_colour(&image, image.width - 1, image.height - 1, yellow, "reduced");
            df_image_free(&image);
            free(bytes);
        }
    size_t size;
    uint8_t *bytes = load("rgb.png", &size);
    df_image image = {0};
    df_image_info info;
    assert_int_equal(df_image_probe(bytes, size, &info, NULL), DF_OK);
    assert_int_equal(df_image_reduction(&info, 1), 1);
    assert_int_equal(df_image_decode_reduced(bytes, size, 2, &image, NULL), DF_FORMAT);
    free(bytes);
}

/* A flat picture stays flat, a box stays in its place, whatever the size. */
static void resize_keeps_colours_and_places(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {3, 2}, {7, 3}, {300, 200}, {48, 32}, {1, 200}};
    size_t size;
    uint8_t *bytes = load("rgb.png", &size);
    df_image image = {0}, flat = {0}, out = {0};
    assert_int_equal(df_image_decode(bytes, size, 0, &image, NULL), DF_OK);
    assert_int_equal(df_image_crop(&image, 0, 0, W / 2, H / 2, &flat, NULL), DF_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(df_image_resize(&flat, sizes[i][0], sizes[i][1], &out, NULL), DF_OK);
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++)
                assert_memory_equal(pixel(&out, x, y), pixel(&flat, 0, 0), 3);
        df_image_free(&out);
    }
    assert_int_equal(df_image_resize(&image, 300, 200, &out, NULL), DF_OK);
    expect_colour(&out, 100, 50, red, "resize");
    expect_colour(&out, 200, 150, yellow, "resize");
    df_image_free(&out);
    assert_int_equal(df_image_crop(&image, 40, 20, 400, 400, &out, NULL), DF_OK);
    assert_int_equal(out.width, 8);
    expect_colour(&out, 7, 11, yellow, "crop");
    df_image_free(&out);
    assert_int_equal(df_image_crop(&image, 48, 0, 60, 10, &out, NULL), DF_FORMAT);
    assert_int_equal(df_image_resize(&image, 0, 5, &out, NULL), DF_FORMAT);
    df_image_free(&flat);
    df_image_free(&image);
    free(bytes);
}

/* What a library says of a picture is the picture's, its own limits and "out
 * of memory" included. */
static void what_a_file_claims_is_its_own_fault(void **state)
{
    (void)state;
    static const char *const claims[] = {"wide.avif",      "limit.avif", "item-offset.avif",
                                         "item-size.avif", "claims.jpg", "claims.png",
                                         "claims.webp",    "frame.gif",  "strips.tiff",
                                         "counts.tiff",    "wide.tiff"};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        char name[128];
        size_t size;
        df_image image = {0};
        df_error err = {""};
        snprintf(name, sizeof name, "../../fuzz/corpus/decode/%s", claims[i]);
        uint8_t *bytes = load(name, &size);
        if (df_image_decode(bytes, size, 2048, &image, &err) != DF_FORMAT || image.rgb ||
            !err.message[0])
            fail_msg("%s: %s", claims[i], err.message);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_formats_are_upright),
        cmocka_unit_test(alpha_lies_on_white),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(bombs_are_refused_by_their_header),
        cmocka_unit_test(no_image_is_no_image),
        cmocka_unit_test(what_a_file_claims_is_its_own_fault),
        cmocka_unit_test(a_grey_jpeg_is_grey),
        cmocka_unit_test(a_reduced_jpeg_is_the_same_picture),
        cmocka_unit_test(resize_keeps_colours_and_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
