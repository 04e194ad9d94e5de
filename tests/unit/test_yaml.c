#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io/yaml.h"

static char path[64];

static df_status read_bytes(const char *text, size_t size, df_arena *arena, df_yaml_entry **entries,
                            int *n, df_error *err)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(text, 1, size, f);
    fclose(f);
    return df_yaml_read(path, arena, entries, n, err);
}

static void assert_reads(const char *text, const char *const *expected, const int *lines,
                         int n_expected)
{
    df_arena arena = {0};
    df_yaml_entry *entries = NULL;
    int n = -1;
    df_error err = {""};
    if (read_bytes(text, strlen(text), &arena, &entries, &n, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(n, n_expected);
    for (int i = 0; i < n; i++) {
        assert_string_equal(entries[i].key, expected[2 * i]);
        assert_string_equal(entries[i].value, expected[2 * i + 1]);
        if (lines)
            assert_int_equal(entries[i].line, lines[i]);
    }
    df_arena_reset(&arena);
}

static void test_sections_lists_and_quotes(void **state)
{
    (void)state;
    static const char *const want[] = {
        "cluster.k", "4096",  "mean.0", "1.5", "mean.1", "2", "ask.text",      "two\nlines\n",
        "quoted",    "a: #b", "empty",  "",    "none",   "",  "deep.list.0.x", "1"};
    static const int lines[] = {3, 4, 4, 6, 9, 10, 11, 14};
    assert_reads(
        "# a comment\ncluster:\n  k: 4096\nmean: [1.5, 2]\nask:\n  text: |\n    two\n    lines\n"
        "quoted: 'a: #b'\nempty:\nnone: ~\ndeep:\n  list:\n    - x: 1\n",
        want, lines, 8);
    assert_reads("", NULL, NULL, 0);
    assert_reads("# nothing\n", NULL, NULL, 0);
    assert_reads("a: {}\n", NULL, NULL, 0);
}

static void assert_refused(const char *text, size_t size, const char *expected)
{
    df_arena arena = {0};
    df_yaml_entry *entries = NULL;
    int n = -1;
    df_error err = {""};
    assert_int_not_equal(read_bytes(text, size, &arena, &entries, &n, &err), DF_OK);
    if (!strstr(err.message, expected))
        fail_msg("\"%s\" lacks \"%s\"", err.message, expected);
    assert_non_null(strstr(err.message, path));
    assert_null(entries);                    /* outputs are untouched on failure */
    assert_int_equal(n, -1);
    df_arena_reset(&arena);
}

static void test_mistakes_name_their_line(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: 1\nb: 2\na: 3\n", ":3: a was set before, in line 1"},
        {"a:\n  b: 1\na.b: 2\n", ":3: a.b was set before"},
        {"a: 1\n  b: 2\n", ":2:"},
        {"a: [1, 2\n", ":2:"},
        {"- a\n- b\n", "a list where"},
        {"just text\n", "text where"},
        {"a: &x 1\nb: *x\n", "anchors and tags"},
        {"a: !!int 1\n", "anchors and tags"},
        {"a: 1\n---\nb: 2\n", "second document"},
        {"? [a, b]\n: 1\n", "a key must be plain text"},
        {"'': 1\n", "without a name"},
        {"a: [[[[[[[[[[1]]]]]]]]]]\n", "8 levels"},
        {"a: \"\\0\"\n", "zero byte"},
        {"a: \xff\xfe\n", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i][0], strlen(cases[i][0]), cases[i][1]);
}

static void test_bombs_are_bounded(void **state)
{
    (void)state;
    size_t size = (size_t)2 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    assert_refused(text, size, "larger than the limit");
    size_t at = 0;
    for (int i = 0; i < 10001; i++)
        at += (size_t)snprintf(text + at, size - at, "k%d: 1\n", i);
    assert_refused(text, at, "10,000 values");
    /* a long key times many items would be a large arena */
    memset(text, 'k', 1000);
    memcpy(text + 1000, ": [1]\n", 6);
    assert_refused(text, 1006, "longer than 256");
    free(text);
}

/* Any cut of a good file and any single changed byte: an answer or an error, never a crash (run
 * under ASan). */
static void test_damage_is_survived(void **state)
{
    (void)state;
    const char good[] = "a: {b: [1, 'x']}\nc: |\n  text\nd: \"\\u00e9\"\n";
    for (size_t i = 0; i < sizeof good; i++) {
        char bad[sizeof good];
        df_arena arena = {0};
        df_yaml_entry *entries;
        int n;
        memcpy(bad, good, sizeof good);
        (void)read_bytes(bad, i, &arena, &entries, &n, NULL);
        for (int c = 0; i < sizeof good - 1 && c < 256; c += 3) {
            bad[i] = (char)c;
            (void)read_bytes(bad, sizeof good - 1, &arena, &entries, &n, NULL);
        }
        df_arena_reset(&arena);
    }
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/df-yaml-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_lists_and_quotes),
        cmocka_unit_test(test_mistakes_name_their_line),
        cmocka_unit_test(test_bombs_are_bounded),
        cmocka_unit_test(test_damage_is_survived),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
