#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "dataset/vectors.h"
#include "io/npy.h"
#include "typed.h"

static char folder[64];
static const df_column columns[] = {{"row", DF_COLUMN_INT, NULL},
                                    {"phash", DF_COLUMN_INT, NULL},
                                    {"problem", DF_COLUMN_TEXT, NULL},
                                    {0}};

static const df_column row_only[] = {{"row", DF_COLUMN_INT, NULL}, {0}};

static void write_table(const df_dataset *ds, const char *stage, int part, int n_rows,
                        int n_problems)
{
    df_table *t;
    const bool embeds = strcmp(stage, "embed") == 0;
    assert_int_equal(df_table_create(&t, embeds ? columns : row_only, NULL), DF_OK);
    for (int i = 0; i < n_rows; i++) {
        df_value values[] = {DF_INT(i), DF_NULL, DF_TEXT(i < n_problems ? "zero" : NULL)};
        assert_int_equal(df_table_append(t, values, NULL), DF_OK);
    }
    assert_int_equal(write_typed(ds, stage, part, t, NULL), DF_OK);
}

static void write_vectors(const df_dataset *ds, int part, df_npy_type type, int dim, int n,
                          int first)
{
    char *path = df_dataset_part_path(ds, "embed", part, "npy");
    df_npy_writer *w;
    uint16_t row[32];
    assert_int_equal(df_npy_create(&w, path, type, dim, NULL), DF_OK);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 32; k++)
            row[k] = (uint16_t)(100 * (first + i) + k);
        assert_int_equal(df_npy_append(w, row, 1, NULL), DF_OK);
    }
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);
    free(path);
}

/* Parts of 3, 0 (of two rows), 4, and 0 (of none) vectors of 8 values. */
static df_dataset *make(const char *name)
{
    static const int rows[] = {4, 2, 4, 0}, problems[] = {1, 2, 0, 0};
    char path[128];
    df_dataset *ds;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(df_dataset_create(&ds, path, NULL), DF_OK);
    for (int part = 0, first = 0; part < 4; part++) {
        write_table(ds, "ingest", part, rows[part], 0);
        write_table(ds, "embed", part, rows[part], problems[part]);
        write_vectors(ds, part, DF_NPY_FLOAT16, rows[part] > problems[part] ? 8 : 0,
                      rows[part] - problems[part], first);
        first += rows[part] - problems[part];
    }
    return ds;
}

static void test_parts_are_one_matrix(void **state)
{
    (void)state;
    df_dataset *ds = make("whole");
    df_vectors *v;
    uint16_t got[7][8];
    df_error err = {""};
    assert_int_equal(df_vectors_open(&v, ds, &err), DF_OK);
    assert_int_equal(df_vectors_count(v), 7);
    assert_int_equal(df_vectors_dim(v), 8);
    static const int firsts[] = {0, 3, 3, 7, 7};
    for (int part = 0; part < 5; part++)
        assert_int_equal(df_vectors_first(v, part), firsts[part]);
    for (int first = 0; first < 7; first++)
        for (int n = 0; first + n <= 7; n++) {
            assert_int_equal(df_vectors_read(v, first, n, got[0], NULL), DF_OK);
            for (int i = 0; i < n; i++)
                for (int k = 0; k < 8; k++)
                    assert_int_equal(got[i][k], 100 * (first + i) + k);
        }
    assert_int_equal(df_vectors_read(v, 6, 2, got[0], &err), DF_FORMAT);
    static const int64_t any[] = {6, 0, 3, 3, 2};
    assert_int_equal(df_vectors_gather(v, any, 5, got[0], NULL), DF_OK);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 8; k++)
            assert_int_equal(got[i][k], 100 * any[i] + k);
    assert_int_equal(df_vectors_gather(v, (const int64_t[]){1, 7}, 2, got[0], &err), DF_FORMAT);
    assert_int_equal(df_vectors_gather(v, (const int64_t[]){-1}, 1, got[0], &err), DF_FORMAT);
    df_vectors_close(v);
    df_dataset_close(ds);
}

static void expect_refused(const df_dataset *ds, const char *why)
{
    df_vectors *v = NULL;
    df_error err = {""};
    assert_int_not_equal(df_vectors_open(&v, ds, &err), DF_OK);
    if (!strstr(err.message, why))
        fail_msg("%s", err.message);
}

static void test_what_does_not_fit_is_named(void **state)
{
    (void)state;
    df_dataset *ds = make("bad");
    write_vectors(ds, 2, DF_NPY_FLOAT16, 8, 3, 0);
    expect_refused(ds, "embed/part-00002.npy: 3 float16 vectors; its table tells of 4");
    write_vectors(ds, 2, DF_NPY_FLOAT16, 16, 4, 0);
    expect_refused(ds, "part-00002.npy: vectors of 16 values, the parts before it have 8");
    write_vectors(ds, 2, DF_NPY_FLOAT16, 0, 4, 0);
    expect_refused(ds, "part-00002.npy: vectors of no values");
    write_vectors(ds, 2, DF_NPY_FLOAT32, 8, 4, 0);
    expect_refused(ds, "part-00002.npy: 4 other vectors");
    char *path = df_dataset_part_path(ds, "embed", 0, "npy");
    assert_int_equal(truncate(path, 150), 0);
    expect_refused(ds, "part-00000.npy: cut");
    unlink(path);
    expect_refused(ds, "part-00000.npy");
    free(path);
    path = df_dataset_part_path(ds, "embed", 1, "parquet");
    unlink(path);
    expect_refused(ds, "embed/part-00001.parquet is missing");
    free(path);
    df_dataset_close(ds);
}

/* 0x4000 is 2 in float16: at least that, infinite or no number is not of unit length, wherever it
 * stands. */
static void test_values_that_no_unit_vector_has_are_refused(void **state)
{
    (void)state;
    df_dataset *ds = make("values");
    df_vectors *v;
    uint16_t got[3][8];
    /* 16300, 16400, ... of which 16384 is 0x4000 */
    write_vectors(ds, 0, DF_NPY_FLOAT16, 8, 3, 163);
    assert_int_equal(df_vectors_open(&v, ds, NULL), DF_OK);
    assert_int_equal(df_vectors_read(v, 0, 1, got[0], NULL), DF_OK);
    for (int first = 0; first < 2; first++) {
        df_error err = {""};
        assert_int_equal(df_vectors_read(v, first, 2, got[0], &err), DF_FORMAT);
        assert_non_null(strstr(err.message, "embed/part-00000.npy: among the vectors"));
    }
    assert_int_equal(df_vectors_gather(v, (int64_t[]){4, 0}, 2, got[0], NULL), DF_OK);
    assert_int_equal(df_vectors_gather(v, (int64_t[]){4, 1}, 2, got[0], NULL), DF_FORMAT);
    df_vectors_close(v);
    df_dataset_close(ds);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-vectors-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_one_matrix),
        cmocka_unit_test(test_what_does_not_fit_is_named),
        cmocka_unit_test(test_values_that_no_unit_vector_has_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
