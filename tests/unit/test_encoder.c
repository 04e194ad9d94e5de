/* Tiny encoders in the layouts that people use: our preprocessing and pooling against the official
 * ones, of tests/oracle/encoders/make_encoders.py, on one photograph. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "model/encoder.h"
#include "model/preprocess.h"
#include "pictures.h"

static char folder[64];

static const char *encoders(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s", source("tests/oracle/encoders"));
    return path;
}

static float *expected(const char *name, const char *what, int64_t n)
{
    char path[600], *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/%s.%s", encoders(), name, what);
    assert_int_equal(df_file_read(path, 1 << 20, &bytes, &size, NULL), DF_OK);
    assert_int_equal(size, (size_t)n * sizeof(float));
    return (float *)(void *)bytes;
}

/* Both round to whole pixel values, theirs after each of two passes, ours once: half a unit of 255
 * in the mean and three at the most, where a bicubic filter overshoots twice. */
static void compare_pixels(const char *name, const df_image *image)
{
    df_card *card;
    df_arena arena = {0};
    df_tensor t;
    assert_int_equal(df_card_open(&card, encoders(), name, true, NULL), DF_OK);
    assert_int_equal(df_preprocess(card, image, &arena, &t, NULL, NULL), DF_OK);
    int64_t n = df_tensor_size(&t);
    float *want = expected(name, "pixels", n);
    double sum = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        double apart = fabs((double)(t.data[i] - want[i])) * card->std[i / (n / 3)];
        sum += apart;
        most = fmax(most, apart);
    }
    print_message("%s: pixels %.3f of 255 apart in the mean, %.1f at most\n", name, sum / (double)n,
                  most);
    assert_true(sum / (double)n < 0.5 && most < 3.1);
    free(want);
    df_arena_reset(&arena);
    df_card_close(card);
}

static void compare_vector(const char *name, int dim, const df_image *image)
{
    df_encoder *e;
    df_arena arena = {0};
    const float *x;
    df_error err = {""};
    if (df_encoder_open(&e, encoders(), name, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_encoder_dim(e), dim);
    assert_int_equal(df_encoder_run(e, image, &arena, &x, NULL), DF_OK);
    float *want = expected(name, "vector", dim);
    double dot = 0, xx = 0, ww = 0;
    for (int k = 0; k < dim; k++) {
        dot += (double)x[k] * (double)want[k];
        xx += (double)x[k] * (double)x[k];
        ww += (double)want[k] * (double)want[k];
    }
    print_message("%s: cosine %.7f, length %.5f of %.5f\n", name, dot / sqrt(xx * ww), sqrt(xx),
                  sqrt(ww));
    assert_true(dot / sqrt(xx * ww) > 0.9999 && fabs(sqrt(xx / ww) - 1) < 0.005);
    free(want);
    df_arena_reset(&arena);
    df_encoder_close(e);
}

static void test_layouts_match_the_official_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int dim;
    } cases[] = {{"tiny-clip", 12}, {"tiny-siglip", 8}, {"tiny-dinov2", 8}, {"tiny-open-clip", 12}};
    df_image image = photograph();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        compare_pixels(cases[i].name, &image);
        compare_vector(cases[i].name, cases[i].dim, &image);
    }
    df_image_free(&image);
}

/* The card of `from` with one line changed, beside its model. */
static void expect_refused(const char *from, const char *old, const char *new, const char *why)
{
    char path[600], command[2000], hint[600];
    df_encoder *e = NULL;
    df_error err = {""};
    snprintf(path, sizeof path, "%s/%s", encoders(), from);
    snprintf(command, sizeof command, "cp %s.onnx %s && sed 's/^%s.*/%s/' %s.yaml > %s/%s.yaml",
             path, folder, old, new, path, folder, from);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(df_encoder_open(&e, folder, from, NULL, &err), DF_OK);
    snprintf(hint, sizeof hint, "%s: \"%s\"", new, err.message);
    if (!strstr(err.message, why) || !strstr(err.message, from))
        fail_msg("%s", hint);
}

static void test_a_card_that_does_not_fit_fails_at_once(void **state)
{
    (void)state;
    expect_refused("tiny-clip", "output:", "output: nothing", "has no output \"nothing\"");
    expect_refused("tiny-clip", "pooling:", "pooling: mean", "needs an output [1, tokens, dim]");
    expect_refused("tiny-clip", "pooling:", "pooling: max",
                   "pooling: \"max\" is none of: none, cls, mean");
    expect_refused("tiny-dinov2", "pooling:", "pooling: none", "is no single vector");
    expect_refused("tiny-clip", "width:", "width: 32", "width: the card says 32");
    expect_refused("tiny-clip", "interpolation:", "interpolation: cubic",
                   "\"cubic\" is none of: bilinear, bicubic");
    expect_refused("tiny-clip", "sha256:", "", "sha256: ");
    expect_refused("tiny-clip", "sha256:",
                   "sha256: 0000000000000000000000000000000000000000000000000000000000000000",
                   "SHA-256");
}

static void test_mean_pools_all_tokens(void **state)
{
    (void)state;
    char command[2000];
    df_encoder *cls, *mean;
    df_arena arena = {0};
    const float *a, *b;
    df_image image = photograph();
    snprintf(command, sizeof command,
             "cp %s/tiny-dinov2.onnx %s && sed 's/^pooling.*/pooling: mean/' "
             "%s/tiny-dinov2.yaml > %s/tiny-dinov2.yaml",
             encoders(), folder, encoders(), folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(df_encoder_open(&cls, encoders(), "tiny-dinov2", NULL, NULL), DF_OK);
    assert_int_equal(df_encoder_open(&mean, folder, "tiny-dinov2", NULL, NULL), DF_OK);
    assert_int_equal(df_encoder_dim(mean), 8);
    assert_int_equal(df_encoder_run(cls, &image, &arena, &a, NULL), DF_OK);
    assert_int_equal(df_encoder_run(mean, &image, &arena, &b, NULL), DF_OK);
    assert_memory_not_equal(a, b, 8 * sizeof *a);
    /* tokens end in a layer norm: so does their mean, roughly */
    double sum = 0;
    for (int k = 0; k < 8; k++)
        sum += (double)b[k];
    assert_true(fabs(sum) < 1e-3);
    df_encoder_close(cls);
    df_encoder_close(mean);
    df_arena_reset(&arena);
    df_image_free(&image);
}

/* The committed cards for encoders that users bring are cards, and say that
 * nothing is installed. */
static void test_example_cards(void **state)
{
    (void)state;
    static const char *const names[] = {"clip-vit-b-32", "clip-vit-l-14", "siglip-base-16-224",
                                        "dinov2-base", "eva-clip-l-14"};
    char models[512];
    snprintf(models, sizeof models, "%s", source("share/models"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        df_card *card = NULL;
        df_error err = {""};
        if (df_card_open(&card, models, names[i], false, &err) != DF_OK)
            fail_msg("%s", err.message);
        assert_string_equal(card->task, "embed");
        df_card_close(card);
        if (df_card_installed(models, names[i]))
            continue;
        df_encoder *e = NULL;
        assert_int_equal(df_encoder_open(&e, models, names[i], NULL, &err), DF_MODEL);
        assert_non_null(strstr(err.message, "is not installed"));
    }
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-encoder-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts_match_the_official_ones),
        cmocka_unit_test(test_a_card_that_does_not_fit_fails_at_once),
        cmocka_unit_test(test_mean_pools_all_tokens),
        cmocka_unit_test(test_example_cards),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
