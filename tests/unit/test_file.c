/* Whether a file is there, and what is said when all its bytes can't be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static void make_files(void)
{
    assert_int_equal(system("rm -rf file.test && mkdir file.test && echo x > file.test/file && ln "
                            "-s loop file.test/loop && "
                            "ln -s nowhere file.test/dangling"),
                     0);
}

static bool found(const char *path)
{
    bool there;
    df_error err = {""};
    if (df_file_find(path, &there, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_file_exists(path), there);
    return there;
}

static void test_find(void **state)
{
    (void)state;
    make_files();
    assert_true(found("file.test/file"));
    assert_true(found("file.test"));
    assert_false(found("file.test/none"));
    assert_false(found("file.test/none/below"));
    assert_false(found("file.test/file/below"));
    assert_false(found("file.test/dangling"));
}

/* Nothing can be read through a loop of links: that is no proof that nothing was written there. */
static void test_a_look_that_fails_is_no_answer(void **state)
{
    (void)state;
    bool there;
    df_error err = {""};
    make_files();
    assert_int_equal(df_file_find("file.test/loop", &there, &err), DF_IO);
    assert_string_equal(err.message, "open file.test/loop: Too many levels of symbolic links");
}

static void test_put(void **state)
{
    (void)state;
    char *bytes = calloc(1, 1 << 20), *back = NULL;
    size_t size = 0;
    make_files();
    assert_non_null(bytes);
    memset(bytes, 'y', 1 << 20);
    int fd = open("file.test/file", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(df_file_put(fd, bytes, 0), 0);
    assert_int_equal(df_file_put(fd, bytes, 1 << 20), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(df_file_read("file.test/file", 2 << 20, &back, &size, NULL), DF_OK);
    assert_int_equal(size, 2 + (1 << 20));
    assert_memory_equal(back, "x\n", 2);
    assert_memory_equal(back + 2, bytes, 1 << 20);
    free(back);
    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(df_file_put(fd, bytes, 1 << 20), ENOSPC);
    assert_int_equal(close(fd), 0);
    assert_int_equal(df_file_put(fd, bytes, 1), EBADF);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_a_look_that_fails_is_no_answer),
        cmocka_unit_test(test_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
