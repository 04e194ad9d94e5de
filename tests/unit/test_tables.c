/* The declared tables: what every reader of them relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "stage/stage.h"
#include "tables/tables.h"

static void columns_are_declared(void **state)
{
    (void)state;
    for (const df_table_type *const *t = df_tables; *t; t++) {
        const df_column *c = (*t)->columns;
        assert_true((*t)->about && *(*t)->about);
        if (*t != &df_skipped_table)
            assert_string_equal(c[DF_ROW].name, "row");
        for (int i = 0; c[i].name; i++) {
            assert_true(c[i].about && *c[i].about);
            for (int k = 0; k < i; k++)
                assert_string_not_equal(c[i].name, c[k].name);
        }
        if ((*t)->decides)
            assert_true(strcmp(c[(*t)->decides].name, "kept") == 0 &&
                        strcmp(c[(*t)->reason].name, "reason") == 0);
    }
}

static void stages_name_their_tables(void **state)
{
    (void)state;
    for (const df_stage *const *s = df_stages; *s; s++)
        if ((*s)->table)
            assert_string_equal((*s)->table->name, (*s)->name);
}

/* A table with a column less, one more, another name or another type is not taken for the declared
 * one. */
static void other_columns_are_refused(void **state)
{
    (void)state;
    static const df_column wrong[][6] = {
        {{"row", DF_COLUMN_INT, NULL},
         {"tag", DF_COLUMN_TEXT, NULL},
         {"score", DF_COLUMN_REAL, NULL},
         {0}},
        {{"row", DF_COLUMN_INT, NULL},
         {"tag", DF_COLUMN_TEXT, NULL},
         {"score", DF_COLUMN_REAL, NULL},
         {"source", DF_COLUMN_TEXT, NULL},
         {"more", DF_COLUMN_INT, NULL},
         {0}},
        {{"row", DF_COLUMN_INT, NULL},
         {"label", DF_COLUMN_TEXT, NULL},
         {"score", DF_COLUMN_REAL, NULL},
         {"source", DF_COLUMN_TEXT, NULL},
         {0}},
        {{"row", DF_COLUMN_INT, NULL},
         {"tag", DF_COLUMN_TEXT, NULL},
         {"score", DF_COLUMN_INT, NULL},
         {"source", DF_COLUMN_TEXT, NULL},
         {0}},
    };
    df_dataset *ds;
    df_table *t, *back = NULL;
    df_error err = {""};
    assert_int_equal(system("rm -rf tables.test"), 0);
    assert_int_equal(df_dataset_create(&ds, "tables.test", NULL), DF_OK);
    assert_int_equal(df_table_create(&t, df_tag_table.columns, NULL), DF_OK);
    assert_int_equal(df_dataset_write(ds, "tag", 0, t, NULL), DF_OK);
    assert_int_equal(df_dataset_read(ds, &df_tag_table, 0, &back, NULL), DF_OK);
    df_table_close(t);
    df_table_close(back);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(df_table_create(&t, wrong[i], NULL), DF_OK);
        assert_int_equal(df_dataset_write(ds, "tag", 0, t, NULL), DF_OK);
        df_table_close(t);
        back = NULL;
        assert_int_equal(df_dataset_read(ds, &df_tag_table, 0, &back, &err), DF_FORMAT);
        assert_null(back);
        assert_non_null(strstr(err.message, "tag/part-00000.parquet"));
        assert_non_null(strstr(err.message, "delete the file"));
    }
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_declared),
        cmocka_unit_test(stages_name_their_tables),
        cmocka_unit_test(other_columns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
