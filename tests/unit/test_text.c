/* The text expert with the real models on drawn pages (tests/oracle/text_page.py); skipped where
 * they are not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "expert/expert.h"

static const char *const names[] = {"ppocr-det-small", "ppocr-cls", "ppocr-rec-small"};

static char *source_path(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", getenv("DF_SOURCE_DIR"), name);
    return path;
}

static df_expert_handle *open_expert(const char *const *cards)
{
    df_expert_handle *h = NULL;
    df_error err = {""};
    for (int i = 0; i < 3; i++)
        if (cards[i] && !df_card_installed(source_path("share/models"), cards[i])) {
            print_message("%s is not installed\n", cards[i]);
            skip();
        }
    if (df_expert_open(&h, source_path("share/models"), cards, 3, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    return h;
}

static df_image page(const char *name, int max_side)
{
    char file[64], *bytes;
    size_t size;
    df_image image = {0};
    snprintf(file, sizeof file, "tests/data/text_page_%s.jpg", name);
    assert_int_equal(df_file_read(source_path(file), 1 << 20, &bytes, &size, NULL), DF_OK);
    assert_int_equal(df_image_decode((const uint8_t *)bytes, size, max_side, &image, NULL), DF_OK);
    free(bytes);
    return image;
}

static const df_line *find_line(const df_percept *seen, const char *text)
{
    for (int i = 0; i < seen->n_lines; i++)
        if (strcmp(seen->lines[i].text, text) == 0)
            return &seen->lines[i];
    return NULL;
}

/* Every drawn line is read, and its quad begins at the text's own top left and ends at
 * its bottom right: text upside down or upright included. Boxes are wider than ink by
 * the detector's margin. */
static void assert_page(df_expert_handle *h, const char *name, int max_side, int n_lines)
{
    df_image image = page(name, max_side);
    df_arena arena = {0};
    df_percept seen = {0};
    df_error err = {""};
    if (df_expert_perceive(h, &image, NULL, &arena, &seen, &err) != DF_OK)
        fail_msg("%s", err.message);
    FILE *rows = fopen(source_path("tests/data/text_page.tsv"), "r");
    assert_non_null(rows);
    char row[256], on[32], text[100];
    double x0, y0, x1, y1;
    int n = 0;
    while (fgets(row, sizeof row, rows)) {
        assert_int_equal(
            sscanf(row, "%31[^\t]\t%99[^\t]\t%lf\t%lf\t%lf\t%lf", on, text, &x0, &y0, &x1, &y1), 6);
        if (strcmp(on, name) != 0)
            continue;
        const df_line *l = find_line(&seen, text);
        if (!l)
            fail_msg("page %s: \"%s\" was not read", name, text);
        assert_true(l->score >= 0.9 && l->score <= 1);
        assert_true(hypot(l->x[0] - x0, l->y[0] - y0) < 20 &&
                    hypot(l->x[2] - x1, l->y[2] - y1) < 20);
        n++;
    }
    assert_int_equal(n, n_lines);
    assert_int_equal(seen.n_lines, n_lines);
    fclose(rows);
    df_arena_reset(&arena);
    df_image_free(&image);
}

static void drawn_pages(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert(names);
    assert_page(h, "level", 0, 6);
    assert_page(h, "turned", 0, 5);
    df_expert_close(h);
}

/* The pixels handed over are fewer than the file's; quads are in the file's. */
static void a_smaller_copy(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert(names);
    assert_page(h, "level", 600, 6);
    df_expert_close(h);
}

static void small_and_without_orienter(void **state)
{
    (void)state;
    const char *const tiny[] = {"ppocr-det-tiny", NULL, "ppocr-rec-tiny"};
    df_expert_handle *h = open_expert(tiny);
    df_image image = page("level", 0);
    df_arena arena = {0};
    df_percept seen = {0};
    assert_int_equal(df_expert_perceive(h, &image, NULL, &arena, &seen, NULL), DF_OK);
    assert_non_null(find_line(&seen, "Harbour Museum"));
    assert_non_null(find_line(&seen, "Open daily 9:30 to 17:00"));
    df_arena_reset(&arena);
    df_image_free(&image);
    df_expert_close(h);
}

static void assert_no_text(df_expert_handle *h, int width, int height, int noise)
{
    df_image image = {width, height, width, height, malloc((size_t)width * (size_t)height * 3)};
    unsigned seed = 11;
    for (int i = 0; i < width * height * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        image.rgb[i] = (uint8_t)(noise ? seed >> 24 : 255);
    }
    df_arena arena = {0};
    df_percept seen = {0};
    df_error err = {""};
    if (df_expert_perceive(h, &image, NULL, &arena, &seen, &err) != DF_OK)
        fail_msg("%d x %d: %s", width, height, err.message);
    for (int i = 0; i < seen.n_lines; i++)
        if (seen.lines[i].score >= 0.7)
            fail_msg("%d x %d, noise %d: \"%s\" %.2f", width, height, noise, seen.lines[i].text,
                     seen.lines[i].score);
    df_arena_reset(&arena);
    df_image_free(&image);
}

static void images_without_text(void **state)
{
    (void)state;
    df_expert_handle *h = open_expert(names);
    for (int noise = 0; noise < 2; noise++) {
        assert_no_text(h, 1, 1, noise);
        assert_no_text(h, 1, 3000, noise);
        assert_no_text(h, 3000, 1, noise);
        assert_no_text(h, 500, 400, noise);
    }
    df_expert_close(h);
}

typedef struct {
    df_expert_handle *h;
    const df_image *image;
    char said[4][1024];
} shared;

static df_status say_lines(void *ctx, int64_t item, int thread, df_error *err)
{
    (void)thread;
    shared *s = ctx;
    df_arena arena = {0};
    df_percept seen = {0};
    DF_TRY(df_expert_perceive(s->h, s->image, NULL, &arena, &seen, err));
    size_t n = 0;
    for (int i = 0; i < seen.n_lines && n < sizeof s->said[item]; i++)
        n += (size_t)snprintf(s->said[item] + n, sizeof s->said[item] - n, "%s %a %a;",
                              seen.lines[i].text, seen.lines[i].score, seen.lines[i].x[0]);
    df_arena_reset(&arena);
    return DF_OK;
}

/* One expert under four threads says the same to the last bit. */
static void threads_agree(void **state)
{
    (void)state;
    df_image image = page("turned", 320);
    shared s = {.h = open_expert(names), .image = &image};
    assert_int_equal(df_pool_run(4, 4, say_lines, &s, NULL), DF_OK);
    assert_true(strlen(s.said[0]) > 20);
    for (int i = 1; i < 4; i++)
        assert_string_equal(s.said[i], s.said[0]);
    df_image_free(&image);
    df_expert_close(s.h);
}

static void cards_in_the_wrong_place(void **state)
{
    (void)state;
    const char *const wrong[] = {"ppocr-rec-small", "ppocr-cls", "ppocr-det-small"},
                      *const missing[] = {names[0], NULL, NULL};
    df_expert_handle *h = NULL;
    df_error err = {""};
    df_expert_close(open_expert(names));     /* skips when they are not installed */
    assert_int_equal(df_expert_open(&h, source_path("share/models"), wrong, 3, NULL, &err),
                     DF_CONFIG);
    assert_non_null(strstr(err.message, "ppocr-rec-small"));
    assert_int_equal(df_expert_open(&h, source_path("share/models"), missing, 3, NULL, &err),
                     DF_CONFIG);
    assert_null(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(drawn_pages),
                                       cmocka_unit_test(a_smaller_copy),
                                       cmocka_unit_test(small_and_without_orienter),
                                       cmocka_unit_test(images_without_text),
                                       cmocka_unit_test(threads_agree),
                                       cmocka_unit_test(cards_in_the_wrong_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
