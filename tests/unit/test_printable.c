/* Words of others in a line of a terminal: base/str.c, the messages of base/status.c and stage.c,
 * and cli/put.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "stage/stage.h"

#include "cli/put.c"

static const struct {
    const char *name, *text, *shown;
} cases[] = {
    {"plain", "a dog, caf\xC3\xA9, \xE7\x8A\xAC, \xF0\x9F\x90\x95 \\n",
     "a dog, caf\xC3\xA9, \xE7\x8A\xAC, \xF0\x9F\x90\x95 \\n"},
    {"lines", "one\ntwo\tthree\r", "one\\ntwo\\tthree\\x0d"},
    {"escape", "\x1B[2J\x07\x7F", "\\x1b[2J\\x07\\x7f"},
    {"C1",
     "\xC2\x9B"
     "31m\xC2\x80\xC2\x9F\xC2\xA0",
     "\\u009b31m\\u0080\\u009f\xC2\xA0"},
    {"direction", "\xE2\x80\xAAx\xE2\x80\xAE\xE2\x81\xA6\xE2\x81\xA9\xE2\x80\x8F",
     "\\u202ax\\u202e\\u2066\\u2069\\u200f"},
    {"separators", "\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF", "\\u2028\\u2029\\ufeff"},
    {"no UTF-8", "\x9B\xC3(\xE2\x82\xED\xA0\x80\xFF", "\\x9b\\xc3(\\xe2\\x82\\xed\\xa0\\x80\\xff"},
};

static void what_commands_a_terminal_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[200];
        const size_t n = strlen(cases[i].text);
        assert_int_equal(df_printable(cases[i].text, n, out, sizeof out), n);
        assert_string_equal(out, cases[i].shown);
        assert_int_equal(df_str_is_printable(cases[i].text, n),
                         strcmp(cases[i].text, cases[i].shown) == 0);
        assert_true(df_str_is_printable(out, strlen(out)));
    }
}

/* Whatever room there is: whole characters, whole escapes, a NUL, and it says how far it came. */
static void it_is_cut_behind_a_character(void **state)
{
    static const char text[] = "\x1B\xE7\x8A\xAC"
                               "a\xE2\x80\xAE";
    static const size_t ends[] = {0, 1, 4, 5, 8}, shown[] = {0, 4, 7, 8, 14};
    (void)state;
    for (size_t size = 1; size < 20; size++) {
        char out[20];
        size_t fits = 0;
        while (fits < 4 && shown[fits + 1] < size)
            fits++;
        assert_int_equal(df_printable(text, sizeof text - 1, out, size), ends[fits]);
        assert_int_equal(strlen(out), shown[fits]);
    }
}

static void message_is_one_line(void **state)
{
    df_error err = {""};
    char wide[600];
    (void)state;
    assert_int_equal(df_fail(&err, DF_IO, "open %s: %s", "a\x1B[2Jb\nc", "\xC2\x9Bno"), DF_IO);
    assert_string_equal(err.message, "open a\\x1b[2Jb\\nc: \\u009bno");
    /* what it holds already may be told again */
    df_fail(&err, DF_IO, "embed: %s", err.message);
    assert_string_equal(err.message, "embed: open a\\x1b[2Jb\\nc: \\u009bno");
    for (size_t i = 0; i < sizeof wide; i++)
        wide[i] = "\xE7\x8A\xAC"[i % 3];
    wide[sizeof wide - 1] = '\0';
    df_fail(&err, DF_IO, "%s", wide);
    /* 170 characters of three bytes */
    assert_int_equal(strlen(err.message), 510);
    assert_true(df_str_is_printable(err.message, 510));
    assert_int_equal(df_fail(NULL, DF_IO, "\x1B"), DF_IO);
}

static void keep_note(void *ctx, const char *line)
{
    snprintf(ctx, 100, "%s", line);
}

static void note_is_one_line(void **state)
{
    char said[100] = "";
    const df_run run = {.note = keep_note, .ctx = said};
    (void)state;
    df_run_note(&run, "shard.tar/%s: %s", "\xE2\x80\xAEgpj.x\x1B", "broken");
    assert_string_equal(said, "shard.tar/\\u202egpj.x\\x1b: broken");
}

/* What `print` writes to stdout. */
static void stdout_of(void (*print)(void), char *out, size_t size)
{
    FILE *file = tmpfile();
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    print();
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void print_lines(void)
{
    static char path[6000];
    memset(path, 'x', sizeof path - 1);
    path[5000] = '\x1B';
    put_line(stdout, "%s|", path);
    put_words(stdout, "%-4s", "\t");
    put_line(stdout, "%s", "");
}

static void print_document(void)
{
    df_error err = {""};
    df_str json = {0}, failed = {.failed = true};
    df_str_append(&json, "{\"a\":\n \"\xC2\x9B\xE2\x80\xAE\xE7\x8A\xAC\xC3\"}");
    assert_int_equal(put_json(&json, &err), DF_OK);
    assert_null(json.data);
    assert_int_equal(put_json(&failed, &err), DF_NOMEM);
    assert_non_null(strstr(err.message, "out of memory"));
}

static void lines_of_any_length_are_whole(void **state)
{
    static char out[7000];
    (void)state;
    stdout_of(print_lines, out, sizeof out);
    assert_int_equal(strspn(out, "x"), 5000);
    assert_memory_equal(out + 5000, "\\x1bxxx", 7);
    assert_string_equal(out + 5000 + 4 + 998, "|\n\\t   \n");
}

static void json_keeps_its_values(void **state)
{
    char out[200];
    (void)state;
    stdout_of(print_document, out, sizeof out);
    assert_string_equal(out, "{\"a\":\n \"\\u009b\\u202e\xE7\x8A\xAC\\ufffd\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_commands_a_terminal_is_shown),
                                       cmocka_unit_test(it_is_cut_behind_a_character),
                                       cmocka_unit_test(message_is_one_line),
                                       cmocka_unit_test(note_is_one_line),
                                       cmocka_unit_test(lines_of_any_length_are_whole),
                                       cmocka_unit_test(json_keeps_its_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
