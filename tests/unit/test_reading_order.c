/* Rows from the top, each from the left; a turned page; any order of input gives one result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "algo/reading_order.h"

static df_line line_at(const char *text, double x, double y, double width, double height, double degrees)
{
    const double c = cos(degrees * 3.14159265358979 / 180), s = sin(degrees * 3.14159265358979 / 180);
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
    df_line lines[] = {line_at("d", 300, 52, 90, 20, 0), line_at("b", 200, 4, 90, 20, 0), line_at("c", 0, 50, 90, 20, 0),
                       line_at("a", 0, 0, 90, 20, 0)};
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
        lines[i] = line_at((const char *[]){"a", "b", "c", "d", "e"}[4 - i], i * 100, 60 - i * 12, 90, 20, 0);
    assert_order(lines, 5, "abcde");
}

static void a_turned_page(void **state)
{
    (void)state;
    for (int degrees = -40; degrees <= 40; degrees += 10) {
        df_line lines[] = {line_at("d", 300, 50, 200, 20, degrees), line_at("c", 0, 50, 200, 20, degrees),
                           line_at("b", 300, 0, 200, 20, degrees), line_at("e", 0, 100, 200, 20, degrees),
                           line_at("a", 0, 0, 200, 20, degrees), line_at("f", 300, 100, 20, 200, degrees)};
        assert_order(lines, 5, "abcde");
    }
    assert_int_equal(df_reading_order(NULL, 0, NULL), DF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_then_columns), cmocka_unit_test(a_staircase_is_no_row),
                                       cmocka_unit_test(a_turned_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
