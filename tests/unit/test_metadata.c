/* The lists that people have (LAION, DataComp, COYO) go in, rows worth fetching come out with all
 * their columns, in their order, and the funnel adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "dataset/metadata.h"
#include "sql_run.h"

static df_metadata_config defaults(void)
{
    df_metadata_config c = {0};
    assert_int_equal(df_options_defaults(df_metadata_options, &c, NULL), DF_OK);
    return c;
}

static void sql(const char *text)
{
    df_error err = {""};
    if (sql_run(text, &err) != DF_OK)
        fail_msg("%s: %s", text, err.message);
}

static df_table *table(const char *text)
{
    df_table *t;
    df_error err = {""};
    if (df_table_query(&t, text, &err) != DF_OK)
        fail_msg("%s: %s", text, err.message);
    return t;
}

static int64_t number(const char *text)
{
    df_table *t = table(text);
    int64_t n = df_table_int(t, 0, 0);
    df_table_close(t);
    return n;
}

static void remove_output(const char *out)
{
    for (int i = 0; i < 100; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/part-%05d.parquet", out, i);
        unlink(path);
    }
    rmdir(out);
}

static df_metadata_result filter_with(const char *input, const df_metadata_config *c, int n_threads)
{
    df_metadata_result r;
    df_error err = {""};
    remove_output("metadata.kept");
    if (df_metadata_filter(&input, 1, "metadata.kept", c, n_threads, &r, &err) != DF_OK)
        fail_msg("%s", err.message);
    int64_t sum = 0;
    for (int i = 0; i < DF_METADATA_REASONS; i++)
        sum += r.n[i];
    assert_int_equal(sum, r.n_in);
    return r;
}

static void every_row_has_one_fate(void **state)
{
    (void)state;
    sql("COPY (SELECT * FROM (VALUES "
        "('http://a/1', 'one', 448, 448, 0.1), ('http://a/2', 'edge', 447, 900, 0.1), "
        "('http://a/3', 'four', 448, 1792, 0.1), "
        "('http://a/4', 'long', 448, 1793, 0.1), ('', 'empty', 900, 900, 0.1), (NULL, 'null', 900, "
        "900, 0.1), "
        "('http://a/7', 'no size', NULL, 900, 0.1), ('http://a/8', 'zero', 0, 900, 0.1), "
        "('http://a/9', 'unsafe', 900, 900, 0.9), "
        "('http://a/1', 'again', 900, 900, 0.1), ('http://a/11', 'unknown', 900, 900, NULL)) "
        "t(URL, TEXT, WIDTH, HEIGHT, punsafe)) "
        "TO 'metadata.laion.parquet' (FORMAT parquet)");
    df_metadata_config c = defaults();
    c.where = "punsafe < 0.5";
    df_metadata_result r = filter_with("metadata.laion.parquet", &c, 2);
    assert_int_equal(r.n_in, 11);
    assert_int_equal(r.n[DF_METADATA_KEPT], 2);
    assert_int_equal(r.n[DF_METADATA_NO_URL], 2);
    assert_int_equal(r.n[DF_METADATA_NO_SIZE], 2);
    assert_int_equal(r.n[DF_METADATA_SMALL], 1);
    assert_int_equal(r.n[DF_METADATA_ASPECT], 1);
    assert_int_equal(r.n[DF_METADATA_WHERE], 2);
    assert_int_equal(r.n[DF_METADATA_REPEATED], 1);
    assert_string_equal(r.url, "URL");
    assert_string_equal(r.text, "TEXT");
    df_table *t = table("SELECT * FROM read_parquet('metadata.kept/*.parquet')");
    assert_int_equal(df_table_n_columns(t), 5);
    assert_string_equal(df_table_text(t, 0, df_table_column(t, "TEXT")), "one");
    assert_string_equal(df_table_text(t, 1, df_table_column(t, "TEXT")), "four");
    df_table_close(t);
    assert_false(df_file_exists("metadata.kept.tmp"));
}

static void column_names_of_others(void **state)
{
    (void)state;
    sql("COPY (SELECT 'u1' AS uid, 'http://a/1' AS url, 'a text' AS text, 900.0::DOUBLE AS "
        "original_width, 'NaN'::DOUBLE AS original_height "
        "UNION ALL SELECT 'u2', 'http://a/2', 'b', 900.0, 800.0) TO 'metadata.datacomp.parquet' "
        "(FORMAT parquet)");
    df_metadata_config c = defaults();
    df_metadata_result r = filter_with("metadata.datacomp.parquet", &c, 1);
    assert_int_equal(r.n[DF_METADATA_KEPT], 1);
    assert_int_equal(r.n[DF_METADATA_NO_SIZE], 1);
    assert_string_equal(r.url, "url");
    sql("COPY (SELECT 7::BIGINT AS id, 'http://a/1' AS Url, '900' AS Width, '800' AS Height) TO "
        "'metadata.coyo.parquet' (FORMAT parquet)");
    r = filter_with("metadata.coyo.parquet", &c, 1);
    assert_int_equal(r.n[DF_METADATA_KEPT], 1);
    assert_string_equal(r.text, "");
}

static void many(void)
{
    sql("COPY (SELECT i AS id, 'http://a/' || (CASE WHEN i % 10 = 9 THEN i - 9 ELSE i END) AS url, "
        "400 + i % 200 AS width, 500 AS height "
        "FROM range(200000) r(i)) TO 'metadata.many.parquet' (FORMAT parquet, ROW_GROUP_SIZE "
        "20000)");
}

static void files_are_cut_and_in_order(void **state)
{
    (void)state;
    many();
    df_metadata_config c = defaults();
    c.rows_per_file = 25000;
    df_metadata_result r = filter_with("metadata.many.parquet", &c, 2);
    assert_int_equal(r.n[DF_METADATA_KEPT],
                     number("SELECT count(DISTINCT url) FROM read_parquet('metadata.many.parquet') "
                            "WHERE width >= 448"));
    assert_in_range(r.n_files, 5, 7);
    assert_int_equal(
        number("SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY filename, file_row_number) "
               "AS before FROM "
               "read_parquet('metadata.kept/*.parquet', filename = true)) WHERE before > id"),
        0);
    assert_int_equal(number("SELECT count(*) FROM (SELECT url FROM "
                            "read_parquet('metadata.kept/*.parquet') GROUP BY url "
                            "HAVING count(*) > 1)"),
                     0);
    char *one, *two;
    size_t n_one, n_two;
    assert_int_equal(df_file_read("metadata.kept/part-00000.parquet", 64 << 20, &one, &n_one, NULL),
                     DF_OK);
    filter_with("metadata.many.parquet", &c, 1);
    assert_int_equal(df_file_read("metadata.kept/part-00000.parquet", 64 << 20, &two, &n_two, NULL),
                     DF_OK);
    assert_int_equal(n_one, n_two);
    assert_memory_equal(one, two, n_one);
    free(one);
    free(two);
}

static void the_first_of_a_url_stays_across_files(void **state)
{
    (void)state;
    many();
    const char *inputs[] = {"metadata.many.parquet", "metadata.laion.parquet",
                            "metadata.many.parquet"};
    df_metadata_config c = defaults();
    df_metadata_result r, once = filter_with(inputs[0], &c, 2);
    df_error err = {""};
    remove_output("metadata.kept");
    if (df_metadata_filter(inputs, 3, "metadata.kept", &c, 2, &r, &err) != DF_OK)
        fail_msg("%s", err.message);
    /* the lists name other pictures */
    assert_int_equal(r.n[DF_METADATA_KEPT], once.n[DF_METADATA_KEPT] + 4);
    c.repeated = true;
    remove_output("metadata.kept");
    assert_int_equal(df_metadata_filter(inputs, 3, "metadata.kept", &c, 2, &r, &err), DF_OK);
    assert_int_equal(r.n[DF_METADATA_REPEATED], 0);
    assert_int_equal(r.n[DF_METADATA_KEPT],
                     number("SELECT 2 * count(*) + 5 FROM read_parquet('metadata.many.parquet') "
                            "WHERE width >= 448"));
}

static void refuse(const char *input, const df_metadata_config *c, const char *words)
{
    df_metadata_result r;
    df_error err = {""};
    assert_int_not_equal(df_metadata_filter(&input, 1, "metadata.none", c, 1, &r, &err), DF_OK);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    assert_false(df_file_exists("metadata.none"));
    assert_false(df_file_exists("metadata.none.tmp"));
}

static void mistakes_leave_nothing(void **state)
{
    (void)state;
    df_metadata_config c = defaults();
    sql("COPY (SELECT 'http://a/1' AS url, 5 AS length) TO 'metadata.bad.parquet' (FORMAT "
        "parquet)");
    refuse("metadata.bad.parquet", &c, "no column width or original_width; there are: url, length");
    refuse("metadata.missing.parquet", &c, "metadata.missing.parquet: No such file");
    assert_int_equal(df_file_write("metadata.torn.parquet", "PAR1 no", 7, NULL), DF_OK);
    refuse("metadata.torn.parquet", &c, "metadata.torn.parquet");
    c.where = "no_such_column > 1";
    refuse("metadata.laion.parquet", &c, "no_such_column");
    c.where = NULL;
    df_metadata_result r = filter_with("metadata.laion.parquet", &c, 1);
    df_error err = {""};
    const char *input = "metadata.laion.parquet";
    assert_int_equal(df_metadata_filter(&input, 1, "metadata.kept", &c, 1, &r, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "metadata.kept exists"));
    assert_int_equal(number("SELECT count(*) FROM read_parquet('metadata.kept/*.parquet')"),
                     r.n[DF_METADATA_KEPT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_has_one_fate),
                                       cmocka_unit_test(column_names_of_others),
                                       cmocka_unit_test(files_are_cut_and_in_order),
                                       cmocka_unit_test(the_first_of_a_url_stays_across_files),
                                       cmocka_unit_test(mistakes_leave_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
