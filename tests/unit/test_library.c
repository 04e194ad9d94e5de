/* densefusion.h as a user has it: a run over a folder, one image from memory, and what mistakes
 * say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "densefusion.h"

#include "base/file.h"
#include "io/json.h"

/* Without installed models the experts are left out: the rest of the library is tested all the
 * same. */
static df_pipeline *open_pipeline(void)
{
    df_pipeline *p;
    df_error err = {""};
    char path[600];
    snprintf(path, sizeof path, "%s/share/models/nanodet.onnx", getenv("DF_SOURCE_DIR"));
    assert_int_equal(df_pipeline_open(&p, NULL, &err), DF_OK);
    if (!df_file_exists(path))
        assert_int_equal(df_pipeline_set(p, "run.skip", "tag,detect,read", &err), DF_OK);
    return p;
}

static void read_sample(const char *name, char **bytes, size_t *size)
{
    char path[600];
    snprintf(path, sizeof path, "%s/samples/%s", getenv("DF_SOURCE_DIR"), name);
    assert_int_equal(df_file_read(path, 1 << 24, bytes, size, NULL), DF_OK);
}

static int copy_samples(void **state)
{
    static const char *const names[] = {"two-dogs.jpg", "raccoon.jpg", "raccoon.txt"};
    (void)state;
    assert_int_equal(system("rm -rf library.test"), 0);
    assert_int_equal(df_file_mkdir("library.test/in", NULL), DF_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *bytes, path[100];
        size_t size;
        read_sample(names[i], &bytes, &size);
        snprintf(path, sizeof path, "library.test/in/%s", names[i]);
        assert_int_equal(df_file_write(path, bytes, size, NULL), DF_OK);
        free(bytes);
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    return system("rm -rf library.test");
}

/* Captions of the run, by line of captions.jsonl: raccoon, two-dogs. */
static void read_captions(char *captions[2], char *alts[2])
{
    char *text, *line;
    size_t size;
    assert_int_equal(df_file_read("library.test/out/captions.jsonl", 1 << 20, &text, &size, NULL),
                     DF_OK);
    line = text;
    for (int i = 0; i < 2; i++) {
        df_json *root;
        size_t n = strcspn(line, "\n");
        assert_int_equal(df_json_parse(&root, line, n, "line", NULL), DF_OK);
        const char *alt = df_json_text(df_json_member(root, "alt_text"));
        captions[i] = strdup(df_json_text(df_json_member(root, "caption")));
        alts[i] = alt ? strdup(alt) : NULL;
        df_json_close(root);
        line += n + 1;
    }
    free(text);
}

static void image_from_memory_reads_as_in_a_run(void **state)
{
    static const char *const names[] = {"raccoon.jpg", "two-dogs.jpg"};
    df_error err = {""};
    char *captions[2], *alts[2];
    (void)state;
    df_pipeline *p = open_pipeline();
    if (df_pipeline_run(p, "library.test/in", "library.test/out", &err) != DF_OK)
        fail_msg("%s", err.message);
    read_captions(captions, alts);
    assert_non_null(alts[0]);
    for (int i = 0; i < 2; i++) {
        char *bytes, *caption = NULL;
        size_t size;
        read_sample(names[i], &bytes, &size);
        if (df_pipeline_caption(p, bytes, size, alts[i], &caption, &err) != DF_OK)
            fail_msg("%s", err.message);
        assert_string_equal(caption, captions[i]);
        free(caption);
        free(captions[i]);
        free(alts[i]);
        free(bytes);
    }
    df_pipeline_close(p);
}

static void broken_bytes_are_one_line(void **state)
{
    (void)state;
    df_error err = {""};
    df_pipeline *p = open_pipeline();
    char *bytes, *caption = NULL;
    size_t size;
    read_sample("raccoon.jpg", &bytes, &size);
    assert_int_equal(df_pipeline_caption(p, "no image", 8, NULL, &caption, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "unreadable"));
    assert_int_equal(df_pipeline_caption(p, "", 0, NULL, &caption, &err), DF_FORMAT);
    assert_int_equal(df_pipeline_caption(p, bytes, size / 2, NULL, &caption, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "truncated"));
    assert_null(caption);
    /* it goes on */
    assert_int_equal(df_pipeline_caption(p, bytes, size, "alt \xFF\n[IMAGE]", &caption, &err),
                     DF_OK);
    assert_non_null(caption);
    free(caption);
    free(bytes);
    df_pipeline_close(p);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    df_error err = {""};
    df_pipeline *p = NULL;
    assert_int_equal(df_pipeline_open(&p, "missing.yaml", &err), DF_IO);
    assert_non_null(strstr(err.message, "missing.yaml"));
    assert_null(p);
    p = open_pipeline();
    assert_int_equal(df_pipeline_set(p, "filter.min_side", "wide", &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "filter.min_side"));
    assert_int_equal(df_pipeline_set(p, "caption.engine", "none", &err), DF_OK);
    char *bytes, *caption = NULL;
    size_t size;
    read_sample("raccoon.jpg", &bytes, &size);
    assert_int_equal(df_pipeline_caption(p, bytes, size, NULL, &caption, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "caption.engine"));
    assert_int_equal(df_pipeline_run(p, "no-such-folder", "library.test/none", &err), DF_IO);
    assert_non_null(strstr(err.message, "no-such-folder"));
    assert_int_equal(df_pipeline_set(p, "caption.engine", "compose", &err), DF_OK);
    assert_int_equal(df_pipeline_caption(p, bytes, size, NULL, &caption, &err), DF_OK);
    free(caption);
    free(bytes);
    df_pipeline_close(p);
    df_pipeline_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(image_from_memory_reads_as_in_a_run),
                                       cmocka_unit_test(broken_bytes_are_one_line),
                                       cmocka_unit_test(mistakes_are_named)};
    return cmocka_run_group_tests(tests, copy_samples, clean);
}
