/* A small finished dataset with hostile text in it, made without running the stages that make one.
 * For tests of what reads it. */
#ifndef DF_TEST_FIXTURE_H
#define DF_TEST_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/dataset.h"
#include "image/image.h"
#include "stage/stage.h"
#include "typed.h"

#define HOSTILE_ALT                                                                                \
    "<img src=x onerror=window.hacked=1> \"Rex\" & friends "                                       \
    "</script><script>window.hacked=2</script>"
#define DOG_CAPTION                                                                                \
    "A brown d\xC3\xB6g \xF0\x9F\x90\x95 stands left of a red ball. The words \"CAF\xC3\x89 "      \
    "REX\" are on a sign."
#define MARKED_CAPTION                                                                             \
    "<image> A grey wall. </script><script>window.hacked=3</script> <ima<image>ge>"

/* The columns of which the rows below give values; the others are null. */
static const int fixture_ingest[] = {DF_INGEST_ROW,         DF_INGEST_PATH,     DF_INGEST_SOURCE,
                                     DF_INGEST_OFFSET,      DF_INGEST_SIZE,     DF_INGEST_HASH,
                                     DF_INGEST_FORMAT,      DF_INGEST_WIDTH,    DF_INGEST_HEIGHT,
                                     DF_INGEST_ORIENTATION, DF_INGEST_ALT_TEXT, DF_INGEST_URL,
                                     DF_INGEST_PROBLEM,     DF_INGEST_DETAIL,   -1};
static const int fixture_filter[] = {DF_FILTER_ROW, DF_FILTER_KEPT, DF_FILTER_REASON,
                                     DF_FILTER_DETAIL, -1};
static const int fixture_tag[] = {DF_TAG_ROW, DF_TAG_TAG, DF_TAG_SCORE, DF_TAG_SOURCE, -1};
static const int fixture_detect[] = {DF_DETECT_ROW, DF_DETECT_LABEL,  DF_DETECT_SCORE,
                                     DF_DETECT_X0,  DF_DETECT_Y0,     DF_DETECT_X1,
                                     DF_DETECT_Y1,  DF_DETECT_SOURCE, -1};
static const int fixture_read[] = {DF_READ_ROW, DF_READ_TEXT, DF_READ_SCORE, DF_READ_X0,
                                   DF_READ_Y0,  DF_READ_X1,   DF_READ_Y1,    DF_READ_X2,
                                   DF_READ_Y2,  DF_READ_X3,   DF_READ_Y3,    -1};
static const int fixture_look[] = {
    DF_LOOK_ROW,        DF_LOOK_KIND,     DF_LOOK_ITEM,       DF_LOOK_COLOURS, DF_LOOK_SHARES,
    DF_LOOK_BRIGHTNESS, DF_LOOK_CONTRAST, DF_LOOK_SATURATION, DF_LOOK_DETAIL,  -1};
static const int fixture_fuse[] = {DF_FUSE_ROW,
                                   DF_FUSE_PROMPT,
                                   DF_FUSE_N_TAGS,
                                   DF_FUSE_N_BOXES,
                                   DF_FUSE_N_LINES,
                                   DF_FUSE_EVIDENCE_HASH,
                                   -1};
static const int fixture_fused[] = {DF_FUSE_EVIDENCE_ROW,
                                    DF_FUSE_EVIDENCE_KIND,
                                    DF_FUSE_EVIDENCE_ITEM,
                                    DF_FUSE_EVIDENCE_TEXT,
                                    DF_FUSE_EVIDENCE_SCORE,
                                    DF_FUSE_EVIDENCE_SOURCE,
                                    DF_FUSE_EVIDENCE_X0,
                                    DF_FUSE_EVIDENCE_Y0,
                                    DF_FUSE_EVIDENCE_X1,
                                    DF_FUSE_EVIDENCE_Y1,
                                    -1};
static const int fixture_left[] = {DF_FUSE_LEFT_ROW,  DF_FUSE_LEFT_KIND,   DF_FUSE_LEFT_ITEM,
                                   DF_FUSE_LEFT_TEXT, DF_FUSE_LEFT_SCORE,  DF_FUSE_LEFT_SOURCE,
                                   DF_FUSE_LEFT_X0,   DF_FUSE_LEFT_Y0,     DF_FUSE_LEFT_X1,
                                   DF_FUSE_LEFT_Y1,   DF_FUSE_LEFT_REASON, -1};
static const int fixture_caption[] = {DF_CAPTION_ROW,
                                      DF_CAPTION_CAPTION,
                                      DF_CAPTION_ERROR,
                                      DF_CAPTION_ENGINE,
                                      DF_CAPTION_MODEL,
                                      DF_CAPTION_FINISH,
                                      DF_CAPTION_PROMPT_TOKENS,
                                      DF_CAPTION_COMPLETION_TOKENS,
                                      DF_CAPTION_ATTEMPTS,
                                      DF_CAPTION_KEY,
                                      -1};
static const int fixture_check[] = {
    DF_CHECK_ROW,         DF_CHECK_VERDICT,       DF_CHECK_REASONS,    DF_CHECK_WORDS,
    DF_CHECK_TEXT_RECALL, DF_CHECK_OBJECT_RECALL, DF_CHECK_REPETITION, -1};
static const int fixture_support[] = {DF_CHECK_SUPPORT_ROW,  DF_CHECK_SUPPORT_FIRST,
                                      DF_CHECK_SUPPORT_END,  DF_CHECK_SUPPORT_KIND,
                                      DF_CHECK_SUPPORT_ITEM, -1};

/* Rows are given as values, one after another, of the columns listed (-1 ends them). */
static inline void fixture_put(const df_dataset *ds, const char *stage, int part,
                               const int *columns, const df_value *values, int n_rows)
{
    const df_table_type *type = type_of(stage);
    df_table *t;
    df_error err = {""};
    assert_int_equal(df_table_create(&t, type->columns, NULL), DF_OK);
    for (int row = 0; row < n_rows; row++) {
        df_value cells[64];
        for (int c = 0; c < 64; c++)
            cells[c] = DF_NULL;
        for (int k = 0; columns[k] >= 0; k++)
            cells[columns[k]] = *values++;
        assert_int_equal(df_table_append(t, cells, NULL), DF_OK);
    }
    if (df_dataset_write(ds, stage, part, t, &err) != DF_OK)
        fail_msg("%s", err.message);
    df_table_close(t);
}

typedef struct {
    int64_t size;
    char hash[DF_HASH_HEX];
} fixture_file;

/* A picture with a gradient and a block, so that a thumbnail is seen to be one. Returns what ingest
 * says of it. */
static inline fixture_file fixture_picture(const char *path, int width, int height, int hue)
{
    df_image image = {.width = width, .height = height, .full_width = width, .full_height = height};
    image.rgb = malloc((size_t)width * (size_t)height * 3);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *p = image.rgb + ((size_t)y * (size_t)width + (size_t)x) * 3;
            bool block = x > width / 10 && x < width / 2 && y > height / 5 && y < height * 4 / 5;
            p[0] = (uint8_t)(block ? 160 : x * 255 / width);
            p[1] = (uint8_t)(block ? 90 : hue);
            p[2] = (uint8_t)(block ? 40 : y * 255 / height);
        }
    uint8_t *bytes;
    size_t size;
    assert_int_equal(df_image_encode_jpeg(&image, 85, &bytes, &size, NULL), DF_OK);
    assert_int_equal(df_file_write(path, bytes, size, NULL), DF_OK);
    fixture_file file = {.size = (int64_t)size};
    df_hash_hex(bytes, size, file.hash);
    free(bytes);
    free(image.rgb);
    return file;
}

#define NIL DF_NULL
#define ROW_OF(row, path, file, w, h, alt, problem)                                                \
    DF_INT(row), DF_TEXT(path), DF_TEXT(path), NIL, DF_INT((file).size), DF_TEXT((file).hash),     \
        DF_TEXT("jpeg"), DF_INT(w), DF_INT(h), DF_INT(1), DF_TEXT((const char *)(alt)), NIL,       \
        DF_TEXT((const char *)(problem)), NIL

static inline void fixture_part0(const df_dataset *ds, const fixture_file *files)
{
    const fixture_file broken = {7, "00"};
    const df_value ingest[] = {
        ROW_OF(0, "dog & ball.jpg", files[0], 800, 600, HOSTILE_ALT, NULL),
        ROW_OF(1, "tiny.jpg", files[1], 64, 48, NULL, NULL),
        ROW_OF(2, "<b>wall<b>.jpg", files[2], 500, 900, "A wall, <image>", NULL),
        ROW_OF(3, "broken.jpg", broken, 0, 0, NULL, "unreadable"),
        ROW_OF(4, "sea.jpg", files[3], 640, 480, NULL, NULL)};
    fixture_put(ds, "ingest", 0, fixture_ingest, ingest, 5);
    const df_value filter[] = {DF_INT(0),
                               DF_BOOL(true),
                               NIL,
                               NIL,
                               DF_INT(1),
                               DF_BOOL(false),
                               DF_TEXT("small"),
                               DF_TEXT("short edge 48 px is below 448"),
                               DF_INT(2),
                               DF_BOOL(true),
                               NIL,
                               NIL,
                               DF_INT(3),
                               DF_BOOL(false),
                               DF_TEXT("unreadable"),
                               DF_TEXT("not an image"),
                               DF_INT(4),
                               DF_BOOL(true),
                               NIL,
                               NIL};
    fixture_put(ds, "filter", 0, fixture_filter, filter, 5);
    const df_value tags[] = {DF_INT(0), DF_TEXT("golden retriever"), DF_REAL(0.8), DF_TEXT("tags"),
                             DF_INT(0), DF_TEXT("<u>ball</u>"),      DF_REAL(0.4), DF_TEXT("tags"),
                             DF_INT(4), DF_TEXT("seashore"),         DF_REAL(0.7), DF_TEXT("tags")};
    fixture_put(ds, "tag", 0, fixture_tag, tags, 3);
    const df_value boxes[] = {
        DF_INT(0),       DF_TEXT("dog"), DF_REAL(0.9),   DF_REAL(80),  DF_REAL(120),
        DF_REAL(400),    DF_REAL(480),   DF_TEXT("a+b"), DF_INT(0),    DF_TEXT("sports ball"),
        DF_REAL(0.6),    DF_REAL(500),   DF_REAL(400),   DF_REAL(620), DF_REAL(520),
        DF_TEXT("a"),    DF_INT(0),      DF_TEXT("cat"), DF_REAL(0.1), DF_REAL(0),
        DF_REAL(0),      DF_REAL(10),    DF_REAL(10),    DF_TEXT("b"), DF_INT(4),
        DF_TEXT("boat"), DF_REAL(0.5),   DF_REAL(10),    DF_REAL(10),  DF_REAL(100),
        DF_REAL(90),     DF_TEXT("a")};
    fixture_put(ds, "detect", 0, fixture_detect, boxes, 4);
    const df_value lines[] = {DF_INT(0),
                              DF_TEXT("CAF\xC3\x89 REX"),
                              DF_REAL(0.97),
                              DF_REAL(500),
                              DF_REAL(60),
                              DF_REAL(700),
                              DF_REAL(80),
                              DF_REAL(695),
                              DF_REAL(130),
                              DF_REAL(495),
                              DF_REAL(110),
                              DF_INT(2),
                              DF_TEXT("</script><script>window.hacked=4</script>"),
                              DF_REAL(0.8),
                              DF_REAL(50),
                              DF_REAL(60),
                              DF_REAL(300),
                              DF_REAL(60),
                              DF_REAL(300),
                              DF_REAL(90),
                              DF_REAL(50),
                              DF_REAL(90)};
    fixture_put(ds, "read", 0, fixture_read, lines, 2);
    const df_value look[] = {DF_INT(0),
                             DF_TEXT("image"),
                             DF_INT(0),
                             DF_TEXTS(((const char *[]){"red", "brown"}), 2),
                             DF_REALS(((double[]){0.41, 0.22}), 2),
                             DF_REAL(0.5),
                             DF_REAL(0.4),
                             DF_REAL(0.6),
                             DF_REAL(0.2),
                             DF_INT(0),
                             DF_TEXT("box"),
                             DF_INT(0),
                             DF_TEXTS(((const char *[]){"brown"}), 1),
                             DF_REALS(((double[]){0.8}), 1),
                             DF_REAL(0.5),
                             DF_REAL(0.4),
                             DF_REAL(0.6),
                             DF_REAL(0.2),
                             DF_INT(4),
                             DF_TEXT("image"),
                             DF_INT(0),
                             DF_TEXTS(((const char *[]){"red"}), 1),
                             DF_REALS(((double[]){0.9}), 1),
                             DF_REAL(0.5),
                             DF_REAL(0.4),
                             DF_REAL(0.6),
                             DF_REAL(0.2)};
    fixture_put(ds, "look", 0, fixture_look, look, 3);
}

static inline void fixture_captions0(const df_dataset *ds)
{
    const df_value fuse[] = {DF_INT(0), DF_TEXT("Describe.\n[World Knowledge]: " HOSTILE_ALT),
                             DF_INT(2), DF_INT(2),
                             DF_INT(1), DF_TEXT("e0"),
                             DF_INT(2), DF_TEXT("Describe."),
                             DF_INT(0), DF_INT(0),
                             DF_INT(1), DF_TEXT("e2"),
                             DF_INT(4), DF_TEXT("Describe."),
                             DF_INT(1), DF_INT(1),
                             DF_INT(0), DF_TEXT("e4")};
    fixture_put(ds, "fuse", 0, fixture_fuse, fuse, 3);
    const df_value fused[] = {DF_INT(0),     DF_TEXT("tag"),
                              DF_INT(0),     DF_TEXT("golden retriever"),
                              DF_REAL(0.8),  DF_TEXT("tags"),
                              NIL,           NIL,
                              NIL,           NIL,
                              DF_INT(0),     DF_TEXT("tag"),
                              DF_INT(1),     DF_TEXT("<u>ball</u>"),
                              DF_REAL(0.4),  DF_TEXT("tags"),
                              NIL,           NIL,
                              NIL,           NIL,
                              DF_INT(0),     DF_TEXT("box"),
                              DF_INT(0),     DF_TEXT("dog"),
                              DF_REAL(0.9),  DF_TEXT("a+b"),
                              DF_REAL(80),   DF_REAL(120),
                              DF_REAL(400),  DF_REAL(480),
                              DF_INT(0),     DF_TEXT("box"),
                              DF_INT(1),     DF_TEXT("sports ball"),
                              DF_REAL(0.6),  DF_TEXT("a"),
                              DF_REAL(500),  DF_REAL(400),
                              DF_REAL(620),  DF_REAL(520),
                              DF_INT(0),     DF_TEXT("line"),
                              DF_INT(0),     DF_TEXT("CAF\xC3\x89 REX"),
                              DF_REAL(0.97), DF_TEXT("ocr"),
                              DF_REAL(495),  DF_REAL(60),
                              DF_REAL(700),  DF_REAL(130),
                              DF_INT(2),     DF_TEXT("line"),
                              DF_INT(0),     DF_TEXT("</script><script>window.hacked=4</script>"),
                              DF_REAL(0.8),  DF_TEXT("ocr"),
                              DF_REAL(50),   DF_REAL(60),
                              DF_REAL(300),  DF_REAL(90),
                              DF_INT(4),     DF_TEXT("tag"),
                              DF_INT(0),     DF_TEXT("seashore"),
                              DF_REAL(0.7),  DF_TEXT("tags"),
                              NIL,           NIL,
                              NIL,           NIL,
                              DF_INT(4),     DF_TEXT("box"),
                              DF_INT(0),     DF_TEXT("boat"),
                              DF_REAL(0.5),  DF_TEXT("a"),
                              DF_REAL(10),   DF_REAL(10),
                              DF_REAL(100),  DF_REAL(90)};
    fixture_put(ds, "fuse/evidence", 0, fixture_fused, fused, 8);
    const df_value left[] = {DF_INT(0),
                             DF_TEXT("box"),
                             DF_INT(2),
                             DF_TEXT("<i>cat</i>"),
                             DF_REAL(0.3),
                             DF_TEXT("a"),
                             DF_REAL(80),
                             DF_REAL(120),
                             DF_REAL(400),
                             DF_REAL(480),
                             DF_TEXT("conflict"),
                             DF_INT(4),
                             DF_TEXT("tag"),
                             DF_INT(1),
                             DF_TEXT("sand"),
                             DF_REAL(0.2),
                             DF_TEXT("tags"),
                             NIL,
                             NIL,
                             NIL,
                             NIL,
                             DF_TEXT("score")};
    fixture_put(ds, "fuse/left", 0, fixture_left, left, 2);
    const df_value captions[] = {DF_INT(0),
                                 DF_TEXT(DOG_CAPTION),
                                 NIL,
                                 DF_TEXT("compose"),
                                 NIL,
                                 DF_TEXT("stop"),
                                 NIL,
                                 NIL,
                                 DF_INT(1),
                                 DF_TEXT("k0"),
                                 DF_INT(2),
                                 DF_TEXT(MARKED_CAPTION),
                                 NIL,
                                 DF_TEXT("compose"),
                                 NIL,
                                 DF_TEXT("stop"),
                                 NIL,
                                 NIL,
                                 DF_INT(1),
                                 DF_TEXT("k2"),
                                 DF_INT(4),
                                 NIL,
                                 DF_TEXT("the server refused"),
                                 DF_TEXT("compose"),
                                 NIL,
                                 NIL,
                                 NIL,
                                 NIL,
                                 DF_INT(3),
                                 DF_TEXT("k4")};
    fixture_put(ds, "caption", 0, fixture_caption, captions, 3);
    /* bytes of DOG_CAPTION: "brown" 2-7, "d\xC3\xB6g" 8-12, "red" 38-41, "CAF\xC3\x89 REX" is found
     * by the tests themselves */
    const char *quote = strstr(DOG_CAPTION, "CAF"), *red = strstr(DOG_CAPTION, "red ball");
    const int of_red = (int)(red - DOG_CAPTION), of_quote = (int)(quote - DOG_CAPTION);
    const df_value support[] = {DF_INT(0),          DF_INT(2),        DF_INT(7),
                                DF_TEXT("look"),    DF_INT(0),        DF_INT(0),
                                DF_INT(8),          DF_INT(12),       DF_TEXT("box"),
                                DF_INT(0),          DF_INT(0),        DF_INT(of_red),
                                DF_INT(of_red + 8), DF_TEXT("box"),   DF_INT(1),
                                DF_INT(0),          DF_INT(of_quote), DF_INT(of_quote + 9),
                                DF_TEXT("line"),    DF_INT(0)};
    fixture_put(ds, "check/support", 0, fixture_support, support, 4);
    const df_value check[] = {DF_INT(0),
                              DF_TEXT("pass"),
                              DF_TEXTS(NULL, 0),
                              DF_INT(18),
                              DF_REAL(1),
                              DF_REAL(1),
                              DF_REAL(0),
                              DF_INT(2),
                              DF_TEXT("fail"),
                              DF_TEXTS(((const char *[]){"markdown", "quote_unsupported"}), 2),
                              DF_INT(7),
                              DF_REAL(0),
                              NIL,
                              DF_REAL(0)};
    fixture_put(ds, "check", 0, fixture_check, check, 2);
}

static inline void fixture_part1(const df_dataset *ds, fixture_file file)
{
    const df_value ingest[] = {ROW_OF(0, "deep/street.jpg", file, 640, 640, NULL, NULL),
                               ROW_OF(1, "copy.jpg", file, 640, 640, NULL, NULL)};
    fixture_put(ds, "ingest", 1, fixture_ingest, ingest, 2);
    const df_value filter[] = {DF_INT(0),
                               DF_BOOL(true),
                               NIL,
                               NIL,
                               DF_INT(1),
                               DF_BOOL(false),
                               DF_TEXT("duplicate"),
                               DF_TEXT("same bytes as deep/street.jpg")};
    fixture_put(ds, "filter", 1, fixture_filter, filter, 2);
    fixture_put(ds, "tag", 1, fixture_tag, NULL, 0);
    fixture_put(ds, "detect", 1, fixture_detect, NULL, 0);
    fixture_put(ds, "read", 1, fixture_read, NULL, 0);
    const df_value look[] = {DF_INT(0),
                             DF_TEXT("image"),
                             DF_INT(0),
                             DF_TEXTS(((const char *[]){"blue"}), 1),
                             DF_REALS(((double[]){0.7}), 1),
                             DF_REAL(0.5),
                             DF_REAL(0.4),
                             DF_REAL(0.6),
                             DF_REAL(0.2)};
    fixture_put(ds, "look", 1, fixture_look, look, 1);
    const df_value fuse[] = {DF_INT(0), DF_TEXT("Describe."), DF_INT(0), DF_INT(0),
                             DF_INT(0), DF_TEXT("e0")};
    fixture_put(ds, "fuse", 1, fixture_fuse, fuse, 1);
    fixture_put(ds, "fuse/evidence", 1, fixture_fused, NULL, 0);
    const df_value captions[] = {
        DF_INT(0), DF_TEXT("Two very old streets meet quickly. They are wide."),
        NIL,       DF_TEXT("compose"),
        NIL,       DF_TEXT("stop"),
        NIL,       NIL,
        DF_INT(1), DF_TEXT("k0")};
    fixture_put(ds, "caption", 1, fixture_caption, captions, 1);
    const df_value check[] = {DF_INT(0), DF_TEXT("pass"), DF_TEXTS(NULL, 0), DF_INT(9), NIL,
                              NIL,       DF_REAL(0)};
    fixture_put(ds, "check/support", 1, fixture_support, NULL, 0);
    fixture_put(ds, "check", 1, fixture_check, check, 1);
}

/* FOLDER is the dataset, FOLDER.photos its input. */
static inline df_dataset *fixture_dataset(const char *folder)
{
    char input[PATH_MAX], path[PATH_MAX];
    assert_non_null(getcwd(path, sizeof path));
    snprintf(input, sizeof input, "%.3000s/%s.photos", path, folder);
    snprintf(path, sizeof path, "%.3000s/deep", input);
    assert_int_equal(df_file_mkdir(path, NULL), DF_OK);
    const char *const names[] = {"dog & ball.jpg", "tiny.jpg", "<b>wall<b>.jpg",
                                 "sea.jpg",        "copy.jpg", "deep/street.jpg"};
    const int sides[][2] = {{800, 600}, {64, 48}, {500, 900}, {640, 480}, {640, 640}, {640, 640}};
    fixture_file files[6];
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%.3000s/%s", input, names[i]);
        files[i] = fixture_picture(path, sides[i][0], sides[i][1], 40 + (i < 4 ? i : 4) * 45);
    }
    df_dataset *ds;
    df_error err = {""};
    if (df_dataset_create(&ds, folder, &err) != DF_OK ||
        df_dataset_set_input(ds, input, &err) != DF_OK)
        fail_msg("%s", err.message);
    fixture_part0(ds, files);
    fixture_captions0(ds);
    fixture_part1(ds, files[4]);
    static const df_value skip[][2] = {
        {{.has = true, .s = "notes.txt"}, {.has = true, .s = "not an image"}},
        {{.has = true, .s = "../x.jpg"}, {.has = true, .s = "unsafe name"}}};
    df_table *t;
    assert_int_equal(df_table_create(&t, df_skipped_table.columns, NULL), DF_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(df_table_append(t, skip[i], NULL), DF_OK);
    snprintf(path, sizeof path, "%.3000s/ingest/skipped.parquet", folder);
    assert_int_equal(df_table_write(t, path, NULL), DF_OK);
    df_table_close(t);
    return ds;
}

/* Runs a stage with default options, or with one of them set. */
static inline df_status fixture_run(const df_stage *stage, df_dataset *ds, const char *key,
                                    const char *value, df_error *err)
{
    void *config = calloc(1, stage->config_size + 1);
    const char *root = getenv("DF_SOURCE_DIR");
    char share[PATH_MAX];
    snprintf(share, sizeof share, "%.3000s/share", root ? root : ".");
    const df_run run = {.n_threads = 2, .share = share};
    df_status status = df_options_defaults(stage->options, config, err);
    if (status == DF_OK && key)
        status = df_option_set(stage->options, config, stage->name, key, value, err);
    if (status == DF_OK)
        status = stage->run(ds, config, &run, err);
    df_options_free(stage->options, config);
    free(config);
    return status;
}

static inline char *fixture_text(const char *path)
{
    char *text = NULL;
    size_t size;
    df_error err = {""};
    if (df_file_read(path, (size_t)64 << 20, &text, &size, &err) != DF_OK)
        fail_msg("%s", err.message);
    return text;
}
#endif
