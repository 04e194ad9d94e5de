/* Journals: what was appended is there after a kill, a full disk and a power cut. The linker puts
 * our fdatasync, write, pread and clock in the place of the system's (cmake/tests.cmake). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "dataset/journal.h"

static int n_syncs;
static bool sync_fails, read_fails;
static ssize_t room = -1; /* bytes that still fit on the disk; -1: any number */
static time_t clock_s = 1000;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at);
int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_fdatasync(int fd)
{
    n_syncs++;
    errno = EIO;
    return sync_fails ? -1 : __real_fdatasync(fd);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    if (room < 0)
        return __real_write(fd, bytes, size);
    const size_t fits = size < (size_t)room ? size : (size_t)room;
    errno = ENOSPC;
    if (fits == 0)
        return -1;
    room -= (ssize_t)fits;
    return __real_write(fd, bytes, fits);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at)
{
    errno = EIO;
    return read_fails ? -1 : __real_pread(fd, bytes, size, at);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    const int result = __real_clock_gettime(id, now);
    if (id == CLOCK_MONOTONIC)
        *now = (struct timespec){.tv_sec = clock_s};
    return result;
}

static const char name[] = "part-00000.journal", path[] = "journal.test/part-00000.journal";
/* it has claimed the name: what it syncs and reads for that is not counted */
static df_folder *folder;

static df_journal *open_it(void)
{
    df_journal *j = NULL;
    df_error err = {""};
    if (df_journal_open(&j, folder, name, &err) != DF_OK)
        fail_msg("%s", err.message);
    return j;
}

static int fresh(void **state)
{
    (void)state;
    int fd;
    sync_fails = read_fails = false;
    room = -1;
    if (system("rm -rf journal.test") != 0 ||
        df_folder_create(&folder, "journal.test", "dataset", NULL) != DF_OK ||
        df_folder_open_file(folder, name, O_RDWR | O_CREAT, &fd, NULL) != DF_OK)
        return -1;
    close(fd);
    n_syncs = 0;
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    df_folder_close(folder);
    return 0;
}

static void test_lines_reach_the_disk(void **state)
{
    (void)state;
    df_journal *j = open_it();
    assert_int_equal(df_journal_append(j, "one", NULL), DF_OK);
    assert_int_equal(n_syncs, 0); /* not each for itself */
    clock_s++;
    assert_int_equal(df_journal_append(j, "two", NULL), DF_OK);
    assert_int_equal(n_syncs, 1);
    assert_int_equal(df_journal_append(j, "three", NULL), DF_OK);
    df_journal_close(j);
    assert_int_equal(n_syncs, 2);
    j = open_it();
    assert_int_equal(df_journal_lines(j), 3);
    df_journal_close(j);
    assert_int_equal(n_syncs, 2); /* nothing was appended */
}

static void test_many_lines_a_second(void **state)
{
    (void)state;
    df_journal *j = open_it();
    for (int i = 0; i < 200; i++)
        assert_int_equal(df_journal_append(j, "line", NULL), DF_OK);
    assert_in_range(n_syncs, 2, 20);
    df_journal_close(j);
}

static void test_a_disk_that_fails_is_told(void **state)
{
    (void)state;
    df_error err = {""};
    df_journal *j = open_it();
    sync_fails = true;
    clock_s++;
    assert_int_equal(df_journal_append(j, "one", &err), DF_IO);
    assert_non_null(strstr(err.message, "part-00000.journal"));
    assert_int_equal(df_journal_sync(j, &err), DF_IO);
    sync_fails = false;
    assert_int_equal(df_journal_sync(j, &err), DF_OK);
    df_journal_close(j);
}

static void test_a_full_disk_spoils_no_other_line(void **state)
{
    (void)state;
    df_error err = {""};
    df_journal *j = open_it();
    assert_int_equal(df_journal_append(j, "{\"key\":\"one\"}", NULL), DF_OK);
    room = 7;
    assert_int_equal(df_journal_append(j, "{\"key\":\"two\"}", &err), DF_IO);
    assert_int_equal(df_journal_append(j, "{\"key\":\"still full\"}", &err), DF_IO);
    room = -1;
    assert_int_equal(df_journal_append(j, "{\"key\":\"three\"}", NULL), DF_OK);
    df_journal_close(j);
    j = open_it();
    assert_string_equal(df_journal_line(j, 0), "{\"key\":\"one\"}");
    assert_string_equal(df_journal_line(j, df_journal_lines(j) - 1), "{\"key\":\"three\"}");
    df_journal_close(j);
}

static void test_a_torn_last_line_is_cut(void **state)
{
    (void)state;
    static const char torn[] = "one\ntwo\nthr";
    df_error err = {""};
    char *text;
    size_t size;
    assert_int_equal(df_file_write(path, torn, sizeof torn - 1, NULL), DF_OK);
    /* then nothing is known of it, and nothing may be cut */
    read_fails = true;
    df_journal *j = NULL;
    assert_int_equal(df_journal_open(&j, folder, name, &err), DF_IO);
    assert_null(j);
    read_fails = false;
    j = open_it();
    assert_int_equal(df_journal_lines(j), 2);
    assert_int_equal(df_journal_append(j, "four", NULL), DF_OK);
    df_journal_close(j);
    assert_int_equal(df_file_read(path, 100, &text, &size, NULL), DF_OK);
    assert_string_equal(text, "one\ntwo\nfour\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_reach_the_disk, fresh, close_folder),
        cmocka_unit_test_setup_teardown(test_many_lines_a_second, fresh, close_folder),
        cmocka_unit_test_setup_teardown(test_a_disk_that_fails_is_told, fresh, close_folder),
        cmocka_unit_test_setup_teardown(test_a_full_disk_spoils_no_other_line, fresh, close_folder),
        cmocka_unit_test_setup_teardown(test_a_torn_last_line_is_cut, fresh, close_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
