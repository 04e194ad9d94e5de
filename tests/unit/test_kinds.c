/* Which labels mean the same, and what is a kind of what, with and without WordNet's list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "language/kinds.h"
#include "base/file.h"

static const char lexicon[] = "# a comment\n"
                              "- *physical entity\n"
                              "0 *animal|*creature|brute\n"
                              "1 *dog|*domestic dog\n"
                              "2 *retriever\n"
                              "3 *golden retriever\n"
                              "0 *device\n"
                              "5 mouse|*computer mouse\n"
                              "1 *mouse\n"
                              "0 *sofa|*couch\n"
                              "0 *ottoman|*pouf\n";

static df_kinds *kinds_of(const char *text)
{
    df_kinds *k;
    assert_int_equal(df_file_write("kinds.test.txt", text, strlen(text), NULL), DF_OK);
    assert_int_equal(df_kinds_open(&k, "kinds.test.txt", NULL), DF_OK);
    return k;
}

static bool same(const df_kinds *k, const char *a, const char *b)
{
    const df_kind x = df_kinds_find(k, a), y = df_kinds_find(k, b);
    assert_true(df_kind_same(&x, &y) == df_kind_same(&y, &x));
    return df_kind_same(&x, &y);
}

static bool is(const df_kinds *k, const char *child, const char *parent)
{
    const df_kind x = df_kinds_find(k, child), y = df_kinds_find(k, parent);
    return df_kind_is(k, &x, &y);
}

static void words_for_one_thing(void **state)
{
    (void)state;
    df_kinds *k = kinds_of(lexicon);
    assert_true(same(k, "sofa", "Couch") && same(k, "pouf", "ottoman"));
    assert_true(same(k, "wine_glass", "wine glasses") && same(k, "Tabby, tabby cat", "tabby"));
    assert_true(same(k, "unheard-of thing", "unheard-of thing"));
    assert_false(same(k, "dog", "mouse") || same(k, "mouse", "computer mouse") ||
                 same(k, "", "dog"));
    df_kinds_close(k);
}

static void kinds_of_things(void **state)
{
    (void)state;
    df_kinds *k = kinds_of(lexicon);
    assert_true(is(k, "golden retriever", "dog") && is(k, "golden retrievers", "retriever") &&
                is(k, "dog", "dog"));
    assert_false(is(k, "dog", "golden retriever") || is(k, "golden retriever", "cat"));
    /* the word above it, though a mouse is first an animal */
    assert_true(is(k, "computer mouse", "mouse"));
    assert_true(is(k, "pup retriever", "dog"));          /* by its last word */
    assert_false(is(k, "dog", "spotted dog"));
    df_kinds_close(k);
}

static void the_small_table_is_always_there(void **state)
{
    (void)state;
    df_kinds *k;
    assert_int_equal(df_kinds_open(&k, "no/such/file", NULL), DF_OK);
    assert_true(is(k, "tabby", "cat") && same(k, "automobile", "car"));
    assert_false(same(k, "pouf", "ottoman"));
    df_kinds_close(k);
}

static void the_small_table_is_right_when_both_know(void **state)
{
    (void)state;
    df_kinds *k = kinds_of("- *person|*human\n0 *exhibitionist\n1 *hot dog|*show-off\n");
    /* WordNet's only hot dog is a person who shows off */
    assert_false(is(k, "hot dog", "person"));
    assert_true(is(k, "show-off", "person"));
    df_kinds_close(k);
}

static void a_broken_list_names_its_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"- *a\n7 *b\n", "- *a\nx *b\n", "- *a\n0\n", "- *a\n0 \n",
                                        "-\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        df_kinds *k = NULL;
        df_error err = {""};
        assert_int_equal(df_file_write("kinds.test.txt", texts[i], strlen(texts[i]), NULL), DF_OK);
        assert_int_equal(df_kinds_open(&k, "kinds.test.txt", &err), DF_FORMAT);
        assert_non_null(strstr(err.message, i == 4 ? "kinds.test.txt:1:" : "kinds.test.txt:2:"));
        assert_null(k);
    }
    df_kinds *k;
    assert_int_equal(df_file_write("kinds.test.txt", "0 *itself\n", 10, NULL), DF_OK);
    assert_int_equal(df_kinds_open(&k, "kinds.test.txt", NULL), DF_OK);
    assert_false(is(k, "itself", "other"));              /* a circle ends */
    df_kinds_close(k);
    remove("kinds.test.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_for_one_thing),
        cmocka_unit_test(kinds_of_things),
        cmocka_unit_test(the_small_table_is_always_there),
        cmocka_unit_test(the_small_table_is_right_when_both_know),
        cmocka_unit_test(a_broken_list_names_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
