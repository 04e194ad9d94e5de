/* The library in a program that has called setlocale: a decimal comma, and Turkish, whose small "I"
 * is no "i". The same input gives the same bytes as in "C", and the program's locale is left as it
 * was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "densefusion.h"

static const char config[] = "ingest: {part_rows: 2}\n"
                             "filter: {min_side: 1, max_aspect: 9.5}\n"
                             "detect: {models: tiny-nanodet, threshold: 0.4, slice_overlap: 0.25,\n"
                             "         from: locale.test/boxes.jsonl}\n"
                             "fuse: {accept: \"tiny-nanodet=0.55, imported=0.25\"}\n"
                             "check: {max_repetition: 0.75}\n"
                             "run: {threads: 3, models: locale.test/models}\n";
static const char boxes[] =
    "{\"path\": \"raccoon.jpg\", \"label\": \"INDIAN LION\", \"score\": 0.625, "
    "\"x0\": 10.5, \"y0\": 20.25, \"x1\": 300.75, \"y1\": 200.5}\n";
static const char list[] =
    "PATH,TITLE,WIDTH,HEIGHT\nraccoon.jpg,A RACCOON IN A TREE,500.5,400.5\ntwo-dogs.jpg,,,\n"
    "DEFLATE.TIFF,TINY TILES,64,48\nhttps://example.org/I.jpg,,640.5,480.5\n";

static void copy(const char *from, const char *to)
{
    char path[600], *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", getenv("DF_SOURCE_DIR"), from);
    assert_int_equal(df_file_read(path, 1 << 24, &bytes, &size, NULL), DF_OK);
    snprintf(path, sizeof path, "locale.test/%s", to);
    assert_int_equal(df_file_write(path, bytes, size, NULL), DF_OK);
    free(bytes);
}

/* The locales are made here: no test depends on what a machine has generated. */
static bool make_locale(const char *language)
{
    char command[200];
    snprintf(command, sizeof command, "localedef -i %s -f UTF-8 locale.test/%s.UTF-8 2>&1",
             language, language);
    return system(command) == 0;
}

static df_pipeline *open_pipeline(void)
{
    df_pipeline *p = NULL;
    df_error err = {""};
    if (df_pipeline_open(&p, "locale.test/config.yaml", &err) != DF_OK ||
        df_pipeline_set(p, "run.skip", "embed,cluster,dedup,select,tag,read", &err) != DF_OK ||
        df_pipeline_set(p, "dedup.eps", "0.125", &err) != DF_OK)
        fail_msg("%s", err.message);
    return p;
}

static void run_all(const char *keep_as)
{
    df_error err = {""};
    char command[100], *bytes, *caption = NULL;
    size_t size;
    df_pipeline *p = open_pipeline();
    assert_int_equal(system("rm -rf locale.test/out"), 0);
    if (df_pipeline_run(p, "locale.test/list.csv", "locale.test/out", &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_file_read("locale.test/raccoon.jpg", 1 << 24, &bytes, &size, NULL), DF_OK);
    /* which one image cannot have */
    assert_int_equal(df_pipeline_set(p, "detect.from", "", &err), DF_OK);
    if (df_pipeline_caption(p, bytes, size, "A RACCOON IN A TREE", &caption, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_file_write("locale.test/out/one.txt", caption, strlen(caption), NULL),
                     DF_OK);
    df_pipeline_close(p);
    free(caption);
    free(bytes);
    snprintf(command, sizeof command, "rm -rf locale.test/%s && mv locale.test/out locale.test/%s",
             keep_as, keep_as);
    assert_int_equal(system(command), 0);
}

static int prepare(void **state)
{
    (void)state;
    assert_int_equal(system("rm -rf locale.test"), 0);
    assert_int_equal(df_file_mkdir("locale.test/models", NULL), DF_OK);
    assert_int_equal(df_file_write("locale.test/config.yaml", config, sizeof config - 1, NULL),
                     DF_OK);
    assert_int_equal(df_file_write("locale.test/boxes.jsonl", boxes, sizeof boxes - 1, NULL),
                     DF_OK);
    assert_int_equal(df_file_write("locale.test/list.csv", list, sizeof list - 1, NULL), DF_OK);
    copy("samples/raccoon.jpg", "raccoon.jpg");
    copy("samples/two-dogs.jpg", "two-dogs.jpg");
    copy("tests/data/image/deflate.tiff", "DEFLATE.TIFF");
    copy("tests/oracle/vision/tiny-nanodet.yaml", "models/tiny-nanodet.yaml");
    copy("tests/oracle/vision/tiny-nanodet.onnx", "models/tiny-nanodet.onnx");
    copy("tests/oracle/vision/three.labels.txt", "models/three.labels.txt");
    setenv("LOCPATH", "locale.test", 1);
    run_all("C");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    setlocale(LC_ALL, "C");
    return system("rm -rf locale.test");
}

static void same_bytes_in(const char *language)
{
    char name[40], command[100];
    if (!make_locale(language)) {
        print_message("no localedef or no sources of %s: the package locales is not installed\n",
                      language);
        skip();
    }
    snprintf(name, sizeof name, "%s.UTF-8", language);
    assert_non_null(setlocale(LC_ALL, name));
    assert_string_equal(localeconv()->decimal_point, ",");
    run_all(language);
    /* the program's own is as it was */
    assert_string_equal(localeconv()->decimal_point, ",");
    assert_true(uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
    assert_float_equal(strtod("0,5", NULL), 0.5, 0);
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "diff -r locale.test/C locale.test/%s", language);
    assert_int_equal(system(command), 0);
}

static void a_decimal_comma(void **state)
{
    (void)state;
    same_bytes_in("de_DE");
}

static void turkish_letters(void **state)
{
    (void)state;
    same_bytes_in("tr_TR");
}

/* A thread of the program may have a locale of its own: that is put back too. */
static void a_thread_keeps_its_own(void **state)
{
    (void)state;
    if (!df_file_exists("locale.test/de_DE.UTF-8"))
        skip();
    df_error err = {""};
    assert_non_null(setlocale(LC_ALL, "de_DE.UTF-8"));
    /* newlocale itself leaks where LOCPATH is set */
    locale_t german = duplocale(LC_GLOBAL_LOCALE);
    setlocale(LC_ALL, "C");
    uselocale(german);
    assert_string_equal(localeconv()->decimal_point, ",");
    df_pipeline *p = open_pipeline();
    assert_int_equal(df_pipeline_run(p, "no-such-folder", "locale.test/none", &err), DF_IO);
    assert_string_equal(err.message, "open no-such-folder: No such file or directory");
    df_pipeline_close(p);
    assert_true(uselocale((locale_t)0) == german);
    uselocale(LC_GLOBAL_LOCALE);
    freelocale(german);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_decimal_comma),
                                       cmocka_unit_test(turkish_letters),
                                       cmocka_unit_test(a_thread_keeps_its_own)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
