/* What others are given: every captioned image once, in order, the same in all three files,
 * whatever its text holds. */
#include "fixture.h"

#include <math.h>

#include "io/json.h"

extern const df_stage df_stage_export;

static void run(df_dataset *ds, const char *key, const char *value)
{
    df_error err = {""};
    if (fixture_run(&df_stage_export, ds, key, value, &err) != DF_OK)
        fail_msg("%s", err.message);
}

/* The n-th line as a tree; NULL beyond the end. */
static df_json *line(const char *text, int n)
{
    for (; n > 0 && text; n--)
        text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
    const char *end = text ? strchr(text, '\n') : NULL;
    df_json *root = NULL;
    df_error err = {""};
    if (end && df_json_parse(&root, text, (size_t)(end - text), "line", &err) != DF_OK)
        fail_msg("%s", err.message);
    return root;
}

static const char *member(const df_json *v, const char *key)
{
    return df_json_text(df_json_member(v, key));
}

static void lines_hold_every_caption(void **state)
{
    char *text = fixture_text("export.test/captions.jsonl");
    (void)state;
    df_json *dog = line(text, 0), *wall = line(text, 1), *street = line(text, 2);
    assert_null(line(text, 3));
    assert_string_equal(member(dog, "id"), "00000-000000");
    assert_string_equal(member(dog, "image"), "dog & ball.jpg");
    assert_string_equal(member(dog, "caption"), DOG_CAPTION);
    assert_string_equal(member(dog, "alt_text"), HOSTILE_ALT);
    assert_string_equal(member(dog, "verdict"), "pass");
    assert_int_equal(df_json_count(df_json_member(dog, "reasons")), 0);
    assert_int_equal(df_json_int(df_json_member(dog, "width"), 0), 800);
    assert_null(df_json_member(dog, "url"));
    assert_string_equal(member(wall, "verdict"), "fail");
    const df_json *reasons = df_json_member(wall, "reasons");
    assert_int_equal(df_json_count(reasons), 2);
    assert_string_equal(df_json_text(df_json_item(reasons, 1)), "quote_unsupported");
    assert_string_equal(member(street, "id"), "00001-000000");
    assert_null(df_json_member(street, "alt_text"));
    df_json_close(dog);
    df_json_close(wall);
    df_json_close(street);
    free(text);
}

static void llava_has_one_image_mark_each(void **state)
{
    (void)state;
    char *text = fixture_text("export.test/export/llava.json");
    df_json *root;
    assert_int_equal(df_json_parse(&root, text, strlen(text), "llava.json", NULL), DF_OK);
    assert_int_equal(df_json_count(root), 3);
    for (size_t i = 0; i < 3; i++) {
        const df_json *turns = df_json_member(df_json_item(root, i), "conversations");
        assert_int_equal(df_json_count(turns), 2);
        const char *human = member(df_json_item(turns, 0), "value"),
                   *gpt = member(df_json_item(turns, 1), "value");
        assert_string_equal(member(df_json_item(turns, 0), "from"), "human");
        assert_string_equal(member(df_json_item(turns, 1), "from"), "gpt");
        assert_int_equal(strncmp(human, "<image>\n", 8), 0);
        assert_null(strstr(human + 1, "<image>"));
        assert_null(strstr(gpt, "<image>"));
    }
    df_json_close(root);
    free(text);
}

static void parquet_says_the_same(void **state)
{
    (void)state;
    df_table *t;
    df_error err = {""};
    if (df_table_query(&t,
                       "SELECT id, image, caption, len(reasons) AS n, width, alt_text, url FROM "
                       "'export.test/export/captions.parquet'",
                       &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_table_rows(t), 3);
    assert_string_equal(df_table_text(t, 0, 2), DOG_CAPTION);
    assert_string_equal(df_table_text(t, 1, 1), "<b>wall<b>.jpg");
    assert_string_equal(df_table_text(t, 1, 2), MARKED_CAPTION);
    assert_int_equal(df_table_int(t, 1, 3), 2);
    assert_int_equal(df_table_int(t, 2, 4), 640);
    assert_string_equal(df_table_text(t, 0, 5), HOSTILE_ALT);
    assert_true(df_table_null(t, 2, 5));
    assert_true(df_table_null(t, 0, 6));
    df_table_close(t);
}

static void failed_captions_can_stay_out(void **state)
{
    df_dataset *ds = *state;
    run(ds, "passed_only", "true");
    char *text = fixture_text("export.test/captions.jsonl");
    assert_null(strstr(text, "\"fail\""));
    assert_non_null(strstr(text, "00001-000000"));
    free(text);
    run(ds, NULL, NULL);
}

static void missing_captions_stop_it(void **state)
{
    df_dataset *ds = *state;
    char *before = fixture_text("export.test/captions.jsonl");
    df_error err = {""};
    assert_int_equal(rename("export.test/caption/part-00001.parquet", "export.test/caption/away"),
                     0);
    assert_int_equal(fixture_run(&df_stage_export, ds, NULL, NULL, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "part 1"));
    assert_int_equal(rename("export.test/caption/away", "export.test/caption/part-00001.parquet"),
                     0);
    char *after = fixture_text("export.test/captions.jsonl");
    assert_string_equal(before, after);
    assert_false(df_file_exists("export.test/captions.jsonl.tmp"));
    assert_false(df_file_exists("export.test/export/llava.json.tmp"));
    free(before);
    free(after);
}

static void odd_folder_names_work(void **state)
{
    (void)state;
    df_dataset *ds = fixture_dataset("export'[a-b]*?.test");
    run(ds, NULL, NULL);
    assert_true(df_file_exists("export'[a-b]*?.test/export/captions.parquet"));
    df_dataset_close(ds);
}

/* Vectors alone: rows are URLs, there are no captions. Two parts, so that rows find those of their
 * own part. */
static void what_was_selected_is_a_list(void **state)
{
    (void)state;
    static const int columns[] = {DF_SELECT_ROW,     DF_SELECT_KEPT, DF_SELECT_REASON,
                                  DF_SELECT_CLUSTER, DF_SELECT_RANK, -1};
    df_dataset *ds;
    assert_int_equal(df_dataset_create(&ds, "export.urls.test", NULL), DF_OK);
    for (int part = 0; part < 2; part++) {
        char urls[2][40];
        df_value rows[2 * 14];
        for (int row = 0; row < 2; row++) {
            snprintf(urls[row], sizeof urls[row], "http://x/%d-%d.jpg", part, row);
            const df_value v[] = {DF_INT(row),
                                  DF_TEXT(urls[row]),
                                  DF_NULL,
                                  DF_NULL,
                                  DF_NULL,
                                  DF_NULL,
                                  DF_NULL,
                                  DF_INT(500 + part),
                                  DF_INT(600 + row),
                                  DF_NULL,
                                  DF_TEXT("it's <alt>"),
                                  DF_TEXT(urls[row]),
                                  DF_TEXT("not fetched"),
                                  DF_NULL};
            memcpy(rows + row * 14, v, sizeof v);
        }
        fixture_put(ds, "ingest", part, fixture_ingest, rows, 2);
        const df_value select[] = {DF_INT(0), DF_INT(part), part ? DF_NULL : DF_TEXT("rank"),
                                   DF_INT(7), DF_INT(2),    DF_INT(1),
                                   DF_INT(1), DF_NULL,      DF_INT(7 + part),
                                   DF_INT(1)};
        fixture_put(ds, "select", part, columns, select, 2);
    }
    run(ds, NULL, NULL);
    assert_false(df_file_exists("export.urls.test/captions.jsonl"));
    df_table *t;
    assert_int_equal(df_table_read(&t, "export.urls.test/export/selected.parquet", NULL), DF_OK);
    static const struct {
        const char *path;
        int width, height, cluster, rank;
    } wanted[] = {{"http://x/0-1.jpg", 500, 601, 7, 1},
                  {"http://x/1-0.jpg", 501, 600, 7, 2},
                  {"http://x/1-1.jpg", 501, 601, 8, 1}};
    assert_int_equal(df_table_rows(t), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(df_table_text(t, i, df_table_column(t, "path")), wanted[i].path);
        assert_string_equal(df_table_text(t, i, df_table_column(t, "url")), wanted[i].path);
        assert_string_equal(df_table_text(t, i, df_table_column(t, "alt_text")), "it's <alt>");
        assert_int_equal(df_table_int(t, i, df_table_column(t, "width")), wanted[i].width);
        assert_int_equal(df_table_int(t, i, df_table_column(t, "height")), wanted[i].height);
        assert_int_equal(df_table_int(t, i, df_table_column(t, "cluster")), wanted[i].cluster);
        assert_int_equal(df_table_int(t, i, df_table_column(t, "rank")), wanted[i].rank);
    }
    df_table_close(t);
    df_dataset_close(ds);
}

static df_json *coco(void)
{
    char *text = fixture_text("export.test/export/coco.json");
    df_json *root;
    df_error err = {""};
    if (df_json_parse(&root, text, strlen(text), "coco.json", &err) != DF_OK)
        fail_msg("%s", err.message);
    free(text);
    return root;
}

static void expect_box(const df_json *root, size_t i, int64_t image, const char *label,
                       const double box[4], const char *source)
{
    const df_json *a = df_json_item(df_json_member(root, "annotations"), i);
    const int64_t category = df_json_int(df_json_member(a, "category_id"), 0);
    const df_json *named = df_json_item(df_json_member(root, "categories"), (size_t)category - 1);
    assert_int_equal(df_json_int(df_json_member(named, "id"), 0), category);
    assert_string_equal(member(named, "name"), label);
    assert_int_equal(df_json_int(df_json_member(a, "id"), 0), (int64_t)i + 1);
    assert_int_equal(df_json_int(df_json_member(a, "image_id"), -1), image);
    for (size_t k = 0; k < 4; k++)
        assert_true(df_json_real(df_json_item(df_json_member(a, "bbox"), k), -1) == box[k]);
    assert_true(df_json_real(df_json_member(a, "area"), -1) == box[2] * box[3]);
    assert_string_equal(member(a, "source"), source);
}

/* Every kept image, with or without boxes; what fusion believes, or all that detectors said. */
static void boxes_are_coco(void **state)
{
    df_dataset *ds = *state;
    df_json *root = coco();
    const df_json *images = df_json_member(root, "images");
    static const int64_t ids[] = {0, 2, 4, 1000000};
    assert_int_equal(df_json_count(images), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(df_json_int(df_json_member(df_json_item(images, i), "id"), -1), ids[i]);
    assert_string_equal(member(df_json_item(images, 3), "file_name"), "deep/street.jpg");
    assert_int_equal(df_json_int(df_json_member(df_json_item(images, 1), "height"), 0), 900);
    assert_int_equal(df_json_count(df_json_member(root, "annotations")), 3);
    assert_int_equal(df_json_count(df_json_member(root, "categories")), 3);
    expect_box(root, 0, 0, "dog", (const double[]){80, 120, 320, 360}, "a+b");
    expect_box(root, 2, 4, "boat", (const double[]){10, 10, 90, 80}, "a");
    df_json_close(root);
    run(ds, "coco", "raw");
    root = coco();
    assert_int_equal(df_json_count(df_json_member(root, "annotations")), 4);
    expect_box(root, 2, 0, "cat", (const double[]){0, 0, 10, 10}, "b");
    df_json_close(root);
    run(ds, "coco", "none");
    assert_false(df_file_exists("export.test/export/coco.json"));
    run(ds, NULL, NULL);
}

/* A box that stands for several objects is a crowd; a row that no image has, and a box without a
 * side, are passed over. */
static void groups_are_crowds(void **state)
{
    static const int columns[] = {DF_FUSE_EVIDENCE_ROW,
                                  DF_FUSE_EVIDENCE_KIND,
                                  DF_FUSE_EVIDENCE_TEXT,
                                  DF_FUSE_EVIDENCE_SCORE,
                                  DF_FUSE_EVIDENCE_SOURCE,
                                  DF_FUSE_EVIDENCE_X0,
                                  DF_FUSE_EVIDENCE_Y0,
                                  DF_FUSE_EVIDENCE_X1,
                                  DF_FUSE_EVIDENCE_Y1,
                                  DF_FUSE_EVIDENCE_COUNT,
                                  -1};
    const double huge = HUGE_VAL;
#define BOX(row, label, x1, count)                                                                 \
    DF_INT(row), DF_TEXT("box"), DF_TEXT(label), DF_REAL(0.5), DF_TEXT("a"), DF_REAL(0),           \
        DF_REAL(0), DF_REAL(x1), DF_REAL(20), DF_INT(count)
    const df_value rows[] = {BOX(0, "\"people\"\n</script>", 10, 5), BOX(0, "dog", huge, 1),
                             BOX(1, "dog", 10, 1), BOX(99, "dog", 10, 1)};
    df_dataset *ds = *state;
    assert_int_equal(
        rename("export.test/fuse/evidence/part-00001.parquet", "export.test/fuse/evidence/away"),
        0);
    fixture_put(ds, "fuse/evidence", 1, columns, rows, 4);
    run(ds, NULL, NULL);
    df_json *root = coco();
    assert_int_equal(df_json_count(df_json_member(root, "annotations")), 4);
    expect_box(root, 3, 1000000, "\"people\"\n</script>", (const double[]){0, 0, 10, 20}, "a");
    const df_json *group = df_json_item(df_json_member(root, "annotations"), 3);
    assert_int_equal(df_json_int(df_json_member(group, "iscrowd"), 0), 1);
    assert_int_equal(df_json_int(df_json_member(group, "count"), 0), 5);
    df_json_close(root);
    assert_int_equal(
        rename("export.test/fuse/evidence/away", "export.test/fuse/evidence/part-00001.parquet"),
        0);
}

static int make(void **state)
{
    df_dataset *ds = fixture_dataset("export.test");
    run(ds, NULL, NULL);
    *state = ds;
    return 0;
}

static int drop(void **state)
{
    df_dataset_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_hold_every_caption),
                                       cmocka_unit_test(llava_has_one_image_mark_each),
                                       cmocka_unit_test(parquet_says_the_same),
                                       cmocka_unit_test(failed_captions_can_stay_out),
                                       cmocka_unit_test(missing_captions_stop_it),
                                       cmocka_unit_test(odd_folder_names_work),
                                       cmocka_unit_test(what_was_selected_is_a_list),
                                       cmocka_unit_test(boxes_are_coco),
                                       cmocka_unit_test(groups_are_crowds)};
    return cmocka_run_group_tests(tests, make, drop);
}
