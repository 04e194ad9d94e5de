/* Decoders on the tiny models of tests/oracle/vision, against its NumPy reference; then the stages
 * over them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expert/panel.h"
#include "stage/stage.h"
#include "tables/detect.h"

static const char *oracle(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/vision", getenv("DF_SOURCE_DIR"));
    return path;
}

static df_image uniform(int width, int height, int r, int g, int b)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    assert_non_null(image.rgb);
    for (int i = 0; i < width * height; i++)
        memcpy(image.rgb + 3 * i, (uint8_t[]){(uint8_t)r, (uint8_t)g, (uint8_t)b}, 3);
    return image;
}

static df_expert_handle *open_expert(const char *name)
{
    df_expert_handle *h = NULL;
    df_error err = {""};
    if (df_expert_open(&h, oracle(), &name, 1, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return h;
}

static FILE *open_expected(const char *file)
{
    char path[640];
    snprintf(path, sizeof path, "%s/%s", oracle(), file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    return f;
}

/* Scores and bins are float32: 1e-4 of a pixel at 200 is their precision, with room for exp. */
static void assert_boxes(const char *name, const char *file)
{
    df_expert_handle *h = open_expert(name);
    df_image image = uniform(50, 25, 9, 9, 9);
    df_arena arena = {0};
    df_percept seen = {0};
    image.full_width = 200;
    image.full_height = 100;
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    FILE *f = open_expected(file);
    char label[32];
    double score, x0, y0, x1, y1;
    int n = 0;
    for (; fscanf(f, "%31s %lf %lf %lf %lf %lf", label, &score, &x0, &y0, &x1, &y1) == 6; n++) {
        assert_true(n < seen.n_boxes);
        const df_box *b = &seen.boxes[n];
        assert_string_equal(b->label, label);
        assert_string_equal(b->source, name);
        assert_int_equal(b->item, n);
        if (fabs(b->score - score) > 2e-6 || fabs(b->x0 - x0) > 1e-3 || fabs(b->y0 - y0) > 1e-3 ||
            fabs(b->x1 - x1) > 1e-3 || fabs(b->y1 - y1) > 1e-3)
            fail_msg("box %d is %g %g %g %g, expected %g %g %g %g", n, b->x0, b->y0, b->x1, b->y1,
                     x0, y0, x1, y1);
    }
    fclose(f);
    assert_true(n > 5);
    assert_int_equal(seen.n_boxes, n);
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_nanodet_matches_numpy(void **state)
{
    (void)state;
    assert_boxes("tiny-nanodet", "tiny-nanodet.boxes");
}

static void test_centernet_matches_numpy(void **state)
{
    (void)state;
    assert_boxes("tiny-centernet", "tiny-centernet.boxes");
}

static void test_classes_add_up_under_one_name(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert("tiny-classes");
    df_image image = uniform(20, 30, 100, 150, 120);
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    FILE *f = open_expected("tiny-classes.tags");
    char label[32];
    double score;
    int n = 0;
    for (; fscanf(f, "%31s %lf", label, &score) == 2; n++) {
        assert_true(n < seen.n_tags);
        assert_string_equal(seen.tags[n].label, label);
        assert_true(fabs(seen.tags[n].score - score) < 1e-5);
    }
    fclose(f);
    assert_int_equal(n, 2);
    assert_int_equal(seen.n_tags, 2);        /* the dropped class is not there */
    df_expert_set_threshold(h, 1);
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_int_equal(seen.n_tags, 0);
    df_image_free(&image);
    df_arena_reset(&arena);
    df_expert_close(h);
}

static void test_card_that_does_not_fit_the_model(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"tiny-four", "labels: 3 lines, but the model's output p has 4 classes"},
        {"tiny-logits", "decode.softmax: 1"}};
    df_image image = uniform(8, 8, 250, 1, 3);
    for (size_t i = 0; i < 2; i++) {
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

/* Task, decoder and what the decoder needs: told by file and field, before any model is opened. */
static void test_card_that_does_not_fit_the_decoder(void **state)
{
    (void)state;
    static const df_yaml_entry odd = {.key = "bind", .value = "5"},
                               bins = {.key = "strides.7", .value = "5"};
    char nothing[] = "", task[] = "tag", detect[] = "detect", labels[] = "l", nanodet[] = "nanodet",
         other[] = "yolov99";
    const struct {
        df_card card;
        const char *expected;
    } cases[] = {
        {{.task = detect, .decoder = other, .path = nothing},
         "decoder: there is none called \"yolov99\"; there are: classes, "},
        {{.task = detect, .path = nothing}, "decoder: there is none called \"\""},
        {{.task = task, .decoder = nanodet, .path = nothing},
         "decoder: nanodet serves no task tag, only: detect"},
        {{.task = detect, .decoder = nanodet, .path = nothing},
         "labels: missing; decoder nanodet needs it"},
        {{.task = detect, .decoder = nanodet, .path = nothing, .labels = labels, .width = 5},
         "height: missing"},
        {{.task = detect,
          .decoder = nanodet,
          .path = nothing,
          .labels = labels,
          .width = 5,
          .height = 5,
          .extra = &odd,
          .n_extra = 1},
         "decode.bind: decoder nanodet has no such number; it has: strides bins"},
        {{.task = detect,
          .decoder = nanodet,
          .path = nothing,
          .labels = labels,
          .width = 5,
          .height = 5,
          .extra = &bins,
          .n_extra = 1},
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_error err = {""};
        assert_int_equal(df_expert_check(&cases[i].card, &err),
                         cases[i].expected ? DF_CONFIG : DF_OK);
        if (cases[i].expected && !strstr(err.message, cases[i].expected))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].expected);
    }
}

/* ---- the stages */

typedef struct {
    char notes[512];
    int n_notes;
} said;

static void on_note(void *ctx, const char *line)
{
    said *s = ctx;
    s->n_notes++;
    snprintf(s->notes, sizeof s->notes, "%s", line);
}

typedef struct {
    const df_stage *stage;
    void *config;
    void *state;
    df_table *out;
    said said;
    df_run run;
} bench;

/* settings: key, value, ..., NULL */
static df_status bench_open_with(bench *b, const char *stage, const char *const *settings,
                                 df_error *err)
{
    *b = (bench){.stage = df_stage_find(stage)};
    assert_non_null(b->stage);
    b->run = (df_run){.n_threads = 1, .models = oracle(), .note = on_note, .ctx = &b->said};
    b->config = calloc(1, b->stage->config_size);
    assert_int_equal(df_options_defaults(b->stage->options, b->config, NULL), DF_OK);
    for (; *settings; settings += 2)
        assert_int_equal(
            df_option_set(b->stage->options, b->config, stage, settings[0], settings[1], NULL),
            DF_OK);
    assert_int_equal(df_table_create(&b->out, df_stage_columns(b->stage), NULL), DF_OK);
    return b->stage->pixels->open(&b->state, NULL, b->config, &b->run, err);
}

static df_status bench_open(bench *b, const char *stage, const char *models, df_error *err)
{
    return bench_open_with(b, stage, (const char *const[]){"models", models, NULL}, err);
}

static void bench_close(bench *b)
{
    if (b->state)
        b->stage->pixels->close(b->state);
    df_table_close(b->out);
    df_options_free(b->stage->options, b->config);
    free(b->config);
}

static void test_boxes_are_by_model_and_score(void **state)
{
    (void)state;
    bench b;
    df_error err = {""};
    df_arena arena = {0};
    df_image image = uniform(64, 64, 1, 2, 3);
    if (bench_open(&b, "detect", "tiny-nanodet, tiny-centernet,not-there", &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(b.said.n_notes, 1);
    assert_string_equal(b.said.notes, "detect: not-there not installed, going on without");
    df_sight sight = {.row = 41, .image = &image};
    assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, NULL), DF_OK);
    assert_true(df_table_rows(b.out) > 20);
    for (int64_t i = 0; i < df_table_rows(b.out); i++) {
        const char *source = df_table_text(b.out, i, DF_DETECT_SOURCE);
        const bool second = strcmp(source, "tiny-centernet") == 0;
        assert_int_equal(df_table_int(b.out, i, DF_DETECT_ROW), 41);
        assert_true(df_table_text(b.out, i, DF_DETECT_LABEL)[0] != '\0');
        assert_true(df_table_real(b.out, i, DF_DETECT_X1) >= df_table_real(b.out, i, DF_DETECT_X0));
        if (i > 0 && strcmp(source, df_table_text(b.out, i - 1, DF_DETECT_SOURCE)) == 0)
            assert_true(df_table_real(b.out, i, DF_DETECT_SCORE) <=
                        df_table_real(b.out, i - 1, DF_DETECT_SCORE));
        else
            assert_true(second == (i > 0));  /* by model, in the order of the option */
    }
    int64_t before = df_table_rows(b.out);
    df_sight broken = {.row = 42, .problem = "truncated"};
    assert_int_equal(b.stage->pixels->perceive(b.state, &broken, &arena, b.out, NULL), DF_OK);
    assert_int_equal(df_table_rows(b.out), before);
    df_image_free(&image);
    df_arena_reset(&arena);
    bench_close(&b);
}

static void paint(df_image *image, int x0, int y0, int side, int r, int b)
{
    for (int y = y0; y < y0 + side; y++)
        for (int x = x0; x < x0 + side; x++)
            memcpy(image->rgb + 3 * ((size_t)y * (size_t)image->width + (size_t)x),
                   (uint8_t[]){(uint8_t)r, 0, (uint8_t)b}, 3);
}

/* What tiny-spots sees in 832 pixels with a cat of 48 at x, y and perhaps something blue, in a file
 * twice as large. The input is 64 pixels: the whole picture shows 3.7 pixels of the cat, a tile of
 * 256 shows 12. */
typedef struct {
    bench b;
    df_image image;
    df_arena arena;
    df_sight sight;
} tiled;

static void tiled_open(tiled *t, const char *slices, int x, int y, bool blue)
{
    df_error err = {""};
    *t = (tiled){.image = uniform(832, 832, 0, 0, 0)};
    t->image.full_width = t->image.full_height = 1664;
    paint(&t->image, x, y, 48, 255, 0);
    if (blue)
        paint(&t->image, 760, 760, 16, 0, 255);
    if (bench_open_with(&t->b, "detect",
                        (const char *const[]){"models", "tiny-spots", "slices", slices,
                                              "slice_overlap", "0.25", "slice_extra", "0", NULL},
                        &err) != DF_OK)
        fail_msg("%s", err.message);
    t->sight = (df_sight){.part = 2, .row = 5, .image = &t->image};
    if (t->b.stage->pixels->perceive(t->b.state, &t->sight, &t->arena, t->b.out, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static void tiled_close(tiled *t)
{
    df_image_free(&t->image);
    df_arena_reset(&t->arena);
    bench_close(&t->b);
}

static void assert_one_cat(const tiled *t, int x, int y)
{
    const df_table *boxes = t->b.out;
    assert_int_equal(df_table_rows(boxes), 1);
    assert_string_equal(df_table_text(boxes, 0, DF_DETECT_LABEL), "cat");
    assert_string_equal(df_table_text(boxes, 0, DF_DETECT_SOURCE), "tiny-spots");
    const double x0 = df_table_real(boxes, 0, DF_DETECT_X0),
                 y0 = df_table_real(boxes, 0, DF_DETECT_Y0),
                 x1 = df_table_real(boxes, 0, DF_DETECT_X1),
                 y1 = df_table_real(boxes, 0, DF_DETECT_Y1);
    if (x0 != 2 * x || y0 != 2 * y || x1 != 2 * x + 96 || y1 != 2 * y + 96)
        fail_msg("the cat at %d, %d is at %g %g %g %g", 2 * x, 2 * y, x0, y0, x1, y1);
}

/* Tiles of 256 pixels begin at 0, 192, 384, 576. */
static void test_tiles_show_what_the_whole_does_not(void **state)
{
    (void)state;
    static const int at[][2] = {
        /* in one tile, away from borders and at the picture's */
        {80, 80},
        {640, 768},
        /* cut by a tile's border, once and in both directions */
        {224, 80},
        {400, 224},
        {192, 192},
        {208, 384}, /* where tiles overlap */
    };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        tiled t;
        tiled_open(&t, "0", at[i][0], at[i][1], false);
        assert_int_equal(df_table_rows(t.b.out), 0);
        tiled_close(&t);
        tiled_open(&t, "4", at[i][0], at[i][1], false);
        assert_one_cat(&t, at[i][0], at[i][1]);
        assert_int_equal(t.b.said.n_notes, 0);
        tiled_close(&t);
    }
}

static void test_a_tile_without_an_answer_costs_no_other(void **state)
{
    (void)state;
    tiled t;
    tiled_open(&t, "4", 80, 80, true);
    assert_one_cat(&t, 80, 80);
    assert_int_equal(t.b.said.n_notes, 1);
    if (!strstr(t.b.said.notes, "detect: part 2 row 5: tile 16 of 16: "))
        fail_msg("%s", t.b.said.notes);
    tiled_close(&t);
}

/* The expert's threshold and slice_extra: a cat of score 1 counts up to 0.95 + 0.05. */
static void test_tiles_must_be_surer(void **state)
{
    (void)state;
    static const char *const extra[] = {"0.04", "0.06"};
    for (int i = 0; i < 2; i++) {
        bench b;
        df_arena arena = {0};
        df_image image = uniform(832, 832, 0, 0, 0);
        paint(&image, 80, 80, 48, 255, 0);
        assert_int_equal(bench_open_with(&b, "detect",
                                         (const char *const[]){"models", "tiny-spots", "slices",
                                                               "4", "slice_extra", extra[i],
                                                               "slice_overlap", "0.25", NULL},
                                         NULL),
                         DF_OK);
        df_sight sight = {.image = &image};
        assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, NULL), DF_OK);
        assert_int_equal(df_table_rows(b.out), i == 0);
        df_image_free(&image);
        df_arena_reset(&arena);
        bench_close(&b);
    }
}

static void no_answer(const char *models)
{
    bench b;
    df_arena arena = {0};
    df_image image = uniform(8, 8, 1, 2, 3);
    assert_int_equal(bench_open(&b, "tag", models, NULL), DF_OK);
    df_sight sight = {.part = 2, .row = 5, .image = &image};
    assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, NULL), DF_OK);
    assert_int_equal(b.said.n_notes, 1);
    assert_non_null(strstr(b.said.notes, "tag: part 2 row 5: "));
    assert_int_equal(df_table_rows(b.out), 2); /* the other model's */
    assert_string_equal(df_table_text(b.out, 0, 3), "tiny-classes");
    df_image_free(&image);
    df_arena_reset(&arena);
    bench_close(&b);
}

static void test_no_answer_for_one_image_stops_no_run(void **state)
{
    (void)state;
    no_answer("tiny-nan,tiny-classes");
    no_answer("tiny-inf,tiny-classes");
}

static void test_text_without_an_answer_is_noted(void **state)
{
    (void)state;
    bench b;
    df_error err = {""};
    df_arena arena = {0};
    df_image image = uniform(40, 40, 1, 2, 3);
    if (bench_open_with(&b, "read",
                        (const char *const[]){"detector", "tiny-text-nan", "orienter", "",
                                              "recogniser", "tiny-text-rec", NULL},
                        &err) != DF_OK)
        fail_msg("%s", err.message);
    df_sight sight = {.part = 2, .row = 5, .image = &image};
    assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, NULL), DF_OK);
    assert_int_equal(b.said.n_notes, 1);
    assert_non_null(strstr(b.said.notes, "read: part 2 row 5: "));
    assert_int_equal(df_table_rows(b.out), 0);
    df_image_free(&image);
    df_arena_reset(&arena);
    bench_close(&b);
}

/* A picture that the safety model cannot judge does not pass. */
static void test_safety_without_an_answer_rejects(void **state)
{
    (void)state;
    bench b;
    df_error err = {""};
    df_arena arena = {0};
    df_image image = uniform(500, 500, 1, 2, 3);
    if (bench_open_with(&b, "filter",
                        (const char *const[]){"safety", "0.5", "safety_model", "tiny-inf-safety",
                                              "duplicates", "false", NULL},
                        &err) != DF_OK)
        fail_msg("%s", err.message);
    df_sight sight = {.part = 2, .row = 5, .image = &image};
    assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, NULL), DF_OK);
    assert_int_equal(df_table_rows(b.out), 1);
    assert_string_equal(df_table_text(b.out, 0, df_table_column(b.out, "reason")), "unsafe");
    assert_int_equal(df_table_int(b.out, 0, df_table_column(b.out, "kept")), 0);
    df_image_free(&image);
    df_arena_reset(&arena);
    bench_close(&b);
}

/* What would hit every picture stops the stage. */
static void test_wrong_label_count_stops_the_stage(void **state)
{
    (void)state;
    bench b;
    df_error err = {""};
    df_arena arena = {0};
    df_image image = uniform(8, 8, 1, 2, 3);
    assert_int_equal(bench_open(&b, "tag", "tiny-classes,tiny-four", NULL), DF_OK);
    df_sight sight = {.image = &image};
    assert_int_equal(b.stage->pixels->perceive(b.state, &sight, &arena, b.out, &err), DF_MODEL);
    assert_non_null(strstr(err.message, "tiny-four.yaml: labels: 3 lines"));
    assert_int_equal(df_table_rows(b.out), 0);
    df_image_free(&image);
    df_arena_reset(&arena);
    bench_close(&b);
}

static void test_first_model_must_be_there(void **state)
{
    (void)state;
    bench b;
    df_error err = {""};
    assert_int_equal(bench_open(&b, "tag", "not-there,tiny-classes", &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "there is no model not-there"));
    bench_close(&b);
    assert_int_equal(bench_open(&b, "tag", " , ", &err), DF_OK); /* none at all is a choice */
    bench_close(&b);
}

static void test_depends_lists_what_is_used(void **state)
{
    (void)state;
    bench b;
    df_str with = {0}, without = {0};
    assert_int_equal(bench_open(&b, "detect", "tiny-nanodet,tiny-centernet", NULL), DF_OK);
    assert_int_equal(b.stage->depends(b.config, &b.run, &with, NULL), DF_OK);
    bench_close(&b);
    assert_int_equal(bench_open(&b, "detect", "tiny-nanodet,gone", NULL), DF_OK);
    assert_int_equal(b.stage->depends(b.config, &b.run, &without, NULL), DF_OK);
    bench_close(&b);
    assert_non_null(strstr(with.data, "model tiny-centernet "));
    assert_true(without.size < with.size && strncmp(with.data, without.data, without.size) == 0);
    df_str_free(&with);
    df_str_free(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nanodet_matches_numpy),
        cmocka_unit_test(test_centernet_matches_numpy),
        cmocka_unit_test(test_classes_add_up_under_one_name),
        cmocka_unit_test(test_card_that_does_not_fit_the_model),
        cmocka_unit_test(test_card_that_does_not_fit_the_decoder),
        cmocka_unit_test(test_boxes_are_by_model_and_score),
        cmocka_unit_test(test_tiles_show_what_the_whole_does_not),
        cmocka_unit_test(test_a_tile_without_an_answer_costs_no_other),
        cmocka_unit_test(test_tiles_must_be_surer),
        cmocka_unit_test(test_no_answer_for_one_image_stops_no_run),
        cmocka_unit_test(test_text_without_an_answer_is_noted),
        cmocka_unit_test(test_safety_without_an_answer_rejects),
        cmocka_unit_test(test_wrong_label_count_stops_the_stage),
        cmocka_unit_test(test_first_model_must_be_there),
        cmocka_unit_test(test_depends_lists_what_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
