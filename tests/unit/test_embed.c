/* The stage as the pipeline runs it, with the tiny encoders of tests/oracle/encoders. */
#include "embed_fixture.h"

static void copy_samples(void)
{
    char command[1024];
    const char *source = getenv("DF_SOURCE_DIR");
    snprintf(command, sizeof command,
             "rm -rf in && mkdir in && cp %s/samples/b*.jpg %s/samples/c*.jpg %s/samples/r*.jpg "
             "%s/samples/two-dogs*.jpg in",
             source, source, source, source);
    shell(command);
}

static const char *const clip[] = {"embed.model", "tiny-clip", NULL};

static void test_threads_and_stops_give_the_same_bytes(void **state)
{
    (void)state;
    copy_samples();
    must_embed("one", 1, clip);
    must_embed("two", 2, clip);
    must_embed("eight", 8, clip);
    for (int stop_after = 1; stop_after < 9; stop_after += 2) {
        df_error err;
        assert_int_equal(embed("stopped", 2, stop_after, clip, &err), DF_STOPPED);
        must_embed("stopped", 2, clip);
        shell("cmp one/embed/part-00000.npy stopped/embed/part-00000.npy && diff -r one/embed "
              "stopped/embed && rm -r stopped");
    }
    shell("diff -r one/embed two/embed && diff -r one/embed eight/embed");
    shell("ls one/embed/part-00001.npy one/embed/part-00001.parquet > /dev/null");
    shell("test \"$(ls one/embed | wc -l)\" = $((2 * $(ls one/ingest/part-* | wc -l)))");
}

static void test_vectors_have_unit_length_and_order(void **state)
{
    (void)state;
    df_dataset *ds = open_dataset("one");
    df_vectors *v;
    assert_int_equal(df_vectors_open(&v, ds, NULL), DF_OK);
    const int64_t n = df_vectors_count(v);
    assert_int_equal(df_vectors_dim(v), 12);
    uint16_t *half = calloc((size_t)n * 12, sizeof *half);
    float *x = calloc((size_t)n * 12, sizeof *x);
    assert_int_equal(df_vectors_read(v, 0, n, half, NULL), DF_OK);
    df_half_to_float_n(half, x, (size_t)n * 12);
    double best = -1;
    int64_t pair = -1;
    for (int64_t i = 0; i < n; i++) {
        double length = 0, dot = 0;
        for (int k = 0; k < 12; k++) {
            length += (double)x[12 * i + k] * (double)x[12 * i + k];
            dot += i ? (double)x[12 * i + k] * (double)x[12 * (i - 1) + k] : 0;
        }
        assert_true(fabs(length - 1) < 2e-3);
        if (dot > best) {
            best = dot;
            pair = i;
        }
    }
    /* two-dogs-small.jpg and two-dogs.jpg, the last names: even noise sees it */
    assert_int_equal(pair, n - 1);
    assert_true(best > 0.999);
    free(half);
    free(x);
    df_vectors_close(v);
    df_dataset_close(ds);
}

static void test_no_direction_no_vector(void **state)
{
    (void)state;
    shell("rm -rf in");
    put_jpeg("in/a-black.jpg", 16, 16, 0);
    put_jpeg("in/b-white.jpg", 16, 16, 255);
    put_jpeg("in/c-grey.jpg", 16, 16, 100);
    put_jpeg("in/d-light.jpg", 16, 16, 200);
    must_embed("odd", 2, (const char *const[]){"embed.model", "degenerate", NULL});
    expect_problem("odd", 0, "zero");
    expect_problem("odd", 1, "not a number");
    expect_problem("odd", 2, "not a number");
    expect_problem("odd", 3, "");
    df_dataset *ds = open_dataset("odd");
    df_vectors *v;
    assert_int_equal(df_vectors_open(&v, ds, NULL), DF_OK);
    assert_int_equal(df_vectors_count(v), 1);
    df_vectors_close(v);
    df_dataset_close(ds);
}

static void test_a_picture_that_went_is_a_row(void **state)
{
    (void)state;
    shell("rm -rf in");
    put_jpeg("in/a.jpg", 64, 64, 90);
    put_jpeg("in/b.jpg", 64, 64, 120);
    must_embed("gone", 1, clip);
    shell("rm in/b.jpg");
    /* filter stands */
    must_embed("gone", 1, (const char *const[]){"embed.model", "tiny-siglip", NULL});
    expect_problem("gone", 0, "");
    expect_problem("gone", 1, "missing");
}

static void test_a_model_that_is_none_is_one_line(void **state)
{
    (void)state;
    df_error err = {""};
    assert_int_equal(
        embed("none", 1, -1, (const char *const[]){"embed.model", "no-such", NULL}, &err),
        DF_CONFIG);
    assert_non_null(strstr(err.message, "embed: there is no model no-such"));
}

int main(void)
{
    snprintf(top, sizeof top, "/tmp/df-embed-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_and_stops_give_the_same_bytes),
        cmocka_unit_test(test_vectors_have_unit_length_and_order),
        cmocka_unit_test(test_no_direction_no_vector),
        cmocka_unit_test(test_a_picture_that_went_is_a_row),
        cmocka_unit_test(test_a_model_that_is_none_is_one_line),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) != 0 ? 1 : failed;
}
