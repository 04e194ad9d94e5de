#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "model/card.h"

static char folder[64];

static const char *oracle(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/vision", getenv("DF_SOURCE_DIR"));
    return path;
}

static void put(const char *name, const char *text, size_t size)
{
    char path[256];
    df_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (df_file_write(path, text, size, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static void copy(const char *name)
{
    char path[640], *data;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", oracle(), name);
    assert_int_equal(df_file_read(path, 1 << 20, &data, &size, NULL), DF_OK);
    put(name, data, size);
    free(data);
}

/* The good card with one line more, or with the line that starts with `line` replaced (NULL:
 * removed). */
static void put_card(const char *start, const char *line)
{
    char path[640], text[4096] = "", *data;
    size_t size;
    snprintf(path, sizeof path, "%s/tiny-nanodet.yaml", oracle());
    assert_int_equal(df_file_read(path, 1 << 20, &data, &size, NULL), DF_OK);
    char *rest = NULL;
    for (const char *at = strtok_r(data, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest))
        if (!start || strncmp(at, start, strlen(start)) != 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", at);
    if (line)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", line);
    put("tiny-nanodet.yaml", text, strlen(text));
    free(data);
}

static void test_reads_every_field(void **state)
{
    (void)state;
    df_card *card = NULL;
    df_error err = {""};
    if (df_card_open(&card, oracle(), "tiny-nanodet", true, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_string_equal(card->decoder, "nanodet");
    assert_string_equal(card->layout, "nchw");
    assert_true(card->width == 64 && card->threshold == 0.6 && card->iou == 0.3 &&
                card->std[2] == 1);
    assert_int_equal(card->n_labels, 3);
    assert_string_equal(card->label[0], "cat");
    assert_null(card->label[1]);
    assert_string_equal(card->label[2], "dog");
    assert_true(df_card_number(card, "strides.1", 0) == 16 && df_card_number(card, "bins", 0) == 5);
    assert_true(df_card_number(card, "none", -3) == -3);
    df_onnx *model = NULL;
    assert_int_equal(df_card_open_model(card, &model, NULL), DF_OK);
    df_onnx_close(model);
    df_card_close(card);
    df_card_close(NULL);
}

static void assert_opens_with(const char *expected)
{
    df_card *card = NULL;
    df_onnx *model = NULL;
    df_error err = {""};
    df_status status = df_card_open(&card, folder, "tiny-nanodet", true, &err);
    if (status == DF_OK)
        status = df_card_open_model(card, &model, &err);
    df_card_close(card);
    df_onnx_close(model);
    assert_int_not_equal(status, DF_OK);
    if (!strstr(err.message, expected) || !strstr(err.message, "tiny-nanodet"))
        fail_msg("\"%s\" lacks \"%s\" or the file", err.message, expected);
    assert_null(strchr(err.message, '\n'));
}

static void test_mistakes_name_file_and_field(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"width", "width: wide", "width: \"wide\" is not a whole number"},
        {"width", "width: 100000", "width"},
        {"width", "width: 32", "width: the card says 32, the model's input has 64"},
        {"input", "input: picture", "input: the model has no input \"picture\""},
        {NULL, "layout: nhwc", "layout"},
        {NULL, "layout: hwc", "layout: \"hwc\" is none of: nchw, nhwc"},
        {NULL, "resize: bigger", "resize: \"bigger\" is none of: stretch, crop, fit"},
        {NULL, "resize: crop", "resize_side: must be at least"},
        {NULL, "channels: grey", "channels: \"grey\" is none of"},
        {NULL, "mean: [1, x, 3]", "mean.1: \"x\""},
        {NULL, "std: [1, 0, 3]", "std.1: \"0\""},
        {NULL, "mean: [1, 2, 3, 4]", "no field \"mean.3\""},
        {NULL, "thresold: 0.5", "no field \"thresold\""},
        {"threshold", "threshold: 1.5", "threshold: \"1.5\" is not a number from 0 to 1"},
        {"file", "file: ../../etc/passwd", "file: must be a file beside the card"},
        {"labels", "labels: /etc/passwd", "labels: must be a file beside the card"},
        {"labels", "labels: none.txt", "none.txt"},
        {"labels", "labels: empty.txt", "labels: the file must hold"},
        {"sha256", "sha256: 1234", "sha256: must be 64"},
        {"sha256", NULL, "put \"sha256: "},
        {"decoder", NULL, "decoder: missing"},
        {"licence", NULL, "licence: missing"},
        {"source", "source: \"\"", "source: missing"},
        {"task", "task: detec", "task: \"detec\" is none of: tag, detect,"},
        {"task", "task: t", "task: \"t\" is none of"},
        {"labels", "thresholds: three.labels.txt", "thresholds: they belong to labels"},
        {"name", "name: other", "name: differs"},
        /* decode: is the last section */
        {"  bins", "  bins: many", "decode.bins: \"many\" is not a number"},
    };
    copy("three.labels.txt");
    copy("tiny-nanodet.onnx");
    put("empty.txt", "", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_card(cases[i][0], cases[i][1]);
        assert_opens_with(cases[i][2]);
    }
}

/* Files that are not there are told by kind; what is wrong is an error all the same. */
static void test_survey_tells_what_is_missing(void **state)
{
    (void)state;
    df_card *card = NULL;
    df_str missing = {0};
    char path[256];
    static const char *const files[] = {"three.labels.txt", "tiny-nanodet.onnx"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    put_card(NULL, "text: words");
    assert_int_equal(df_card_survey(&card, folder, "tiny-nanodet", &missing, NULL), DF_OK);
    assert_string_equal(df_str_text(&missing),
                        "labels three.labels.txt, weights tiny-nanodet.onnx, text card words");
    assert_string_equal(card->licence, "MIT");
    assert_int_equal(card->n_labels, 0);
    df_card_close(card);
    assert_false(df_card_installed(folder, "tiny-nanodet"));
    copy("three.labels.txt");
    copy("tiny-nanodet.onnx");
    put_card(NULL, NULL);
    df_str_clear(&missing);
    assert_int_equal(df_card_survey(&card, folder, "tiny-nanodet", &missing, NULL), DF_OK);
    assert_int_equal(missing.size, 0);
    assert_int_equal(card->n_labels, 3);
    df_card_close(card);
    put_card(NULL, "resize: bigger");
    card = NULL;
    assert_int_equal(df_card_survey(&card, folder, "tiny-nanodet", &missing, NULL), DF_CONFIG);
    assert_null(card);
    df_str_free(&missing);
}

static void test_changed_cut_or_missing_model(void **state)
{
    (void)state;
    char path[256], *data;
    size_t size;
    put_card(NULL, NULL);
    copy("three.labels.txt");
    copy("tiny-nanodet.onnx");
    assert_true(df_card_installed(folder, "tiny-nanodet"));
    snprintf(path, sizeof path, "%s/tiny-nanodet.onnx", folder);
    assert_int_equal(df_file_read(path, 1 << 20, &data, &size, NULL), DF_OK);
    put("tiny-nanodet.onnx", data, size - 1);
    assert_opens_with("its SHA-256 is ");
    assert_opens_with("make setup");
    data[size / 2] ^= 1;
    put("tiny-nanodet.onnx", data, size);
    assert_opens_with("the card says ");
    unlink(path);
    assert_opens_with("tiny-nanodet.onnx is not installed; run `make setup`");
    assert_false(df_card_installed(folder, "tiny-nanodet"));
    assert_false(df_card_installed(folder, "never-heard-of"));
    df_card *card = NULL;
    assert_int_equal(df_card_open(&card, folder, "../tiny-nanodet", false, NULL), DF_CONFIG);
    assert_null(card);
    free(data);
}

/* Another threshold, another label, another file: each makes another result, and must make another
 * fingerprint. */
static void test_fingerprint_follows_card_and_labels(void **state)
{
    (void)state;
    df_str a = {0}, b = {0}, c = {0}, again = {0};
    put_card(NULL, NULL);
    copy("three.labels.txt");
    assert_int_equal(df_card_describe(folder, "tiny-nanodet", &a, NULL), DF_OK);
    assert_int_equal(df_card_describe(folder, "tiny-nanodet", &again, NULL), DF_OK);
    assert_string_equal(a.data, again.data);
    put_card("threshold", "threshold: 0.61");
    assert_int_equal(df_card_describe(folder, "tiny-nanodet", &b, NULL), DF_OK);
    assert_string_not_equal(a.data, b.data);
    put_card(NULL, NULL);
    put("three.labels.txt", "cat\nmonster\npoodle\n", 19);
    assert_int_equal(df_card_describe(folder, "tiny-nanodet", &c, NULL), DF_OK);
    assert_string_not_equal(a.data, c.data);
    df_str_free(&a);
    df_str_free(&b);
    df_str_free(&c);
    df_str_free(&again);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/df-card-%d", (int)getpid());
    return df_file_mkdir(folder, NULL) == DF_OK ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_field),
        cmocka_unit_test(test_mistakes_name_file_and_field),
        cmocka_unit_test(test_survey_tells_what_is_missing),
        cmocka_unit_test(test_changed_cut_or_missing_model),
        cmocka_unit_test(test_fingerprint_follows_card_and_labels),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
