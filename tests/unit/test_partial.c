/* The beginning of a part that another run left: gone on with when it is one, passed over when it
 * is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "pipeline/partial.h"

static const df_column columns[] = {
    {"row", DF_COLUMN_INT, NULL}, {"text", DF_COLUMN_TEXT, NULL}, {0}};
static const df_column others[] = {
    {"row", DF_COLUMN_INT, NULL}, {"score", DF_COLUMN_REAL, NULL}, {0}};

static df_table *table(const df_column *of, const int64_t *rows, int n)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, of, NULL), DF_OK);
    for (int i = 0; i < n; i++) {
        const df_value values[] = {rows[i] == INT64_MIN ? DF_NULL : DF_INT(rows[i]),
                                   of == columns ? DF_TEXT("x") : DF_REAL(1)};
        assert_int_equal(df_table_append(t, values, NULL), DF_OK);
    }
    return t;
}

static df_dataset *fresh(void)
{
    df_dataset *ds;
    assert_int_equal(system("rm -rf partial.test"), 0);
    assert_int_equal(df_dataset_create(&ds, "partial.test", NULL), DF_OK);
    return ds;
}

static void what_was_written_is_gone_on_with(void **state)
{
    (void)state;
    df_dataset *ds = fresh();
    df_table *t = table(columns, (const int64_t[]){0, 0, 2, 7}, 4), *like = table(columns, NULL, 0);
    assert_int_equal(df_partial_rows(ds, "look", 0, like), 0);
    assert_int_equal(df_partial_write(ds, "look", 0, t, 5, NULL), DF_OK);
    assert_int_equal(df_partial_rows(ds, "look", 0, like), 5);
    assert_int_equal(df_partial_read(ds, "look", 0, 2, like, NULL), DF_OK);
    assert_int_equal(df_table_rows(like), 2);
    df_table_close(t);
    df_table_close(like);
    df_dataset_close(ds);
}

static void what_is_damaged_is_none(void **state)
{
    (void)state;
    static const int64_t rows[][3] = {{0, 9, 3},         {2, 1, 3},         {-1, 0, 3}, {0, 3, 3},
                                      {0, INT64_MIN, 3}, {0, 1, INT64_MIN}, {0, 1, -3}};
    df_dataset *ds = fresh();
    df_table *like = table(columns, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        df_table *t = table(columns, rows[i], 3);
        assert_int_equal(df_dataset_write_table(ds, "look/part-00000.partial", t, NULL), DF_OK);
        assert_int_equal(df_partial_rows(ds, "look", 0, like), 0);
        df_table_close(t);
    }
    df_table *t = table(others, (const int64_t[]){0, 1, 3}, 3);
    assert_int_equal(df_dataset_write_table(ds, "look/part-00000.partial", t, NULL), DF_OK);
    assert_int_equal(df_partial_rows(ds, "look", 0, like), 0);
    df_table_close(t);
    assert_int_equal(
        df_folder_write(df_dataset_files(ds), "look/part-00000.partial", "no Parquet", 10, NULL),
        DF_OK);
    assert_int_equal(df_partial_rows(ds, "look", 0, like), 0);
    df_table_close(like);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_written_is_gone_on_with),
                                       cmocka_unit_test(what_is_damaged_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
