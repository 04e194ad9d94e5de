#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/pool.h"
#include "base/sha256.h"
#include "model/onnx.h"

static const char *at(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/tests/oracle/vision/%s", getenv("DF_SOURCE_DIR"), name);
    return path;
}

static df_onnx *open_model(const char *name)
{
    df_onnx *model = NULL;
    df_error err = {""};
    if (df_onnx_open(&model, at(name), NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return model;
}

static void test_free_shapes_integers_and_metadata(void **state)
{
    (void)state;
    df_onnx *model = open_model("tiny-free.onnx");
    df_tensor declared = df_onnx_input(model, 0);
    assert_string_equal(declared.name, "image");
    assert_true(declared.n_dims == 4 && declared.dims[1] == 3 && declared.dims[2] == -1);
    assert_null(df_onnx_input(model, 1).name);
    assert_null(df_onnx_input(model, -1).name);

    df_arena arena = {0};
    float data[3 * 5 * 7];
    for (int i = 0; i < 3 * 5 * 7; i++)
        data[i] = 2;
    /* no name: the first */
    df_tensor input = {.n_dims = 4, .dims = {1, 3, 5, 7}, .data = data}, *outputs = NULL;
    int n_outputs = 0;
    assert_int_equal(df_onnx_run(model, &input, 1, &arena, &outputs, &n_outputs, NULL), DF_OK);
    assert_int_equal(n_outputs, 2);
    assert_string_equal(outputs[0].name, "sum");
    assert_true(outputs[0].n_dims == 0 && outputs[0].data[0] == 210.0f);
    assert_true(outputs[1].dims[0] == 4 && outputs[1].data[2] == 5.0f &&
                outputs[1].data[3] == 7.0f);
    assert_string_equal(df_onnx_metadata(model, "purpose", &arena), "a test");
    assert_null(df_onnx_metadata(model, "no such key", &arena));
    df_arena_reset(&arena);
    df_onnx_close(model);
}

static void assert_run_fails(const char *name, df_tensor input, df_status status,
                             const char *expected)
{
    df_onnx *model = open_model(name);
    df_arena arena = {0};
    df_tensor *outputs = NULL;
    int n_outputs = -1;
    df_error err = {""};
    assert_int_equal(df_onnx_run(model, &input, 1, &arena, &outputs, &n_outputs, &err), status);
    if (!strstr(err.message, expected) || !strstr(err.message, name))
        fail_msg("\"%s\" lacks \"%s\" or the file", err.message, expected);
    assert_true(outputs == NULL && n_outputs == -1);
    df_arena_reset(&arena);
    df_onnx_close(model);
}

static void test_wrong_input_and_nan_are_errors(void **state)
{
    (void)state;
    static float data[3 * 9 * 9];
    assert_run_fails("tiny-nan.onnx", (df_tensor){"image", 4, {1, 3, 8, 8}, data}, DF_FORMAT,
                     "not numbers");
    assert_run_fails("tiny-inf.onnx", (df_tensor){"image", 4, {1, 3, 8, 8}, data}, DF_FORMAT,
                     "infinite");
    assert_run_fails("tiny-nan.onnx", (df_tensor){"image", 4, {1, 3, 9, 9}, data}, DF_MODEL,
                     "imension");
    assert_run_fails("tiny-nan.onnx", (df_tensor){"picture", 4, {1, 3, 8, 8}, data}, DF_MODEL,
                     "picture");
    assert_run_fails("tiny-nan.onnx", (df_tensor){"image", 4, {1, 3, 0, 8}, data}, DF_MODEL,
                     "empty");
    assert_run_fails("tiny-nan.onnx", (df_tensor){"image", 4, {1, 3, -8, 8}, data}, DF_MODEL,
                     "empty");
}

static void test_not_a_model(void **state)
{
    (void)state;
    df_onnx *model = NULL;
    df_error err = {""};
    assert_int_equal(df_onnx_open(&model, at("make_vision.py"), NULL, &err), DF_MODEL);
    assert_non_null(strstr(err.message, "make_vision.py"));
    assert_null(strchr(err.message, '\n'));
    assert_int_equal(df_onnx_open(&model, at("none.onnx"), NULL, &err), DF_MODEL);
    assert_null(model);
    df_onnx_close(NULL);
}

/* The CPU changes nothing of a fingerprint, whatever its threads; another provider
 * must be there. */
static void test_providers(void **state)
{
    (void)state;
    static const char *const cpus[] = {NULL, "", "cpu", "CPU"};
    df_str text = {0};
    df_error err = {""};
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
        assert_int_equal(
            df_onnx_describe(&(df_onnx_options){.provider = cpus[i], .threads = 3}, &text, &err),
            DF_OK);
    assert_int_equal(text.size, 0);
    static const char *const others[] = {"gpu", "cp", "cpu2", "executionprovider"};
    df_onnx *model = NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const df_onnx_options options = {.provider = others[i]};
        assert_int_equal(df_onnx_describe(&options, &text, &err), DF_CONFIG);
        assert_non_null(strstr(err.message, others[i]));
        assert_non_null(strstr(err.message, "cpu"));
        assert_null(strchr(err.message, '\n'));
        assert_int_equal(df_onnx_open(&model, at("tiny-free.onnx"), &options, &err), DF_CONFIG);
    }
    const df_onnx_options nowhere = {.library = "/no/libonnxruntime.so", .provider = "cuda"};
    assert_int_equal(df_onnx_describe(&nowhere, &text, &err), DF_MODEL);
    assert_non_null(strstr(err.message, "/no/libonnxruntime.so"));
    assert_int_equal(df_onnx_open(&model, at("tiny-free.onnx"), &nowhere, &err), DF_MODEL);
    assert_null(model);
    df_str_free(&text);
}

static df_status run_item(void *ctx, int64_t item, int thread, df_error *err)
{
    (void)thread;
    float data[3 * 4];
    for (int i = 0; i < 12; i++)
        data[i] = (float)item;
    df_arena arena = {0};
    df_tensor input = {.name = "image", .n_dims = 4, .dims = {1, 3, 2, 2}, .data = data},
              *outputs = NULL;
    int n = 0;
    df_status status = df_onnx_run(ctx, &input, 1, &arena, &outputs, &n, err);
    if (status == DF_OK && outputs[0].data[0] != 12 * (float)item)
        status = df_fail(err, DF_MODEL, "another thread's answer");
    df_arena_reset(&arena);
    return status;
}

static void test_one_model_many_threads(void **state)
{
    (void)state;
    df_onnx *model = open_model("tiny-free.onnx");
    df_error err = {""};
    if (df_pool_run(4, 200, run_item, model, &err) != DF_OK)
        fail_msg("%s", err.message);
    df_onnx_close(model);
}

static void test_sha256_known_answers(void **state)
{
    (void)state;
    char path[64], hex[DF_SHA256_HEX];
    snprintf(path, sizeof path, "/tmp/df-sha-%d", (int)getpid());
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(df_sha256_file(path, hex, NULL), DF_OK);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    f = fopen(path, "wb");
    for (int i = 0; i < 1000000; i++)        /* FIPS 180-4: a million times 'a' */
        fputc('a', f);
    fclose(f);
    assert_int_equal(df_sha256_file(path, hex, NULL), DF_OK);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    unlink(path);
    assert_int_equal(df_sha256_file(path, hex, NULL), DF_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_shapes_integers_and_metadata),
        cmocka_unit_test(test_wrong_input_and_nan_are_errors),
        cmocka_unit_test(test_not_a_model),
        cmocka_unit_test(test_one_model_many_threads),
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_providers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
