/* The text expert on the tiny models of tests/oracle/text: dictionaries, upside-down lines, NaN,
 * 5,000 lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "expert/expert.h"

static const char *oracle(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/text", getenv("DF_SOURCE_DIR"));
    return path;
}

static df_expert_handle *open_expert(const char *orienter, const char *recogniser)
{
    const char *const cards[] = {"tiny-map", orienter, recogniser};
    df_expert_handle *h = NULL;
    df_error err = {""};
    if (df_expert_open(&h, oracle(), cards, 3, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return h;
}

static df_image white(int width, int height)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    memset(image.rgb, 255, (size_t)width * (size_t)height * 3);
    return image;
}

/* Grey of class k of tiny-letters: 1 - 0.4 k of -1 to 1. */
static void bar(df_image *image, int x, int y, int width, int height, int class)
{
    for (int row = y; row < y + height; row++)
        memset(image->rgb + ((size_t)row * (size_t)image->width + (size_t)x) * 3, 255 - 51 * class,
               (size_t)width * 3);
}

static df_status perceive(df_expert_handle *h, const df_image *image, df_arena *arena,
                          df_percept *seen, df_error *err)
{
    df_status status = df_expert_perceive(h, image, NULL, arena, seen, err);
    df_expert_close(h);
    return status;
}

/* A line of class 1 is "a" after a blank of its own, "b" where the dictionary has the blank; too
 * few classes are told. */
static void dictionaries_with_and_without_blank_and_space(void **state)
{
    (void)state;
    static const struct {
        const char *card, *text;
    } cases[] = {{"tiny-letters", "a"}, {"tiny-letters5", "a"}, {"tiny-letters4", "b"}};
    df_image image = white(200, 100);
    df_arena arena = {0};
    df_percept seen = {0};
    df_error err = {""};
    bar(&image, 50, 40, 80, 16, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(perceive(open_expert(NULL, cases[i].card), &image, &arena, &seen, &err),
                         DF_OK);
        assert_int_equal(seen.n_lines, 1);
        assert_string_equal(seen.lines[0].text, cases[i].text);
        assert_true(seen.lines[0].x[0] > 40 && seen.lines[0].x[0] < 51 && seen.lines[0].y[2] > 55 &&
                    seen.lines[0].y[2] < 66);
    }
    assert_int_equal(perceive(open_expert(NULL, "tiny-letters3"), &image, &arena, &seen, &err),
                     DF_MODEL);
    assert_non_null(strstr(
        err.message, "tiny-letters3: 3 classes in its output, 4 characters in its dictionary"));
    df_arena_reset(&arena);
    df_image_free(&image);
}

/* Dark on the right is upside down to tiny-turned: also at the ends of a line far longer than it
 * can see. */
static void upside_down_lines(void **state)
{
    (void)state;
    df_image image = white(900, 200);
    df_arena arena = {0};
    df_percept seen = {0};
    bar(&image, 50, 40, 40, 16, 1);
    /* darker on the right; read as b, for the white around it */
    bar(&image, 90, 40, 40, 16, 3);
    bar(&image, 50, 120, 400, 16, 1);
    bar(&image, 450, 120, 400, 16, 3);
    assert_int_equal(
        perceive(open_expert("tiny-turned", "tiny-letters"), &image, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_lines, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(seen.lines[i].x[0] > seen.lines[i].x[2] &&
                    seen.lines[i].y[0] > seen.lines[i].y[2]);
        assert_non_null(strstr(seen.lines[i].text, "ba"));
    }
    assert_true(seen.lines[0].y[0] > seen.lines[1].y[0]);  /* and so is the page */
    df_arena_reset(&arena);
    df_image_free(&image);
}

static void nothing_to_read(void **state)
{
    (void)state;
    df_image image = white(200, 100);
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(
        perceive(open_expert("tiny-turned", "tiny-letters"), &image, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_lines, 0);
    bar(&image, 50, 40, 80, 16, 1);          /* a model that answers NaN is told */
    df_error err = {""};
    assert_int_equal(
        perceive(open_expert("tiny-turned", "tiny-nothing"), &image, &arena, &seen, &err),
        DF_FORMAT);
    assert_non_null(strstr(err.message, "tiny-nothing"));
    df_arena_reset(&arena);
    df_image_free(&image);
}

static void five_thousand_lines(void **state)
{
    (void)state;
    enum { ACROSS = 50, DOWN = 100 };
    df_image image = white(ACROSS * 48, DOWN * 24);
    df_arena arena = {0};
    df_percept seen = {0};
    for (int i = 0; i < ACROSS * DOWN; i++)
        bar(&image, i % ACROSS * 48 + 8, i / ACROSS * 24 + 8, 24, 8, 1);
    const clock_t begun = clock();
    assert_int_equal(perceive(open_expert(NULL, "tiny-letters"), &image, &arena, &seen, NULL),
                     DF_OK);
    print_message("5,000 lines: %.1f CPU s\n", (double)(clock() - begun) / CLOCKS_PER_SEC);
    assert_int_equal(seen.n_lines, ACROSS * DOWN);
    for (int i = 1; i < seen.n_lines; i++)   /* row by row */
        assert_true(seen.lines[i].paragraph == i && seen.lines[i].item == i &&
                    (i % ACROSS == 0 || seen.lines[i].x[0] > seen.lines[i - 1].x[0]));
    df_arena_reset(&arena);
    df_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dictionaries_with_and_without_blank_and_space),
        cmocka_unit_test(upside_down_lines), cmocka_unit_test(nothing_to_read),
        cmocka_unit_test(five_thousand_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
