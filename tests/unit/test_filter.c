/* Every rejected row has its reason, and no two reasons fight: the first that applies is the one
 * told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage/stage.h"
#include "typed.h"

enum { N_ROWS = 7 };
static char folder[64];

static const df_column columns[] = {
    {"row", DF_COLUMN_INT, NULL},     {"path", DF_COLUMN_TEXT, NULL},
    {"hash", DF_COLUMN_TEXT, NULL},   {"width", DF_COLUMN_INT, NULL},
    {"height", DF_COLUMN_INT, NULL},  {"problem", DF_COLUMN_TEXT, NULL},
    {"detail", DF_COLUMN_TEXT, NULL}, {0}};
typedef struct {
    const char *path, *hash;
    int width, height;
    const char *problem, *detail;
    const char *reason;
} image_case;

/* reason: expected; NULL is kept. Two parts, so that a copy in the second finds its original in the
 * first. */
static const image_case parts[2][N_ROWS] = {
    {{"a.jpg", "h1", 448, 600, NULL, NULL, NULL},
     {"b.jpg", "h2", 447, 600, NULL, NULL, "small"},
     {"c.jpg", "h3", 448, 1793, NULL, NULL, "aspect"},
     {"d.jpg", "h1", 448, 600, NULL, NULL, "duplicate"},
     {"e.jpg", NULL, 0, 0, "unreadable", "not an image in a known format", "unreadable"},
     {"f.jpg", NULL, 448, 1792, NULL, NULL, NULL},
     {"http://x/m", NULL, 448, 600, "not fetched", "a URL without a file", "not fetched"}},
    {{"g.jpg", "h1", 448, 600, NULL, NULL, "duplicate"},
     {"h.jpg", NULL, 448, 600, NULL, NULL, NULL},
     {"i.jpg", "h9", 500, 500, NULL, NULL, NULL},
     {"j.jpg", NULL, 0, 0, "missing", "no such file", "missing"},
     {"k.jpg", "h2", 447, 600, NULL, NULL, "small"},
     {"l.jpg", "h9", 500, 500, NULL, NULL, "duplicate"},
     {"http://x/n", NULL, 0, 0, "not fetched", "a URL without a file", "not fetched"}},
};

static df_table *ingest_of(int part)
{
    df_table *t;
    assert_int_equal(df_table_create(&t, columns, NULL), DF_OK);
    for (int i = 0; i < N_ROWS; i++) {
        const image_case *c = &parts[part][i];
        df_value v[] = {DF_INT(i),
                        DF_TEXT(c->path),
                        DF_TEXT(c->hash),
                        c->width ? DF_INT(c->width) : DF_NULL,
                        c->height ? DF_INT(c->height) : DF_NULL,
                        DF_TEXT(c->problem),
                        DF_TEXT(c->detail)};
        assert_int_equal(df_table_append(t, v, NULL), DF_OK);
    }
    return t;
}

static const char *text(const df_table *t, int64_t row, const char *column)
{
    return df_table_text(t, row, df_table_column(t, column));
}

/* Shows the rows of both parts to the stage; its table of `part` comes back. */
static df_table *judge(const char *const *settings, int part, const char *problem)
{
    const df_stage *stage = df_stage_find("filter");
    void *config = calloc(1, stage->config_size), *state = NULL;
    df_dataset *ds;
    df_table *out, *tables[2];
    char models[512];
    snprintf(models, sizeof models, "%s/tests/oracle/vision", getenv("DF_SOURCE_DIR"));
    df_run run = {.n_threads = 1, .models = models};
    df_image pixel = {1, 1, 1, 1, (uint8_t[]){0, 0, 0}};
    const bool looks = settings && strcmp(settings[0], "safety_model") == 0;
    assert_int_equal(df_options_defaults(stage->options, config, NULL), DF_OK);
    for (; settings && settings[0]; settings += 2)
        assert_int_equal(
            df_option_set(stage->options, config, "filter", settings[0], settings[1], NULL), DF_OK);
    assert_int_equal(df_dataset_create(&ds, folder, NULL), DF_OK);
    for (int i = 0; i < 2; i++) {
        tables[i] = typed(&df_ingest_table, ingest_of(i));
        assert_int_equal(df_dataset_write(ds, "ingest", i, tables[i], NULL), DF_OK);
    }
    assert_int_equal(stage->pixels->open(&state, ds, config, &run, NULL), DF_OK);
    assert_int_equal(df_table_create(&out, df_stage_columns(stage), NULL), DF_OK);
    for (int64_t row = 0; row < N_ROWS; row++) {
        df_sight sight = {.ingest = tables[part], .part = part, .row = row};
        assert_int_equal(stage->pixels->screen(state, &sight, out, NULL), DF_OK);
        if (sight.rejected)
            continue;
        sight.image = problem ? NULL : &pixel;
        sight.problem = problem;
        sight.detail = problem ? "it broke off" : NULL;
        df_arena arena = {0};
        assert_int_equal(stage->pixels->perceive(state, &sight, &arena, out, NULL), DF_OK);
        if (!looks) /* what the picture shows is the test's matter */
            assert_int_equal(sight.rejected, problem && !parts[part][row].problem);
        df_arena_reset(&arena);
    }
    stage->pixels->close(state);
    for (int i = 0; i < 2; i++)
        df_table_close(tables[i]);
    df_dataset_close(ds);
    df_options_free(stage->options, config);
    free(config);
    return out;
}

static void every_reason_is_told(void **state)
{
    (void)state;
    for (int part = 0; part < 2; part++) {
        df_table *t = judge(NULL, part, NULL);
        assert_int_equal(df_table_rows(t), N_ROWS);
        for (int64_t i = 0; i < N_ROWS; i++) {
            const char *reason = parts[part][i].reason;
            assert_int_equal(df_table_int(t, i, 0), i);
            assert_int_equal(df_table_int(t, i, df_table_column(t, "kept")), reason == NULL);
            assert_string_equal(text(t, i, "reason"), reason ? reason : "");
            assert_int_equal(df_table_null(t, i, df_table_column(t, "reason")), reason == NULL);
            assert_true(!reason || strlen(text(t, i, "detail")) > 0);
        }
        df_table_close(t);
    }
    df_table *t = judge(NULL, 0, NULL);
    assert_string_equal(text(t, 1, "detail"), "short edge 447 px is below 448");
    assert_string_equal(text(t, 3, "detail"), "same bytes as a.jpg (part 0, row 0)");
    df_table_close(t);
}

static void options_change_the_verdict(void **state)
{
    (void)state;
    static const char *const loose[] = {"min_side",   "0",     "max_aspect", "100",
                                        "duplicates", "false", NULL};
    df_table *t = judge(loose, 0, NULL);
    int64_t kept = 0;
    for (int64_t i = 0; i < N_ROWS; i++)
        kept += df_table_int(t, i, df_table_column(t, "kept"));
    assert_int_equal(kept, 5);
    df_table_close(t);
}

static void what_the_pixels_show_comes_last(void **state)
{
    (void)state;
    df_table *t = judge(NULL, 0, "truncated");
    assert_string_equal(text(t, 0, "reason"), "truncated");
    assert_string_equal(text(t, 0, "detail"), "it broke off");
    assert_string_equal(text(t, 1, "reason"), "small");
    df_table_close(t);
}

/* tiny-unsafe says 0.75 of every picture. */
static void pictures_that_are_not_safe(void **state)
{
    (void)state;
    static const char *const strict[] = {"safety_model", "tiny-unsafe", "safety", "0.7", NULL};
    static const char *const loose[] = {"safety_model", "tiny-unsafe", "safety", "0.8", NULL};
    df_table *t = judge(strict, 0, NULL);
    assert_int_equal(df_table_int(t, 0, df_table_column(t, "kept")), 0);
    assert_string_equal(text(t, 0, "reason"), "unsafe");
    assert_string_equal(text(t, 0, "detail"), "unsafe score 0.750 is above 0.7");
    assert_string_equal(text(t, 1, "reason"), "small"); /* known without a look */
    df_table_close(t);
    t = judge(loose, 0, NULL);
    assert_int_equal(df_table_int(t, 0, df_table_column(t, "kept")), 1);
    df_table_close(t);
}

static void rows_without_a_file_are_judged_by_the_list(void **state)
{
    (void)state;
    static const char *const unfetched[] = {"unfetched", "true", NULL};
    df_table *t = judge(unfetched, 0, "not fetched");
    assert_int_equal(df_table_int(t, 6, df_table_column(t, "kept")), 1);
    /* a file that could not be read is another matter */
    assert_string_equal(text(t, 0, "reason"), "not fetched");
    assert_string_equal(text(t, 4, "reason"), "unreadable");
    df_table_close(t);
    t = judge(unfetched, 1, "not fetched");
    assert_string_equal(text(t, 3, "reason"), "missing");
    assert_string_equal(text(t, 6, "reason"), "no size");
    df_table_close(t);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/df-filter-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_told), cmocka_unit_test(options_change_the_verdict),
        cmocka_unit_test(what_the_pixels_show_comes_last),
        cmocka_unit_test(pictures_that_are_not_safe),
        cmocka_unit_test(rows_without_a_file_are_judged_by_the_list)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 ? 1 : failed;
}
