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
#include "io/npy.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_matrix(const char *name, df_npy_type type, int64_t dim, const void *rows,
                         int64_t n)
{
    df_npy_writer *w;
    assert_int_equal(df_npy_create(&w, in_folder(name), type, dim, NULL), DF_OK);
    assert_int_equal(df_npy_append(w, rows, n, NULL), DF_OK);
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    float values[5][3], got[3][3];
    for (int i = 0; i < 15; i++)
        values[i / 3][i % 3] = (float)i;
    df_npy_writer *w;
    assert_int_equal(df_npy_create(&w, in_folder("m.npy"), DF_NPY_FLOAT32, 3, NULL), DF_OK);
    assert_int_equal(df_npy_append(w, values, 2, NULL), DF_OK);
    assert_int_equal(df_npy_append(w, values[2], 3, NULL), DF_OK);
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);

    df_npy *npy;
    df_error err;
    assert_int_equal(df_npy_open(&npy, in_folder("m.npy"), NULL), DF_OK);
    df_npy_shape shape = df_npy_shape_of(npy);
    assert_int_equal(shape.type, DF_NPY_FLOAT32);
    assert_int_equal(shape.rows, 5);
    assert_int_equal(shape.dim, 3);
    assert_int_equal(df_npy_read(npy, 2, 3, got, NULL), DF_OK);
    assert_memory_equal(got, values[2], sizeof got);
    assert_int_equal(df_npy_read(npy, 5, 0, got, NULL), DF_OK);
    assert_int_equal(df_npy_read(npy, 3, 3, got, &err), DF_FORMAT);
    assert_int_equal(df_npy_read(npy, -1, 1, got, &err), DF_FORMAT);
    assert_int_equal(df_npy_read(npy, INT64_MAX, INT64_MAX, got, &err), DF_FORMAT);
    df_npy_close(npy);
}

/* The header that numpy.save writes for the same matrix, byte for byte. */
static void test_header_is_numpys(void **state)
{
    (void)state;
    const char *dictionary = "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }";
    write_matrix("h.npy", DF_NPY_FLOAT16, 3, (uint16_t[]){1, 2, 3, 4, 5, 6}, 2);
    char *bytes;
    size_t size;
    assert_int_equal(df_file_read(in_folder("h.npy"), 1000, &bytes, &size, NULL), DF_OK);
    assert_int_equal(size, 128 + 12);
    assert_memory_equal(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    assert_memory_equal(bytes + 10, dictionary, strlen(dictionary));
    for (size_t i = 10 + strlen(dictionary); i < 127; i++)
        assert_int_equal(bytes[i], ' ');
    assert_int_equal(bytes[127], '\n');
    assert_memory_equal(bytes + 128, "\1\0\2\0\3\0\4\0\5\0\6\0", 12);
    free(bytes);
}

static void test_an_empty_matrix_keeps_its_dim(void **state)
{
    (void)state;
    write_matrix("e.npy", DF_NPY_FLOAT16, 1280, "", 0);
    df_npy *npy;
    assert_int_equal(df_npy_open(&npy, in_folder("e.npy"), NULL), DF_OK);
    assert_int_equal(df_npy_shape_of(npy).rows, 0);
    assert_int_equal(df_npy_shape_of(npy).dim, 1280);
    df_npy_close(npy);
}

static void test_unfinished_is_no_file(void **state)
{
    (void)state;
    df_npy_writer *w;
    df_npy *npy;
    df_error err;
    assert_int_equal(df_npy_create(&w, in_folder("cut.npy"), DF_NPY_FLOAT16, 2, NULL), DF_OK);
    assert_int_equal(df_npy_append(w, (uint16_t[]){1, 2}, 1, NULL), DF_OK);
    df_npy_writer_close(w);
    if (df_npy_open(&npy, in_folder("cut.npy"), NULL) == DF_OK) {
        /* the header still says that there are none */
        assert_int_equal(df_npy_shape_of(npy).rows, 0);
        df_npy_close(npy);
    }
    assert_int_equal(df_npy_create(&w, in_folder("no/such.npy"), DF_NPY_FLOAT16, 2, &err), DF_IO);
    assert_non_null(strstr(err.message, "no/such.npy"));
}

/* Committed with the fuzz target; the names tell what is wrong with them. */
static void test_foreign_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
    } cases[] = {
        {"half", NULL},
        {"float", NULL},
        {"double", NULL},
        {"version3", NULL},
        {"other-order", NULL},
        {"empty-rows", NULL},
        {"cut", "cut: "},
        {"fortran", "in Fortran order"},
        {"big-endian", "\">f4\""},
        {"ints", "\"<i8\""},
        {"vector", "1 dimensions"},
        {"cube", "3 dimensions"},
        {"overflow", "a matrix of"},
        {"digits", "broken"},
        {"negative", "broken"},
        {"long-header", "cut in its"},
        {"huge-header", "cut in its"},
        {"unclosed", "broken"},
        {"quote", "broken"},
        {"magic", "not an .npy"},
        {"none", "not an .npy"},
    };
    const char *source = getenv("DF_SOURCE_DIR");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        df_npy *npy = NULL;
        df_error err = {""};
        snprintf(path, sizeof path, "%s/tests/fuzz/corpus/npy/%s", source ? source : ".",
                 cases[i].name);
        df_status status = df_npy_open(&npy, path, &err);
        if (status != (cases[i].why ? DF_FORMAT : DF_OK) ||
            (cases[i].why && !strstr(err.message, cases[i].why)))
            fail_msg("%s: %s", cases[i].name, err.message);
        df_npy_close(npy);
    }
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-npy-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_header_is_numpys),
        cmocka_unit_test(test_an_empty_matrix_keeps_its_dim),
        cmocka_unit_test(test_unfinished_is_no_file),
        cmocka_unit_test(test_foreign_files),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
