/* A folder to put inputs into, and `ingest` run on them as the pipeline runs it. For
 * test_ingest*.c. */
#ifndef DF_TESTS_INGEST_FIXTURE_H
#define DF_TESTS_INGEST_FIXTURE_H
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "image/image.h"
#include "pipeline/sight.h"
#include "stage/stage.h"

static char top[64];

static inline const char *at(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", top, name);
    return path;
}

static inline void shell(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "cd %s && %s", top, command);
    assert_int_equal(system(line), 0);
}

static inline void put(const char *name, const void *data, size_t size)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", at(name));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(df_file_mkdir(folder, NULL), DF_OK);
    assert_int_equal(df_file_write(at(name), data, size, NULL), DF_OK);
}

static inline void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

/* A plain picture; grey tells pictures apart. */
static inline void make_jpeg(int width, int height, int grey, uint8_t **bytes, size_t *size)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    assert_non_null(image.rgb);
    memset(image.rgb, grey, (size_t)width * (size_t)height * 3);
    assert_int_equal(df_image_encode_jpeg(&image, 90, bytes, size, NULL), DF_OK);
    df_image_free(&image);
}

static inline void put_jpeg(const char *name, int width, int height, int grey)
{
    uint8_t *bytes;
    size_t size;
    make_jpeg(width, height, grey, &bytes, &size);
    put(name, bytes, size);
    free(bytes);
}

/* ---- running a stage as the pipeline does ---- */

typedef struct {
    char text[4096];
} notes;

static inline void keep_note(void *ctx, const char *line)
{
    notes *n = ctx;
    assert_null(strchr(line, '\n'));
    snprintf(n->text + strlen(n->text), sizeof n->text - strlen(n->text), "%s\n", line);
}

static inline void *config_of(const df_stage *stage, const char *const *settings)
{
    void *config = calloc(1, stage->config_size);
    assert_int_equal(df_options_defaults(stage->options, config, NULL), DF_OK);
    for (; settings && settings[0]; settings += 2)
        assert_int_equal(
            df_option_set(stage->options, config, stage->name, settings[0], settings[1], NULL),
            DF_OK);
    return config;
}

static inline df_status ingest(const char *input, const char *out, int n_threads,
                               const char *const *settings, notes *n, df_error *err)
{
    const df_stage *stage = df_stage_find("ingest");
    void *config = config_of(stage, settings);
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, at(out), NULL), DF_OK);
    n->text[0] = '\0';
    err->message[0] = '\0';
    df_run run = {.n_threads = n_threads, .input = at(input), .note = keep_note, .ctx = n};
    df_status status = stage->run(ds, config, &run, err);
    df_dataset_close(ds);
    free(config);
    return status;
}

static inline df_table *part_of(const char *out, int part)
{
    char name[128];
    snprintf(name, sizeof name, "%s/ingest/part-%05d.parquet", out, part);
    df_table *t = NULL;
    assert_int_equal(df_table_read(&t, at(name), NULL), DF_OK);
    return t;
}

static inline const char *text(const df_table *t, int64_t row, const char *column)
{
    return df_table_text(t, row, df_table_column(t, column));
}

static inline int64_t number(const df_table *t, int64_t row, const char *column)
{
    return df_table_int(t, row, df_table_column(t, column));
}

static inline int64_t row_of(const df_table *t, const char *path)
{
    for (int64_t row = 0; row < df_table_rows(t); row++)
        if (strcmp(text(t, row, "path"), path) == 0)
            return row;
    return -1;
}

/* The reason under which a path was skipped; "" when it was not. */
static inline const char *skipped(const char *out, const char *path)
{
    static char reason[600];
    char name[128];
    snprintf(name, sizeof name, "%s/ingest/skipped.parquet", out);
    df_table *t = NULL;
    assert_int_equal(df_table_read(&t, at(name), NULL), DF_OK);
    reason[0] = '\0';
    int64_t row = row_of(t, path);
    if (row >= 0)
        snprintf(reason, sizeof reason, "%s", text(t, row, "reason"));
    df_table_close(t);
    return reason;
}

static inline bool same_file(const char *a, const char *b)
{
    char command[1024];
    snprintf(command, sizeof command, "cmp -s %s %s", at(a), at(b));
    return system(command) == 0;
}

/* What the runner finds when it opens the image of a row; NULL when it is fine. */
static inline const char *problem_of(const df_dataset *ds, const df_table *t, int64_t row)
{
    static char found[64];
    df_error err;
    df_pixels pixels = {0};
    df_sight sight = {.ingest = t, .row = row};
    assert_int_equal(df_sight_load(&sight, ds, &pixels, &err), DF_OK);
    assert_int_equal(df_sight_show(&sight, &pixels, DF_EDGE_WHOLE, &err), DF_OK);
    snprintf(found, sizeof found, "%s", sight.problem ? sight.problem : "");
    assert_int_equal(sight.problem != NULL, sight.image == NULL);
    assert_true(!sight.problem || strlen(sight.detail) > 0);
    df_pixels_free(&pixels);
    return sight.problem ? found : NULL;
}

static inline int run_in_folder(const struct CMUnitTest *tests, size_t n)
{
    snprintf(top, sizeof top, "/tmp/df-ingest-XXXXXX");
    if (!mkdtemp(top))
        return 1;
    int failed = _cmocka_run_group_tests("ingest", tests, n, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command) != 0 ? 1 : failed;
}
#endif
