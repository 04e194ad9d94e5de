/* Rows from the top, each from the left; columns; paragraphs; a turned page; any order of input
 * gives one result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "evidence/paragraph.h"
#include "vision/reading_order.h"

static df_line line_at(const char *text, double x, double y, double width, double height,
                       double degrees)
{
    const double c = cos(degrees * 3.14159265358979 / 180),
                 s = sin(degrees * 3.14159265358979 / 180);
    const double px[4] = {x, x + width, x + width, x}, py[4] = {y, y, y + height, y + height};
    df_line l = {.text = text, .score = 1};
    for (int i = 0; i < 4; i++) {
        l.x[i] = px[i] * c - py[i] * s + 500;
        l.y[i] = px[i] * s + py[i] * c + 500;
    }
    return l;
}

static void assert_order(df_line *lines, int n, const char *want)
{
    char got[64] = "";
    assert_int_equal(df_reading_order(lines, n, NULL), DF_OK);
    for (int i = 0; i < n; i++)
        strcat(got, lines[i].text);
    assert_string_equal(got, want);
}

static void rows_then_columns(void **state)
{
    (void)state;
    df_line lines[] = {line_at("d", 300, 52, 90, 20, 0), line_at("b", 200, 4, 90, 20, 0),
                       line_at("c", 0, 50, 90, 20, 0), line_at("a", 0, 0, 90, 20, 0)};
    assert_order(lines, 4, "abcd");
    df_line again[] = {lines[2], lines[0], lines[3], lines[1]};
    assert_order(again, 4, "abcd");
}

/* Each line begins 6 px lower than the one to its left: no row of all, none lost. */
static void a_staircase_is_no_row(void **state)
{
    (void)state;
    df_line lines[5];
    for (int i = 0; i < 5; i++)
        lines[i] = line_at((const char *[]){"a", "b", "c", "d", "e"}[4 - i], i * 100, 60 - i * 12,
                           90, 20, 0);
    assert_order(lines, 5, "abcde");
}

static void a_turned_page(void **state)
{
    (void)state;
    for (int degrees = -40; degrees <= 40; degrees += 10) {
        df_line lines[] = {
            line_at("d", 300, 50, 200, 20, degrees), line_at("c", 0, 50, 200, 20, degrees),
            line_at("b", 300, 0, 200, 20, degrees),  line_at("e", 0, 100, 200, 20, degrees),
            line_at("a", 0, 0, 200, 20, degrees),    line_at("f", 300, 100, 20, 200, degrees)};
        assert_order(lines, 5, "abcde");
    }
    assert_int_equal(df_reading_order(NULL, 0, NULL), DF_OK);
}

/* ---- pages: rows of text on a grid of characters ---- */

/* Each string is a row of the page, 20 px high with 4 px between; pieces that two or more spaces
 * divide are lines, a character is 10 px wide. An empty row is a gap. */
static int page_of(const char *const *rows, int n_rows, double degrees, df_line *lines,
                   char (*texts)[80])
{
    int n = 0;
    for (int y = 0; y < n_rows; y++)
        for (const char *p = rows[y] + strspn(rows[y], " "); *p; p += strspn(p, " ")) {
            const char *end = strstr(p, "  ");
            const size_t size = end ? (size_t)(end - p) : strlen(p);
            memcpy(texts[n], p, size);
            texts[n][size] = '\0';
            lines[n] = line_at(texts[n], (double)(p - rows[y]) * 10, y * 24, (double)size * 10, 20,
                               degrees);
            lines[n].item = n;
            n++;
            p += size;
        }
    return n;
}

/* want: paragraphs divided by " | ", their lines joined. */
static void assert_read(const char *const *rows, int n_rows, double degrees, const char *want)
{
    df_line lines[64];
    char texts[64][80];
    df_str got = {0};
    const int n = page_of(rows, n_rows, degrees, lines, texts);
    for (int i = 0; i < n / 2; i++) {        /* in no order at all */
        df_line l = lines[i];
        lines[i] = lines[n - 1 - i];
        lines[n - 1 - i] = l;
    }
    assert_int_equal(df_reading_order(lines, n, NULL), DF_OK);
    for (int i = 0; i < n; i++)
        lines[i].item = i;
    for (int i = 0, end, k = 0; i < n; i = end, k++) {
        end = df_paragraph_end(lines, n, i);
        assert_int_equal(lines[i].paragraph, k);
        df_str_append(&got, i ? " | " : "");
        df_paragraph_append(lines + i, end - i, 1000, &got);
    }
    assert_string_equal(df_str_text(&got), want);
    df_str_free(&got);
}
#define ROWS(...)                                                                                  \
    (const char *const[]){__VA_ARGS__},                                                            \
        (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void columns_under_a_heading(void **state)
{
    (void)state;
    for (int degrees = -20; degrees <= 340; degrees += 20)
        assert_read(
            ROWS("A heading that stands over all of the columns", "",
                 "The left column has       The right one is",
                 "a few lines of run-       read after it and",
                 "ning text.                not across.", "",
                 "It goes on below a        So does the right", "gap of its own.           one.",
                 "", "A footer from one side to the other one, too"),
            degrees,
            "A heading that stands over all of the columns | The left column has a few lines of "
            "running text. | "
            "It goes on below a gap of its own. | The right one is read after it and not across. | "
            "So does the right one. | A footer from one side to the other one, too");
}

static void signs_and_tables_go_by_rows(void **state)
{
    (void)state;
    assert_read(ROWS("Mon      9-17", "Tue      9-17", "Wed      shut"), 0,
                "Mon | 9-17 | Tue | 9-17 | Wed | shut");
    assert_read(ROWS("BIG           SALE", "50%           OFF"), 0, "BIG | SALE | 50% | OFF");
    assert_read(
        ROWS("1     First you open the lid", "      and look inside.", "",
             "2     Then you close the lid", "      and wait."),
        0, "1 | First you open the lid and look inside. | 2 | Then you close the lid and wait.");
}

static void where_paragraphs_begin(void **state)
{
    (void)state;
    assert_read(ROWS("  The first one begins with", "an indented line and goes on", "over three.",
                     "  So does the second one, it", "has only two."),
                0,
                "The first one begins with an indented line and goes on over three. | So does the "
                "second one, it has only two.");
    assert_read(ROWS("This one ends its sentence", "early.", "The next one follows at once",
                     "and ends here."),
                0,
                "This one ends its sentence early. | The next one follows at once and ends here.");
    assert_read(ROWS("1. wash the apples", "2. peel and cut them", "into small pieces", "3. cook"),
                0, "1. wash the apples | 2. peel and cut them into small pieces | 3. cook");
    assert_read(ROWS("     in the middle of", "  a poster all the lines", "    share their centre"),
                0, "in the middle of a poster all the lines share their centre");
    assert_read(ROWS("two pieces", "", "", "far apart"), 0, "two pieces | far apart");
}

/* A small line under a large one, another script, another direction: no paragraph. */
static void what_does_not_belong_together(void **state)
{
    (void)state;
    df_line lines[] = {line_at("LARGE", 0, 0, 300, 60, 0), line_at("small", 0, 62, 200, 20, 0),
                       line_at("\xE5\x87\xBA\xE5\x8F\xA3", 0, 84, 200, 20, 0),
                       line_at("sideways", 0, 0, 200, 20, 90)};
    assert_int_equal(df_reading_order(lines, 4, NULL), DF_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(lines[i].paragraph, i);
}

/* Columns of Chinese from the right: each line runs downward, and so does the page. */
static void vertical_text(void **state)
{
    (void)state;
    df_line lines[] = {line_at("\xE4\xB8\x8A", 0, 0, 200, 20, 90),
                       line_at("\xE4\xB8\x8B", 0, 22, 200, 20, 90),
                       line_at("\xE5\xB7\xA6", 0, 44, 150, 20, 90)};
    df_str got = {0};
    df_line turned[] = {lines[2], lines[0], lines[1]};
    assert_true(lines[0].x[0] > lines[1].x[0]);
    assert_int_equal(df_reading_order(turned, 3, NULL), DF_OK);
    assert_int_equal(df_paragraph_end(turned, 3, 0), 3);
    df_paragraph_append(turned, 3, 100, &got);
    assert_string_equal(df_str_text(&got), "\xE4\xB8\x8A\xE4\xB8\x8B\xE5\xB7\xA6");
    df_str_free(&got);
}

/* 5,000 lines in every arrangement that is bad for a scan: a grid, all in one place, one column,
 * two columns. */
static void five_thousand_lines(void **state)
{
    (void)state;
    enum { N = 5000 };
    df_line *lines = calloc(N, sizeof *lines);
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < N; i++)
            lines[i] = kind == 0   ? line_at("cell", i % 70 * 100, i / 70 * 50, 60, 20, 0)
                       : kind == 1 ? line_at("same", 5, 5, 60, 20, 0)
                       : kind == 2 ? line_at("a line of some length", 0, i * 22, 300, 20, 0)
                                   : line_at("half of a row.", i % 2 * 400, i / 2 * 22 + i / 4 * 20,
                                             300 - i / 2 % 2 * 100, 20, 0);
        const clock_t begun = clock();
        assert_int_equal(df_reading_order(lines, N, NULL), DF_OK);
        const double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
        if (seconds > 3)
            fail_msg("arrangement %d took %.1f s", kind, seconds);
        print_message("arrangement %d: %.3f s, %d paragraphs\n", kind, seconds,
                      lines[N - 1].paragraph + 1);
        for (int i = 1; i < N; i++)
            assert_true(lines[i].paragraph == lines[i - 1].paragraph ||
                        lines[i].paragraph == lines[i - 1].paragraph + 1);
    }
    free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_then_columns),
                                       cmocka_unit_test(a_staircase_is_no_row),
                                       cmocka_unit_test(a_turned_page),
                                       cmocka_unit_test(columns_under_a_heading),
                                       cmocka_unit_test(signs_and_tables_go_by_rows),
                                       cmocka_unit_test(where_paragraphs_begin),
                                       cmocka_unit_test(what_does_not_belong_together),
                                       cmocka_unit_test(vertical_text),
                                       cmocka_unit_test(five_thousand_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
