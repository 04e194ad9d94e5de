/* Less evidence: the surest stays, in its order, and the rest of the prompt is untouched whatever
 * the template. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "evidence/prompt.h"
#include "evidence/shorten.h"

static const df_tag tags[] = {{.label = "image", .score = 0.95}, {.label = "park", .score = 0.2}};
static const df_box boxes[] = {{.label = "dog", .score = 0.9, .x1 = 10, .y1 = 10},
                               {.label = "cat", .score = 0.3, .x1 = 20, .y1 = 20}};
static const df_line lines[] = {{.text = "blur", .score = 0.1},
                                {.text = "IMAGE", .score = 0.8, .paragraph = 1}};
static const df_evidence told = {.path = "a",
                                 .alt_text = "A dog",
                                 .width = 100,
                                 .height = 100,
                                 .tags = tags,
                                 .n_tags = 2,
                                 .boxes = boxes,
                                 .n_boxes = 2,
                                 .lines = lines,
                                 .n_lines = 2};
static const char template[] =
    "Describe this image. tags: {tags}\n\n[World Knowledge]: {world_knowledge}\n\n"
    "[Detection Box]:\n{detection_box}\n\n[OCR]:\n{ocr}\n\n[IMAGE]:\n";

static df_str fill(void)
{
    df_prompt *p = NULL;
    df_str out = {0};
    df_error err;
    assert_int_equal(df_prompt_open(&p, "t", template, strlen(template), &err), DF_OK);
    assert_int_equal(df_prompt_fill(p, &told, &out, &err), DF_OK);
    df_prompt_close(p);
    return out;
}

static void expect(double keep, int left, const char *want)
{
    df_str whole = fill(), less = {0};
    df_error err;
    int n_left = -1;
    assert_int_equal(df_prompt_shorten(df_str_text(&whole), &told, keep, &less, &n_left, &err),
                     DF_OK);
    assert_string_equal(df_str_text(&less), want);
    assert_int_equal(n_left, left);
    df_str_free(&whole);
    df_str_free(&less);
}

static void test_half(void **state)
{
    (void)state;
    expect(0.5, 3,
           "Describe this image. tags: image\n\n[World Knowledge]: A dog\n\n[Detection Box]:\ndog: "
           "[0, 0, 10, 10]\n\n"
           "[OCR]:\nIMAGE\n\n[IMAGE]:");
}

static void test_a_block_without_evidence_goes(void **state)
{
    (void)state;
    expect(0.34, 4,
           "Describe this image. tags: image\n\n[World Knowledge]: A dog\n\n[Detection Box]:\ndog: "
           "[0, 0, 10, 10]\n\n"
           "[IMAGE]:");
}

static void test_nothing(void **state)
{
    (void)state;
    expect(0, 7, "[IMAGE]:");
}

static void test_what_cannot_be_found_stays(void **state)
{
    (void)state;
    df_str less = {0};
    df_error err;
    int n_left = -1;
    assert_int_equal(df_prompt_shorten("Describe.", &told, 0.5, &less, &n_left, &err), DF_OK);
    assert_string_equal(df_str_text(&less), "Describe.");
    assert_int_equal(n_left, 0);
    df_str_free(&less);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_a_block_without_evidence_goes),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_what_cannot_be_found_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
