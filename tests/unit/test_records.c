/* Records on disk: what lies outside of the file is an error, and a file of another size is not
 * taken for this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/file.h"
#include "io/records.h"

enum { N = 10 };
static const char name[] = "numbers", path[] = "records.test/numbers";

static df_folder *make_folder(void)
{
    df_folder *folder;
    df_error err = {""};
    if (df_folder_create(&folder, "records.test", "dataset", &err) != DF_OK)
        fail_msg("%s", err.message);
    return folder;
}

static void outside_is_an_error(void **state)
{
    (void)state;
    static const int64_t ranges[][2] = {{-1, 1},        {0, N + 1},     {N, 1}, {N + 1, 0},
                                        {INT64_MAX, 1}, {1, INT64_MAX}, {0, -1}};
    int64_t x[N] = {0};
    df_records *r;
    df_folder *folder = make_folder();
    assert_int_equal(df_records_open(&r, folder, name, sizeof *x, N, NULL), DF_OK);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        df_error err = {""};
        assert_int_equal(df_records_read(r, ranges[i][0], ranges[i][1], x, &err), DF_FORMAT);
        assert_int_equal(df_records_write(r, ranges[i][0], ranges[i][1], x, &err), DF_FORMAT);
        assert_true(err.message[0] != '\0');
    }
    assert_int_equal(df_records_read(r, 0, N, x, NULL), DF_OK);
    assert_int_equal(df_records_read(r, N, 0, x, NULL), DF_OK);
    df_records_close(r);
    unlink(path);
    df_folder_close(folder);
}

static bool is_fresh(int64_t n)
{
    df_records *r;
    df_folder *folder = make_folder();
    assert_int_equal(df_records_open(&r, folder, name, sizeof(int64_t), n, NULL), DF_OK);
    const bool fresh = df_records_fresh(r);
    df_records_close(r);
    df_folder_close(folder);
    return fresh;
}

static void what_was_there_is_told(void **state)
{
    (void)state;
    assert_true(is_fresh(N));
    assert_false(is_fresh(N));
    assert_int_equal(truncate(path, N * 8 - 1), 0);
    assert_true(is_fresh(N));
    assert_true(is_fresh(N + 1));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_is_an_error),
        cmocka_unit_test(what_was_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
