/* How lines meet: spaces by script, hyphens, bounds; broken UTF-8 breaks nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "evidence/paragraph.h"

static void how_lines_meet(void **state)
{
    (void)state;
    static const struct {
        const char *line, *next;
        df_join how;
    } cases[] = {
        {"two", "words", DF_JOIN_SPACE},
        {"", "", DF_JOIN_SPACE},
        {"infor-", "mation", DF_JOIN_WORD},
        /* Cyrillic */
        {"\xD0\xB8\xD0\xBD\xD1\x84\xD0\xBE-", "\xD1\x80\xD0\xBC", DF_JOIN_WORD},
        {"S\xC3\xBC\xC3\x9F-", "\xC3\xA4pfel", DF_JOIN_WORD},
        {"soft\xC2\xAD", "ware", DF_JOIN_WORD},
        {"Jean-", "Paul", DF_JOIN_CLOSE},
        {"2019-", "2021", DF_JOIN_CLOSE},
        {"e-", "mail", DF_JOIN_CLOSE},
        {"a dash -", "here", DF_JOIN_SPACE},
        {"-", "x", DF_JOIN_SPACE},
        {"DISCO-", "VERY", DF_JOIN_CLOSE},
        {"\xE4\xB8\xAD", "\xE6\x96\x87", DF_JOIN_CLOSE},
        {"\xE4\xB8\xAD", "text", DF_JOIN_SPACE},
        /* Thai */
        {"\xE0\xB8\xAA\xE0\xB8\xA7", "\xE0\xB8\xB1\xE0\xB8\xAA", DF_JOIN_CLOSE},
        /* Korean has spaces */
        {"\xED\x95\x9C\xEA\xB5\xAD", "\xEC\x96\xB4", DF_JOIN_SPACE},
        {"\xFF", "\xFF", DF_JOIN_SPACE},
        {"\x80\x80\x80\x80\x80", "a", DF_JOIN_SPACE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (df_lines_join(cases[i].line, cases[i].next) != cases[i].how)
            fail_msg("\"%s\" + \"%s\": %d", cases[i].line, cases[i].next,
                     (int)df_lines_join(cases[i].line, cases[i].next));
}

static void expect(const df_line *lines, int n, size_t max, const char *want)
{
    df_str s = {0};
    df_paragraph_append(lines, n, max, &s);
    assert_string_equal(df_str_text(&s), want);
    df_str_free(&s);
}

static void one_text(void **state)
{
    (void)state;
    const df_line lines[] = {{.text = "More infor-", .item = 4},
                             {.text = "mation is", .item = 5},
                             {.text = "inside.", .item = 7},
                             {.text = "Next", .paragraph = 1}};
    expect(lines, 3, 1000, "More information is inside.");
    expect(lines, 3, 13, "More informat");
    expect(lines, 3, 0, "");
    assert_int_equal(df_paragraph_end(lines, 4, 0), 3);
    assert_int_equal(df_paragraph_end(lines, 4, 3), 4);
    /* the line between was dropped */
    const df_line apart[] = {{.text = "infor-", .item = 4}, {.text = "weather", .item = 6}};
    expect(apart, 2, 1000, "infor- weather");
    const df_line han[] = {{.text = "\xE4\xB8\xAD"}, {.text = "\xE6\x96\x87"}};
    expect(han, 2, 1000, "\xE4\xB8\xAD\xE6\x96\x87");
    expect(han, 2, 5, "\xE4\xB8\xAD");       /* cut at a character */
}

static void hints(void **state)
{
    (void)state;
    assert_true(df_ends_sentence("the end.") && df_ends_sentence("he said \"no!\"") &&
                df_ends_sentence("\xE5\xAE\x8C\xE3\x80\x82"));
    assert_false(df_ends_sentence("and") || df_ends_sentence("") || df_ends_sentence("\"") ||
                 df_ends_sentence("5,"));
    assert_true(df_begins_item("\xE2\x80\xA2 apples") && df_begins_item("1. wash") &&
                df_begins_item("a) peel") && df_begins_item("12) cook"));
    assert_false(df_begins_item("12.50 each") || df_begins_item("1.") || df_begins_item("") ||
                 df_begins_item("well-known") || df_begins_item("2019) was") ||
                 df_begins_item("-5 degrees"));
    assert_true(df_same_script("EXIT", "12") && df_same_script("a", "b") &&
                df_same_script("", "\xE4\xB8\xAD"));
    assert_false(df_same_script("EXIT", "\xE5\x87\xBA\xE5\x8F\xA3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(how_lines_meet), cmocka_unit_test(one_text),
                                       cmocka_unit_test(hints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
