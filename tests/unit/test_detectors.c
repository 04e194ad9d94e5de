/* Detectors beside the official post-processing of their families, with tiny models of random
 * weights that tests/oracle/detect/make_detectors.py made, in a picture that needs no resizing;
 * then models gone wild. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/file.h"
#include "expert/expert.h"
#include "pictures.h"

static const char *oracle(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/detect", getenv("DF_SOURCE_DIR"));
    return path;
}

static df_expert_handle *open_expert(const char *name)
{
    df_expert_handle *h = NULL;
    df_error err = {""};
    if (df_expert_open(&h, oracle(), &name, 1, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return h;
}

static bool near(const df_box *b, const char *label, double score, const double c[4])
{
    return strcmp(b->label, label) == 0 && fabs(b->score - score) < 2e-4 &&
           fabs(b->x0 - c[0]) < 0.02 && fabs(b->y0 - c[1]) < 0.02 && fabs(b->x1 - c[2]) < 0.02 &&
           fabs(b->y1 - c[3]) < 0.02;
}

/* NAME.boxes, in the same order: another runtime's last digits may move a box by 0.02 pixels and a
 * score by 2e-4. */
static void compare(const char *name, int least)
{
    char path[600], label[64];
    df_expert_handle *h = open_expert(name);
    df_image image = picture();
    df_arena arena = {0};
    df_percept seen = {0};
    df_error err = {""};
    double score, c[4];
    int n = 0;
    if (df_expert_perceive(h, &image, NULL, &arena, &seen, &err) != DF_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/%s.boxes", oracle(), name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (;
         fscanf(f, "%lf %lf %lf %lf %lf %63[^\n]", &score, &c[0], &c[1], &c[2], &c[3], label) == 6;
         n++) {
        assert_true(n < seen.n_boxes);
        const df_box *b = &seen.boxes[n];
        assert_string_equal(b->source, name);
        assert_int_equal(b->item, n);
        if (!near(b, label, score, c))
            fail_msg("%s: box %d is %s %g: %g %g %g %g, expected %s %g: %g %g %g %g", name, n,
                     b->label, b->score, b->x0, b->y0, b->x1, b->y1, label, score, c[0], c[1], c[2],
                     c[3]);
    }
    fclose(f);
    assert_true(n >= least);
    assert_int_equal(seen.n_boxes, n);
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_detr_family_matches_transformers(void **state)
{
    (void)state;
    compare("tiny-rtdetr", 5);
    compare("tiny-rtdetrv2", 5);
    compare("tiny-dfine", 5);
    compare("tiny-rfdetr", 5);
    compare("tiny-detr", 5);
}

static void test_two_stages_match_torchvision(void **state)
{
    (void)state;
    /* an input without batch, and more classes than labels: background */
    compare("tiny-rcnn", 5);
}

/* The paper's detector, by its authors' fork of Detectron2: padded to a square, boxes end at the
 * picture's edge. */
static void test_eva02_matches_its_authors(void **state)
{
    (void)state;
    compare("tiny-eva02", 10);
}

/* As the authors' postprocess: grids by the card, and in pixels; the picture is padded below. */
static void test_yolox_matches_its_authors(void **state)
{
    (void)state;
    compare("tiny-yolox", 5);
    compare("tiny-yolox-pixels", 5);
}

/* A model that answers with 10,000 boxes, each far above the threshold, none over another. */
static void test_ten_thousand_boxes(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert("tiny-crowd");
    df_image image = picture();
    df_arena arena = {0};
    df_percept seen = {0};
    image.full_width = 9600;
    image.full_height = 6400;
    const clock_t before = clock();
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 2);      /* sanitizers included */
    assert_int_equal(seen.n_boxes, 300);
    for (int i = 0; i < 300; i++)
        assert_true(seen.boxes[i].score > 0.97 - 1e-6 &&
                    (i == 0 || seen.boxes[i].score <= seen.boxes[i - 1].score));
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

/* What a card gets wrong is told by file and field. */
static void test_answers_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"odd-class", "labels: 5 lines from class 0 on, but the model says class 7"},
        {"odd-shape", "decode.boxes, decode.scores, decode.classes: which"},
        {"odd-strides", "check decode.strides"},
        {"odd-logits", "labels: 5 lines, but the model has no outputs [q, 6] and [q, 4]"}};
    df_image image = picture();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_expert_handle *h = open_expert(cases[i][0]);
        df_arena arena = {0};
        df_percept seen = {0};
        df_error err = {""};
        assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, &err), DF_MODEL);
        if (!strstr(err.message, cases[i][1]) || !strstr(err.message, cases[i][0]))
            fail_msg("%s", err.message);
        df_arena_reset(&arena);
        df_expert_close(h);
    }
    df_image_free(&image);
}

static void test_cards_that_say_nonsense(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"odd-number", "odd-number.yaml: decode.max_boxes: must be a whole number from 1 to 5000"},
        {"odd-resize", "odd-resize.yaml: resize_side and max_side: shortest needs both"},
        {"odd-inputs",
         "odd-inputs.yaml: file: beside the image a model may have one input, [1, 2]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_expert_handle *h = NULL;
        df_error err = {""};
        assert_int_equal(df_expert_open(&h, oracle(), &cases[i][0], 1, NULL, &err), DF_CONFIG);
        if (!strstr(err.message, cases[i][1]))
            fail_msg("%s", err.message);
    }
}

/* A box each: fine, fine, background, a dropped class, too weak. */
static void five_boxes(const char *name)
{
    df_expert_handle *h = open_expert(name);
    df_image image = picture();
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_boxes, 2);
    assert_true(near(&seen.boxes[0], "cat", 0.9, (double[]){24, 16, 48, 32}));
    assert_true(near(&seen.boxes[1], "tree", 0.8, (double[]){0, 0, 48, 64}));
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_boxes_as_the_card_says(void **state)
{
    (void)state;
    /* outputs by name, and a second input that asks for the size */
    five_boxes("tiny-final");
    five_boxes("tiny-shares");               /* outputs by number, boxes as shares of the sides */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detr_family_matches_transformers),
        cmocka_unit_test(test_two_stages_match_torchvision),
        cmocka_unit_test(test_eva02_matches_its_authors),
        cmocka_unit_test(test_yolox_matches_its_authors),
        cmocka_unit_test(test_ten_thousand_boxes),
        cmocka_unit_test(test_answers_that_do_not_fit),
        cmocka_unit_test(test_boxes_as_the_card_says),
        cmocka_unit_test(test_cards_that_say_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
