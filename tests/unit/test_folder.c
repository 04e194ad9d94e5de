/* A folder of ours: what is listed is ours, what is not stays, whoever writes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"

enum { THREADS = 8, EACH = 50 };
#define F "folder.test"

static int fresh(void **state)
{
    (void)state;
    return system("rm -rf " F " " F ".else") == 0 ? 0 : -1;
}

static df_folder *make(void)
{
    df_folder *f;
    df_error err = {""};
    if (df_folder_create(&f, F, "dataset", &err) != DF_OK)
        fail_msg("%s", err.message);
    return f;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect(const char *path, const char *text)
{
    char *bytes;
    size_t size;
    assert_int_equal(df_file_read(path, 1 << 20, &bytes, &size, NULL), DF_OK);
    assert_string_equal(bytes, text);
    free(bytes);
}

static df_status keep(df_folder *f, const char *name, const char *text)
{
    return df_folder_write(f, name, text, strlen(text), NULL);
}

static void *write_many(void *folder)
{
    static _Atomic int next;
    char name[64];
    const int me = next++;
    for (int i = 0; i < EACH; i++) {
        snprintf(name, sizeof name, "t%d/part-%05d", me, i);
        if (keep(folder, name, name) != DF_OK)
            return folder;
    }
    return NULL;
}

static void many_write_at_once(void **state)
{
    (void)state;
    df_folder *folders[2] = {make(), make()};        /* as two processes have it */
    pthread_t threads[THREADS];
    const char **names;
    size_t n;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, folders[i % 2]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(df_folder_list(folders[i], "t", &names, &n, NULL), DF_OK);
        assert_int_equal(n, THREADS * EACH);
        for (size_t k = 1; k < n; k++)
            assert_true(strcmp(names[k - 1], names[k]) < 0);
        free(names);
    }
    df_folder_close(folders[0]);
    assert_int_equal(df_folder_tidy(folders[1], NULL), DF_OK);
    df_folder_close(folders[1]);
    assert_false(df_file_exists(F "/dataset.tmp"));
}

static void what_another_process_made_is_ours(void **state)
{
    (void)state;
    df_folder *a = make(), *b = make();
    assert_int_equal(keep(a, "x", "of a"), DF_OK);
    assert_int_equal(keep(b, "x", "of b"), DF_OK);
    expect(F "/x", "of b");
    assert_int_equal(df_folder_remove(a, "x", NULL), DF_OK);
    put(F "/x", "mine");
    assert_int_equal(keep(a, "x", "of a"), DF_CONFIG);
    expect(F "/x", "mine");
    df_folder_close(a);
    df_folder_close(b);
}

static bool all(const char *name, const void *ctx)
{
    (void)name;
    (void)ctx;
    return true;
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    df_folder *f = make();
    df_error err = {""};
    assert_int_equal(keep(f, "s/ours", "1"), DF_OK);
    assert_int_equal(keep(f, "s/deep/ours", "2"), DF_OK);
    put(F "/s/mine", "mine");
    assert_int_equal(symlink("mine", F "/s/link"), 0);
    assert_int_equal(df_folder_remove(f, "s/mine", NULL), DF_OK);
    assert_int_equal(df_folder_remove_chosen(f, "s", all, NULL, NULL), DF_OK);
    assert_false(df_file_exists(F "/s/ours"));
    assert_true(df_file_exists(F "/s/deep/ours"));
    expect(F "/s/mine", "mine");
    int fd;
    assert_int_equal(df_folder_open_file(f, "s/link", 0, &fd, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "link"));
    assert_int_equal(system("mkdir " F ".else && rm -rf " F "/s && ln -s ../" F ".else " F "/s"),
                     0);
    assert_int_equal(keep(f, "s/ours", "1"), DF_CONFIG);
    assert_int_equal(df_folder_remove(f, "s/deep/ours", NULL), DF_CONFIG);
    assert_int_equal(system("rmdir " F ".else"), 0);          /* empty still */
    df_folder_close(f);
}

static void a_damaged_list_claims_nothing_more(void **state)
{
    (void)state;
    df_folder *f = make();
    assert_int_equal(keep(f, "a", "1"), DF_OK);
    df_folder_close(f);
    FILE *list = fopen(F "/dataset.files", "ab");
    fputs("+ ../outside\n- \n+\n\nrubbish\n+ torn", list);
    fclose(list);
    put(F "/torn", "mine");
    f = make();
    assert_int_equal(keep(f, "torn", "1"), DF_CONFIG);
    assert_int_equal(keep(f, "b", "2"), DF_OK);
    assert_int_equal(keep(f, "torn", "1"), DF_CONFIG);
    assert_int_equal(df_folder_tidy(f, NULL), DF_OK);
    df_folder_close(f);
    char *text;
    size_t size;
    assert_int_equal(df_file_read(F "/dataset.files", 4096, &text, &size, NULL), DF_OK);
    assert_non_null(strstr(text, "\n+ a\n+ b\n"));
    assert_null(strstr(text, "torn"));
    free(text);

    list = fopen(F "/dataset.files", "ab");
    for (int i = 0; i < 3 << 20; i++)
        fputc('+', list);
    fclose(list);
    f = make();
    assert_int_equal(keep(f, "c", "3"), DF_FORMAT);
    df_folder_close(f);
}

static void living_processes_keep_their_working_folders(void **state)
{
    (void)state;
    df_folder *a = make(), *b = make();
    df_draft draft;
    assert_int_equal(df_folder_draft(a, "x", &draft, NULL), DF_OK);
    put(draft.path, "half");
    assert_int_equal(
        system("mkdir " F "/dataset.tmp/0123456789ab && touch " F "/dataset.tmp/0123456789ab/1"),
        0);
    assert_int_equal(keep(b, "y", "whole"), DF_OK);
    assert_false(df_file_exists(F "/dataset.tmp/0123456789ab"));
    expect(draft.path, "half");
    assert_int_equal(df_draft_commit(&draft, NULL), DF_OK);
    expect(F "/x", "half");
    df_draft_drop(&draft);
    expect(F "/x", "half");
    df_folder_close(a);
    df_folder_close(b);
    assert_false(df_file_exists(F "/dataset.tmp"));
}

static void a_draft_without_a_file_is_an_error(void **state)
{
    (void)state;
    df_folder *f = make();
    df_draft draft;
    assert_int_equal(df_folder_draft(f, "x", &draft, NULL), DF_OK);
    assert_int_equal(df_draft_commit(&draft, NULL), DF_IO);
    assert_false(df_file_exists(F "/x"));
    df_folder_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(many_write_at_once, fresh),
        cmocka_unit_test_setup(what_another_process_made_is_ours, fresh),
        cmocka_unit_test_setup(what_is_not_ours_stays, fresh),
        cmocka_unit_test_setup(a_damaged_list_claims_nothing_more, fresh),
        cmocka_unit_test_setup(living_processes_keep_their_working_folders, fresh),
        cmocka_unit_test_setup(a_draft_without_a_file_is_an_error, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
