/* What is written is read back; bytes depend on rows alone; a broken file is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "dataset/dataset.h"

static const df_column columns[] = {{"row", DF_COLUMN_INT, NULL},
                                    {"score", DF_COLUMN_REAL, NULL},
                                    {"text", DF_COLUMN_TEXT, NULL},
                                    {0}};

static df_table *sample(void)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    for (int i = 0; i < 3000; i++) {
        char text[40];
        snprintf(text, sizeof text, "line '%d' \xC3\xA9", i);
        df_value v[] = {DF_INT(i), i % 7 ? DF_REAL(i / 8.0) : DF_NULL,
                        i % 5 ? DF_TEXT(text) : DF_NULL};
        assert_int_equal(df_table_append(t, v, NULL), DF_OK);
    }
    return t;
}

static void round_trip(void **state)
{
    (void)state;
    df_table *t = sample(), *back;
    df_error err;
    assert_int_equal(df_table_write(t, "table's.parquet", &err), DF_OK);
    assert_int_equal(df_table_read(&back, "table's.parquet", &err), DF_OK);
    assert_int_equal(df_table_rows(back), 3000);
    int score = df_table_column(back, "SCORE"), text = df_table_column(back, "text");
    for (int64_t i = 0; i < 3000; i++) {
        assert_int_equal(df_table_int(back, i, 0), i);
        assert_int_equal(df_table_null(back, i, score), i % 7 == 0);
        assert_true(i % 7 == 0 || df_table_real(back, i, score) == (double)i / 8.0);
        assert_string_equal(df_table_text(back, i, text), df_table_text(t, i, 2));
    }
    assert_int_equal(df_table_column(back, "none"), -1);
    assert_true(df_table_null(back, 0, -1));
    df_table_close(back);
    df_table_close(t);
    remove("table's.parquet");
}

/* Bytes that are texts, numbers that are none, lists that are empty: all come back as they were. */
static void lists_round_trip(void **state)
{
    (void)state;
    static const df_column lists[] = {{"yes", DF_COLUMN_BOOL, NULL},
                                      {"texts", DF_COLUMN_TEXTS, NULL},
                                      {"reals", DF_COLUMN_REALS, NULL},
                                      {"vector", DF_COLUMN_VECTOR, NULL},
                                      {0}};
    static const char *const words[] = {"a; b", "", "\xC3\xA9 'q' \"r\"", "[1]"};
    static const double numbers[] = {0.1, -1e300, 0, 3};
    static const uint16_t vector[] = {0, 0x3c00, 0xffff, 0x7c00, 0x0a0d};
    df_table *t, *back;
    df_error err = {""};
    assert_int_equal(df_table_create(&t, lists, NULL), DF_OK);
    for (int i = 0; i < 3000; i++) {
        const df_value v[] = {
            i % 11 ? DF_BOOL(i % 2) : DF_NULL, i % 7 ? DF_TEXTS(words, i % 5) : DF_NULL,
            i % 5 ? DF_REALS(numbers, i % 4) : DF_NULL, i % 3 ? DF_VECTOR(vector, i % 6) : DF_NULL};
        assert_int_equal(df_table_append(t, v, NULL), DF_OK);
    }
    assert_int_equal(df_table_write(t, "lists.parquet", &err), DF_OK);
    assert_int_equal(df_table_read(&back, "lists.parquet", &err), DF_OK);
    for (int c = 0; c < 4; c++)
        assert_int_equal(df_table_column_at(back, c).type, lists[c].type);
    for (int64_t i = 0; i < 3000; i++) {
        int64_t n;
        assert_int_equal(df_table_null(back, i, 0), i % 11 == 0);
        assert_int_equal(df_table_bool(back, i, 0), i % 11 && i % 2);
        const char *const *texts = df_table_texts(back, i, 1, &n);
        assert_int_equal(df_table_null(back, i, 1), i % 7 == 0);
        assert_int_equal(n, i % 7 ? i % 5 : 0);
        for (int64_t k = 0; k < n; k++)
            assert_string_equal(texts[k], words[k]);
        const double *reals = df_table_reals(back, i, 2, &n);
        assert_int_equal(n, i % 5 ? i % 4 : 0);
        for (int64_t k = 0; k < n; k++)
            assert_true(reals[k] == numbers[k]);
        const uint16_t *halves = df_table_vector(back, i, 3, &n);
        assert_int_equal(n, i % 3 ? i % 6 : 0);
        for (int64_t k = 0; k < n; k++)
            assert_int_equal(halves[k], vector[k]);
        /* of another type: nothing */
        assert_null(df_table_reals(back, i, 1, &n));
        assert_int_equal(n, 0);
    }
    df_table *twice;
    assert_int_equal(df_table_create(&twice, lists, NULL), DF_OK);
    assert_int_equal(df_table_append_table(twice, back, NULL), DF_OK);
    assert_int_equal(df_table_append_table(twice, t, NULL), DF_OK);
    assert_int_equal(df_table_rows(twice), 6000);
    df_table_close(twice);
    df_table_close(back);
    df_table_close(t);
    remove("lists.parquet");
}

static void same_rows_same_bytes(void **state)
{
    (void)state;
    char *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        df_table *t = sample();
        assert_int_equal(df_table_write(t, "same.parquet", NULL), DF_OK);
        assert_int_equal(df_file_read("same.parquet", 1 << 24, &bytes[i], &size[i], NULL), DF_OK);
        df_table_close(t);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    remove("same.parquet");
}

/* DuckDB takes * ? [ in a name for a pattern: a folder may well be called so. */
static void names_are_literal(void **state)
{
    (void)state;
    df_table *t = sample(), *back = NULL;
    df_error err = {""};
    static const char *const names[] = {"odd[1].parquet", "a*b.parquet", "what?.parquet",
                                        "back\\slash.parquet"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(df_table_write(t, names[i], &err), DF_OK);
        df_status status = df_table_read(&back, names[i], &err);
        assert_string_equal(err.message, "");
        assert_int_equal(status, DF_OK);
        assert_int_equal(df_table_rows(back), 3000);
        df_table_close(back);
        remove(names[i]);
    }
    df_table_close(t);
}

static void broken_file(void **state)
{
    (void)state;
    df_error err;
    df_table *t = NULL;
    assert_int_equal(df_file_write("broken.parquet", "no parquet", 10, &err), DF_OK);
    assert_int_not_equal(df_table_read(&t, "broken.parquet", &err), DF_OK);
    assert_non_null(strstr(err.message, "broken.parquet"));
    assert_null(strchr(err.message, '\n'));
    assert_int_not_equal(df_table_read(&t, "missing.parquet", &err), DF_OK);
    assert_non_null(strstr(err.message, "missing.parquet"));
    remove("broken.parquet");
}

static bool was_made(const df_dataset *ds, const char *stage, const char *fingerprint)
{
    char *made = NULL;
    assert_int_equal(df_dataset_stage_made(ds, stage, &made, NULL), DF_OK);
    const bool is = made && strcmp(made, fingerprint) == 0;
    free(made);
    return is;
}

static void stages_are_remembered(void **state)
{
    (void)state;
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, "dataset.test", NULL), DF_OK);
    assert_false(was_made(ds, "filter", "a"));
    assert_int_equal(df_dataset_stage_commit(ds, "filter", "a", NULL), DF_OK);
    assert_true(was_made(ds, "filter", "a"));
    assert_false(was_made(ds, "filter", "b"));
    df_table *t = sample();
    assert_int_equal(df_dataset_write(ds, "filter", 0, t, NULL), DF_OK);
    assert_true(df_dataset_has_part(ds, "filter", 0));
    assert_int_equal(df_dataset_stage_reset(ds, "filter", NULL), DF_OK);
    assert_false(df_dataset_has_part(ds, "filter", 0));
    assert_false(was_made(ds, "filter", "a"));
    df_table_close(t);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),           cmocka_unit_test(lists_round_trip),
        cmocka_unit_test(same_rows_same_bytes), cmocka_unit_test(broken_file),
        cmocka_unit_test(names_are_literal),    cmocka_unit_test(stages_are_remembered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
