/* Foreign JSON is read or refused with one line; foreign text comes back from what is written, and
 * can't leave a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"

static df_json *parse(const char *text)
{
    df_json *root = NULL;
    df_error err;
    if (df_json_parse(&root, text, strlen(text), "test", &err) == DF_OK)
        return root;
    assert_non_null(strstr(err.message, "test"));
    assert_null(strchr(err.message, '\n'));
    return NULL;
}

static void reads_values(void **state)
{
    (void)state;
    df_json *root = parse("{\"a\": [1, 2.5, 123456789012345678901234567890], \"t\": \"\\u00e9\", "
                          "\"b\": true, \"n\": null}");
    assert_non_null(root);
    const df_json *a = df_json_member(root, "a");
    assert_int_equal(df_json_count(a), 3);
    assert_int_equal(df_json_int(df_json_item(a, 0), -1), 1);
    assert_int_equal(df_json_int(df_json_item(a, 1), -1), -1);
    assert_int_equal(df_json_int(df_json_item(a, 2), -1), -1);
    assert_true(df_json_real(df_json_item(a, 1), 0) == 2.5);
    assert_null(df_json_item(a, 3));
    assert_string_equal(df_json_text(df_json_member(root, "t")), "\xC3\xA9");
    assert_true(df_json_bool(df_json_member(root, "b"), false));
    assert_int_equal(df_json_kind(df_json_member(root, "n")), DF_JSON_NULL);
    assert_null(df_json_text(df_json_member(df_json_member(root, "none"), "deeper")));
    void *iter = NULL;
    const char *key, *keys[] = {"a", "t", "b", "n"};
    for (int i = 0; i < 4; i++) {
        assert_non_null(df_json_next(root, &iter, &key));
        assert_string_equal(key, keys[i]);
    }
    assert_null(df_json_next(root, &iter, &key));
    df_json_close(root);
}

static void refuses_garbage(void **state)
{
    (void)state;
    const char *const bad[] = {"",       "{",       "[1,]",       "\"\xFF\"", "nul", "{\"a\": 1} x",
                               "<html>", "[1e999]", "\"\\ud800\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(parse(bad[i]));
    char *deep = malloc(200001);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    assert_null(parse(deep));
    free(deep);
}

static void text_comes_back(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "plain",
                                 "a \"quote\" \\ back",
                                 "line\nbreak\ttab\x01",
                                 "</script><script>",
                                 "<!-- <SCRIPT",
                                 "\xE2\x80\xA8\xE2\x80\xA9",
                                 "\xF0\x9F\x8D\x8E <image>",
                                 "ends with <"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        df_str s = {0};
        df_json_append_text(&s, texts[i]);
        df_json *back = parse(df_str_text(&s));
        assert_non_null(back);
        assert_string_equal(df_json_text(back), texts[i]);
        assert_null(strstr(df_str_text(&s), "</"));
        assert_null(strstr(df_str_text(&s), "<!"));
        assert_null(strstr(df_str_text(&s), "\xE2\x80\xA8"));
        assert_null(strchr(df_str_text(&s), '\n'));
        df_json_close(back);
        df_str_free(&s);
    }
    df_str s = {0};
    df_json_append_text(&s, "cut \xE2\x82");
    assert_string_equal(df_str_text(&s), "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\"");
    df_str_free(&s);
}

static void numbers_come_back(void **state)
{
    (void)state;
    const double values[] = {0, 1, -3, 0.1, 1.0 / 3, 1e300, 5e-324, 9007199254740991.0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        df_str s = {0};
        df_json_append_real(&s, values[i]);
        assert_true(strtod(df_str_text(&s), NULL) == values[i]);
        df_str_free(&s);
    }
    df_str s = {0};
    df_json_append_real(&s, 0.1);
    df_json_append_real(&s, strtod("nan", NULL));
    assert_string_equal(df_str_text(&s), "0.1null");
    df_str_free(&s);
}

static void trees_are_written(void **state)
{
    (void)state;
    df_json *root = parse("{\"b\": [1, {\"c\": \"<image>\"}], \"a\": {}}");
    assert_true(df_json_set(df_json_edit(root, "a"), "x", df_json_new_text("y")));
    assert_false(df_json_set(root, "bad", df_json_new_text("\xFF")));
    assert_true(df_json_set(root, "z", df_json_new_text("gone")));
    assert_true(df_json_remove(root, "z"));
    assert_false(df_json_remove(root, "z"));
    df_str s = {0};
    df_json_append(&s, root);
    assert_string_equal(df_str_text(&s),
                        "{\"b\": [1, {\"c\": \"<image>\"}], \"a\": {\"x\": \"y\"}}");
    df_str_free(&s);
    char *pretty = df_json_pretty(root);
    assert_non_null(strstr(pretty, "\"a\": {"));
    assert_non_null(strstr(pretty, "1,"));
    assert_null(strstr(pretty, "1.0"));
    free(pretty);
    df_json_close(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values), cmocka_unit_test(refuses_garbage),
        cmocka_unit_test(text_comes_back), cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(trees_are_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
