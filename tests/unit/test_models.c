/* The models that set-up installs, on photographs that we ship: what anybody sees in them must be
 * seen, and what is not there must not be told with certainty. Skipped, and said so, where a model
 * is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/pool.h"
#include "expert/panel.h"

static const char *below(const char *folder)
{
    static char path[2][512];
    static int turn;
    char *to = path[turn ^= 1];
    snprintf(to, sizeof path[0], "%s/%s", getenv("DF_SOURCE_DIR"), folder);
    return to;
}

static bool installed(const char *name)
{
    return df_card_installed(below("share/models"), name);
}

static df_panel open_panel(const char *names)
{
    df_panel panel = {0};
    df_error err = {""};
    if (df_panel_init(&panel, below("share/models"), names, 0, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return panel;
}

static df_image load(const char *name)
{
    char path[512], *bytes = NULL;
    size_t size = 0;
    df_image image = {0};
    snprintf(path, sizeof path, "%s/%s", below("samples"), name);
    assert_int_equal(df_file_read(path, 64 << 20, &bytes, &size, NULL), DF_OK);
    assert_int_equal(df_image_decode((const uint8_t *)bytes, size, 2048, &image, NULL), DF_OK);
    free(bytes);
    return image;
}

static void test_tags(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"two-dogs.jpg", "dog"},
                                           {"picos-de-europa.jpg", "mountain"},
                                           {"paint-brushes.jpg", "paintbrush"},
                                           {"coffee.jpg", "espresso"}};
    if (!installed("efficientnet-lite2"))
        skip();
    df_panel panel = open_panel("efficientnet-lite2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_arena arena = {0};
        df_percept seen[DF_PANEL_MAX];
        df_image image = load(cases[i][0]);
        assert_int_equal(df_panel_perceive(&panel, &image, NULL, &arena, seen, NULL), DF_OK);
        assert_null(seen[0].trouble);
        assert_true(seen[0].n_tags > 0);
        assert_string_equal(seen[0].tags[0].label, cases[i][1]);
        df_image_free(&image);
        df_arena_reset(&arena);
    }
    df_panel_free(&panel);
}

/* Both detectors find the astronaut, who fills the left two thirds of a 512 x 512 picture. */
static void test_both_detectors_find_the_person(void **state)
{
    (void)state;
    static const char *const names[] = {"nanodet", "centernet"};
    df_image image = load("astronaut.png");
    for (size_t m = 0; m < 2; m++) {
        if (!installed(names[m])) {
            df_image_free(&image);
            skip();
        }
        df_panel panel = open_panel(names[m]);
        df_arena arena = {0};
        df_percept seen[DF_PANEL_MAX];
        assert_int_equal(df_panel_perceive(&panel, &image, NULL, &arena, seen, NULL), DF_OK);
        assert_true(seen[0].n_boxes > 0);
        const df_box *best = &seen[0].boxes[0];
        assert_string_equal(best->label, "person");
        assert_true(best->score > 0.5);
        const double w = image.full_width, h = image.full_height;
        assert_true(best->x0 < 0.15 * w && best->x1 > 0.55 * w && best->x1 < 0.9 * w);
        assert_true(best->y0 < 0.15 * h && best->y1 > 0.9 * h);
        df_arena_reset(&arena);
        df_panel_free(&panel);
    }
    df_image_free(&image);
}

static void check_boxes(const df_percept *seen, const df_image *image)
{
    for (int i = 0; i < seen->n_boxes; i++) {
        const df_box *b = &seen->boxes[i];
        assert_true(b->x0 >= 0 && b->y0 >= 0 && b->x1 <= image->full_width &&
                    b->y1 <= image->full_height);
        assert_true(b->x1 > b->x0 && b->y1 > b->y0 && b->score >= 0 && b->score <= 1);
    }
}

static void test_odd_images(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 3000}, {3000, 1}, {1, 1}, {37, 41}};
    if (!installed("nanodet"))
        skip();
    df_panel panel = open_panel("nanodet,centernet,efficientnet-lite2");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        df_image image = {sizes[i][0], sizes[i][1], sizes[i][0] * 3, sizes[i][1] * 3, NULL};
        const size_t n = (size_t)image.width * (size_t)image.height * 3;
        image.rgb = malloc(n);
        assert_non_null(image.rgb);
        for (size_t k = 0; k < n; k++)
            image.rgb[k] = (uint8_t)(k * 37 >> 2);
        df_arena arena = {0};
        df_percept seen[DF_PANEL_MAX];
        df_error err = {""};
        if (df_panel_perceive(&panel, &image, NULL, &arena, seen, &err) != DF_OK)
            fail_msg("%s", err.message);
        for (int k = 0; k < panel.n_experts; k++)
            check_boxes(&seen[k], &image);
        df_image_free(&image);
        df_arena_reset(&arena);
    }
    df_panel_free(&panel);
}

typedef struct {
    const df_panel *panel;
    df_image image;
    df_str answers[4];
} shared;

static df_status describe(void *ctx, int64_t item, int thread, df_error *err)
{
    shared *s = ctx;
    df_arena arena = {0};
    df_percept seen[DF_PANEL_MAX];
    (void)thread;
    df_status status = df_panel_perceive(s->panel, &s->image, NULL, &arena, seen, err);
    for (int k = 0; status == DF_OK && k < s->panel->n_experts; k++)
        for (int i = 0; i < seen[k].n_boxes; i++)
            df_str_printf(&s->answers[item], "%s %a %a %a\n", seen[k].boxes[i].label,
                          seen[k].boxes[i].score, seen[k].boxes[i].x0, seen[k].boxes[i].y1);
    df_arena_reset(&arena);
    return status;
}

/* To the last bit, whichever thread asks. */
static void test_threads_get_the_same_answer(void **state)
{
    (void)state;
    if (!installed("nanodet"))
        skip();
    df_panel panel = open_panel("nanodet,centernet");
    shared s = {.panel = &panel, .image = load("wine-and-drum.jpg")};
    assert_int_equal(df_pool_run(2, 4, describe, &s, NULL), DF_OK);
    assert_true(s.answers[0].size > 0);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(df_str_text(&s.answers[i]), df_str_text(&s.answers[0]));
        if (i > 0)
            df_str_free(&s.answers[i]);
    }
    df_str_free(&s.answers[0]);
    df_image_free(&s.image);
    df_panel_free(&panel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_both_detectors_find_the_person),
        cmocka_unit_test(test_odd_images),
        cmocka_unit_test(test_threads_get_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
