/* The read stage on a drawn page: its rows, what its options leave out; skipped where the models
 * are not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/card.h"
#include "stage/stage.h"

static char models[600];

static void need_models(void)
{
    const char *const cards[] = {"ppocr-det-small", "ppocr-cls", "ppocr-rec-small"};
    snprintf(models, sizeof models, "%s/share/models", getenv("DF_SOURCE_DIR"));
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++)
        if (!df_card_installed(models, cards[i]))
            skip();
}

static df_image picture(const char *name)
{
    char path[600], *bytes;
    size_t size;
    df_image image = {0};
    snprintf(path, sizeof path, "%s/%s", getenv("DF_SOURCE_DIR"), name);
    assert_int_equal(df_file_read(path, 1 << 20, &bytes, &size, NULL), DF_OK);
    assert_int_equal(df_image_decode((const uint8_t *)bytes, size, 0, &image, NULL), DF_OK);
    free(bytes);
    return image;
}

/* What the stage writes for the page (image: NULL for a broken one) with one option set. */
static df_table *read_page(const df_image *image, const char *key, const char *value)
{
    const df_stage *stage = df_stage_find("read");
    void *config = calloc(1, stage->config_size), *state = NULL;
    df_run run = {.n_threads = 1, .models = models};
    df_error err = {""};
    df_table *out;
    df_arena arena = {0};
    df_sight sight = {.row = 7, .image = image};
    assert_int_equal(df_options_defaults(stage->options, config, &err), DF_OK);
    if (key)
        assert_int_equal(df_option_set(stage->options, config, "read", key, value, &err), DF_OK);
    assert_int_equal(df_table_create(&out, df_stage_columns(stage), NULL), DF_OK);
    if (stage->pixels->open(&state, NULL, config, &run, &err) != DF_OK ||
        stage->pixels->perceive(state, &sight, &arena, out, &err) != DF_OK)
        fail_msg("%s", err.message);
    stage->pixels->close(state);
    df_arena_reset(&arena);
    df_options_free(stage->options, config);
    free(config);
    return out;
}

static void rows_of_a_page(void **state)
{
    (void)state;
    need_models();
    df_image image = picture("tests/data/text_page_level.jpg");
    df_table *t = read_page(&image, NULL, NULL);
    const char *const want[] = {"Harbour Museum",
                                "Open daily 9:30 to 17:00",
                                "Tickets 12.50, children free",
                                "Please keep to the marked paths.",
                                "Platform 12",
                                "last ferry leaves at 18:45"};
    assert_int_equal(df_table_rows(t), 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(df_table_int(t, i, 0), 7);
        assert_int_equal(df_table_int(t, i, df_table_column(t, "paragraph")), i);
        assert_string_equal(df_table_text(t, i, df_table_column(t, "text")), want[i]);
        assert_true(df_table_real(t, i, df_table_column(t, "x2")) >
                    df_table_real(t, i, df_table_column(t, "x0")));
        assert_true(df_table_real(t, i, df_table_column(t, "y2")) >
                    df_table_real(t, i, df_table_column(t, "y0")));
    }
    df_table_close(t);
    df_image_free(&image);
}

static void options_leave_out(void **state)
{
    (void)state;
    need_models();
    df_image image = picture("tests/data/text_page_level.jpg");
    df_table *t = read_page(&image, "max_lines", "2"); /* the two largest, in reading order */
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(df_table_text(t, 0, 1), "Harbour Museum");
    assert_string_equal(df_table_text(t, 1, 1), "Open daily 9:30 to 17:00");
    df_table_close(t);
    t = read_page(&image, "min_chars", "22"); /* signs and spaces do not count */
    assert_int_equal(df_table_rows(t), 2);
    assert_string_equal(df_table_text(t, 0, 1), "Tickets 12.50, children free");
    df_table_close(t);
    t = read_page(NULL, NULL, NULL);
    assert_int_equal(df_table_rows(t), 0);
    df_table_close(t);
    df_image_free(&image);
}

/* The rows of windows in this photograph are read as "0000". */
static void windows_are_no_word(void **state)
{
    (void)state;
    need_models();
    df_image image = picture("samples/cameraman.webp");
    df_table *t = read_page(&image, NULL, NULL);
    assert_int_equal(df_table_rows(t), 0);
    df_table_close(t);
    df_image_free(&image);
}

static void depends_on_the_models(void **state)
{
    (void)state;
    need_models();
    const df_stage *stage = df_stage_find("read");
    void *config = calloc(1, stage->config_size);
    df_run run = {.models = models};
    df_str with = {0}, without = {0};
    assert_int_equal(df_options_defaults(stage->options, config, NULL), DF_OK);
    assert_int_equal(stage->depends(config, &run, &with, NULL), DF_OK);
    assert_int_equal(df_option_set(stage->options, config, "read", "orienter", "", NULL), DF_OK);
    assert_int_equal(stage->depends(config, &run, &without, NULL), DF_OK);
    assert_non_null(strstr(df_str_text(&with), "ppocr-cls"));
    assert_null(strstr(df_str_text(&without), "ppocr-cls"));
    assert_non_null(strstr(df_str_text(&without), "ppocr-rec-small"));
    df_str_free(&with);
    df_str_free(&without);
    df_options_free(stage->options, config);
    free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_page), cmocka_unit_test(options_leave_out),
        cmocka_unit_test(windows_are_no_word), cmocka_unit_test(depends_on_the_models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
