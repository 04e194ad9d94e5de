/* A JPEG goes as it is when it may, without its metadata; what is hostile, cut, turned or too large
 * is decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

static const df_jpeg_budget wide = {4096, 90, 1 << 22};

static df_image picture(int w, int h)
{
    df_image image = {w, h, w, h, malloc((size_t)w * (size_t)h * 3)};
    uint32_t noise = 1;
    for (int i = 0; i < w * h * 3; i++)
        image.rgb[i] = (uint8_t)((noise = noise * 1664525u + 1013904223u) >> 24);
    return image;
}

/* A JPEG with EXIF (orientation, GPS text), XMP and a comment before its tables, and a trailer
 * behind its end. */
static uint8_t *with_metadata(int orientation, size_t *size)
{
    df_image image = picture(64, 48);
    uint8_t *plain = NULL;
    size_t n = 0;
    assert_int_equal(df_image_encode_jpeg(&image, 80, &plain, &n, NULL), DF_OK);
    df_image_free(&image);
    uint8_t exif[] = {0xFF,
                      0xE1,
                      0,
                      44,
                      'E',
                      'x',
                      'i',
                      'f',
                      0,
                      0,
                      'I',
                      'I',
                      42,
                      0,
                      8,
                      0,
                      0,
                      0,
                      1,
                      0,
                      0x12,
                      1,
                      3,
                      0,
                      1,
                      0,
                      0,
                      0,
                      (uint8_t)orientation,
                      0,
                      0,
                      0,
                      0,
                      0,
                      0,
                      0,
                      'G',
                      'P',
                      'S',
                      ' ',
                      '4',
                      '8',
                      '.',
                      '8',
                      '5',
                      'N'};
    static const uint8_t comment[] = {0xFF, 0xFE, 0, 8, 's', 'e', 'c', 'r', 'e', 't'},
                         trailer[] = "GPS behind the end";
    uint8_t *all = malloc(n + sizeof exif + sizeof comment + sizeof trailer);
    *size = 0;
    memcpy(all, plain, 2);
    *size += 2;
    memcpy(all + *size, exif, sizeof exif);
    *size += sizeof exif;
    memcpy(all + *size, comment, sizeof comment);
    *size += sizeof comment;
    memcpy(all + *size, plain + 2, n - 2);
    *size += n - 2;
    memcpy(all + *size, trailer, sizeof trailer);
    *size += sizeof trailer;
    free(plain);
    return all;
}

static bool has(const uint8_t *bytes, size_t n, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= n; i++)
        if (memcmp(bytes + i, word, strlen(word)) == 0)
            return true;
    return false;
}

static void test_pixels_stay_and_metadata_goes(void **state)
{
    (void)state;
    size_t n, sent_n = 0;
    uint8_t *file = with_metadata(1, &n), *sent = NULL;
    assert_true(has(file, n, "GPS") && has(file, n, "secret"));
    assert_true(df_image_copy_jpeg(file, n, &wide, &sent, &sent_n));
    assert_false(has(sent, sent_n, "GPS") || has(sent, sent_n, "secret") ||
                 has(sent, sent_n, "Exif"));
    df_image before = {0}, after = {0};
    assert_int_equal(df_image_decode(file, n, 0, &before, NULL), DF_OK);
    assert_int_equal(df_image_decode(sent, sent_n, 0, &after, NULL), DF_OK);
    assert_memory_equal(before.rgb, after.rgb, 64 * 48 * 3);
    df_image_free(&before);
    df_image_free(&after);
    free(file);
    free(sent);
}

static void test_what_must_be_decoded(void **state)
{
    (void)state;
    size_t n, sent_n;
    uint8_t *sent;
    uint8_t *turned = with_metadata(6, &n);
    assert_false(df_image_copy_jpeg(turned, n, &wide, &sent, &sent_n));
    free(turned);
    uint8_t *file = with_metadata(1, &n);
    assert_false(df_image_copy_jpeg(file, n, &(df_jpeg_budget){63, 90, 1 << 22}, &sent, &sent_n));
    assert_false(df_image_copy_jpeg(file, n, &(df_jpeg_budget){64, 90, 1000}, &sent, &sent_n));
    /* no end marker: not whole */
    for (size_t cut = 0; cut < n - sizeof "GPS behind the end"; cut += 7) {
        uint8_t *part = malloc(cut + 1); /* exact, so that reading beyond is seen */
        memcpy(part, file, cut);
        assert_false(df_image_copy_jpeg(part, cut, &wide, &sent, &sent_n));
        free(part);
    }
    free(file);
    assert_false(
        df_image_copy_jpeg((const uint8_t *)"\x89PNG\r\n\x1a\n", 8, &wide, &sent, &sent_n));
}

static void test_every_byte_may_be_wrong(void **state)
{
    (void)state;
    size_t n;
    uint8_t *file = with_metadata(1, &n);
    for (size_t i = 0; i < 700 && i < n; i++)
        for (int v = 0; v < 256; v += 51) {
            uint8_t *sent = NULL;
            size_t sent_n = 0;
            const uint8_t was = file[i];
            file[i] = (uint8_t)v;
            if (df_image_copy_jpeg(file, n, &wide, &sent, &sent_n)) {
                assert_true(sent_n <= n && sent_n > 4);
                assert_memory_equal(sent + sent_n - 2, "\xFF\xD9", 2);
            }
            free(sent);
            file[i] = was;
        }
    free(file);
}

static void test_encoded_within_the_budget(void **state)
{
    (void)state;
    df_image image = picture(600, 400); /* noise: as many bytes as a picture can have */
    uint8_t *jpeg = NULL;
    size_t n = 0;
    df_image_info info;
    assert_int_equal(
        df_image_encode_within(&image, &(df_jpeg_budget){300, 90, 1 << 20}, &jpeg, &n, NULL),
        DF_OK);
    assert_int_equal(df_image_probe(jpeg, n, &info, NULL), DF_OK);
    assert_int_equal(info.width, 300);
    assert_int_equal(info.height, 200);
    free(jpeg);
    assert_int_equal(
        df_image_encode_within(&image, &(df_jpeg_budget){600, 90, 20000}, &jpeg, &n, NULL), DF_OK);
    assert_true(n <= 20000);
    free(jpeg);
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_stay_and_metadata_goes),
        cmocka_unit_test(test_what_must_be_decoded),
        cmocka_unit_test(test_every_byte_may_be_wrong),
        cmocka_unit_test(test_encoded_within_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
