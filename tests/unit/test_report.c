/* The report holds what the dataset holds, escaped, with a picture for every image that can be
 * decoded; hostile text stays text. */
#include "cluster_fixture.h"

#include <dirent.h>

#include "io/json.h"
#include "stage/report/row.h"

extern const df_stage df_stage_stats, df_stage_report;

static void run(const df_stage *stage, df_dataset *ds, const char *key, const char *value)
{
    df_error err = {""};
    if (fixture_run(stage, ds, key, value, &err) != DF_OK)
        fail_msg("%s", err.message);
}

/* "densefusion.add([...]);" without its call. */
static df_json *images(const char *path)
{
    char *text = fixture_text(path);
    size_t from = strcspn(text, "(") + 1, to = strlen(text) - strlen(");\n");
    df_json *root = NULL;
    df_error err = {""};
    if (df_json_parse(&root, text + from, to - from, path, &err) != DF_OK)
        fail_msg("%s", err.message);
    free(text);
    return root;
}

static const char *member(const df_json *v, const char *key)
{
    return df_json_text(df_json_member(v, key));
}

static void every_image_is_there(void **state)
{
    (void)state;
    df_json *all = images("report.test/report/data/images-0000.js");
    assert_int_equal(df_json_count(all), 7);
    const df_json *dog = df_json_item(all, 0), *tiny = df_json_item(all, 1),
                  *broken = df_json_item(all, 3);
    assert_string_equal(member(dog, "caption"), DOG_CAPTION);
    assert_string_equal(member(dog, "alt_text"), HOSTILE_ALT);
    assert_int_equal(df_json_count(df_json_member(dog, "boxes")), 2);
    assert_int_equal(df_json_count(df_json_member(dog, "lines")), 1);
    assert_int_equal(
        df_json_count(df_json_member(df_json_item(df_json_member(dog, "lines"), 0), "points")), 8);
    assert_string_equal(member(tiny, "rejected"), "small");
    assert_null(df_json_member(broken, "thumb"));
    for (size_t i = 0; i < 7; i++) {
        const char *thumb = member(df_json_item(all, i), "thumb");
        char path[300];
        snprintf(path, sizeof path, "report.test/report/thumbs/%s", thumb ? thumb : "");
        assert_true(i == 3 || (thumb && df_file_exists(path)));
    }
    df_json_close(all);
}

typedef struct {
    int64_t row, from, to;
    const char *kind;
    int64_t item;
} span;

static void expect_support(const char *caption, const span *spans, int n, const char *expected)
{
    df_table *t;
    df_str out = {0};
    assert_int_equal(df_table_create(&t, df_check_support_table.columns, NULL), DF_OK);
    for (int i = 0; i < n; i++) {
        const span *s = &spans[i];
        assert_int_equal(
            df_table_append(t,
                            (const df_value[]){DF_INT(s->row), DF_INT(s->from), DF_INT(s->to),
                                               DF_TEXT(s->kind), DF_INT(s->item)},
                            NULL),
            DF_OK);
    }
    df_json_writer w = {.out = &out, .compact = true};
    df_json_begin_object(&w, NULL);
    df_report_support(&w, caption, t, 3);
    assert_string_equal(df_str_text(&out) + strlen("{\"support\":"), expected);
    df_str_free(&out);
    df_table_close(t);
}

static void support_counts_in_javascript_units(void **state)
{
    (void)state;
    /* bytes 0-4, 5-9, 10-15; units 0-3, 4-6, 7-11 */
    const char *caption = "d\xC3\xB6g \xF0\x9F\x90\x95 caf\xC3\xA9";
    const span good[] = {{2, 0, 4, "box", 1},
                         {3, 0, 4, "box", 1},
                         {3, 5, 9, "tag", 2},
                         {3, 10, 15, "line", 0},
                         {4, 0, 4, "box", 1}};
    expect_support(caption, good, 5, "[[0,3,\"box\",1],[4,6,\"tag\",2],[7,11,\"line\",0]]");
    expect_support(caption, NULL, 0, "[]");
    const span bad[] = {{3, 0, 99, "box", 1}, {3, -1, 2, "box", 1}, {3, 0, 2, "box", 1},
                        {3, 3, 3, "box", 1},  {3, 4, 2, "box", 1},  {3, INT64_MAX, 2, "box", 1},
                        {3, 0, 0, NULL, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_support(caption, &bad[i], 1, "[]");
    const span mixed[] = {
        {3, 5, 9, "tag", 2}, {3, 0, 4, "box", 1}, {3, 6, 12, "box", 1}, {3, 10, 15, "line", 0}};
    expect_support(caption, mixed, 4, "[[4,6,\"tag\",2],[7,11,\"line\",0]]");
}

static void no_value_leaves_its_string(void **state)
{
    (void)state;
    char *text = fixture_text("report.test/report/data/images-0000.js");
    assert_null(strstr(text, "</"));
    assert_null(strstr(text, "<script"));
    free(text);
    char *stats = fixture_text("report.test/report/data/stats.js");
    assert_null(strstr(stats, "</"));
    assert_non_null(strstr(stats, "\"shown\":7"));
    free(stats);
}

static void large_datasets_are_sampled(void **state)
{
    df_dataset *ds = *state;
    run(&df_stage_report, ds, "images", "2");
    df_json *all = images("report.test/report/data/images-0000.js");
    size_t kept = 0;
    for (size_t i = 0; i < df_json_count(all); i++)
        kept += member(df_json_item(all, i), "rejected") == NULL;
    assert_int_equal(kept, 2);
    df_json_close(all);
    /* two kept, two of the three rejected can be decoded */
    DIR *thumbs = opendir("report.test/report/thumbs");
    int n = 0;
    for (struct dirent *e; (e = readdir(thumbs));)
        n += e->d_name[0] != '.';
    closedir(thumbs);
    assert_int_equal(n, 4);
    run(&df_stage_report, ds, NULL, NULL);
}

static void same_bytes_again(void **state)
{
    char *first = fixture_text("report.test/report/data/images-0000.js");
    run(&df_stage_report, *state, NULL, NULL);
    char *second = fixture_text("report.test/report/data/images-0000.js");
    assert_string_equal(first, second);
    free(first);
    free(second);
}

/* The page of this one is looked at by tests/browser too. */
static void clusters_are_shown(void **state)
{
    (void)state;
    df_dataset *ds = cluster_fixture("report2.test");
    run(&df_stage_stats, ds, NULL, NULL);
    run(&df_stage_report, ds, NULL, NULL);
    char *text = fixture_text("report2.test/report/data/clusters.js");
    assert_null(strstr(text, "</"));
    free(text);
    df_json *root = images("report2.test/report/data/clusters.js");
    const df_json *clusters = df_json_member(root, "clusters"), *first = df_json_item(clusters, 0);
    assert_int_equal(df_json_count(clusters), 3);
    assert_int_equal(df_json_int(df_json_member(first, "cluster"), 0), 3);
    assert_int_equal(df_json_int(df_json_member(first, "removed"), -1), 2);
    const df_json *copy = df_json_item(df_json_member(first, "images"), 1),
                  *pair = df_json_item(df_json_member(root, "pairs"), 1);
    assert_string_equal(member(copy, "path"), HOSTILE_PATH);
    assert_string_equal(member(copy, "reason"), "copy");
    assert_string_equal(member(pair, "path"), "boats crop.jpg");
    assert_string_equal(member(df_json_member(pair, "nearest"), "id"), "00000-000000");
    char path[300];
    snprintf(path, sizeof path, "report2.test/report/thumbs/%s",
             member(df_json_member(pair, "nearest"), "thumb"));
    assert_true(df_file_exists(path));
    df_json_close(root);

    /* half done: nothing to show, nothing old left */
    assert_int_equal(unlink("report2.test/dedup/part-00001.parquet"), 0);
    run(&df_stage_report, ds, NULL, NULL);
    assert_false(df_file_exists("report2.test/report/data/clusters.js"));
    assert_false(df_file_exists(path));
    cluster_fixture_tables(ds);
    run(&df_stage_report, ds, NULL, NULL);
    df_dataset_close(ds);
}

static int make(void **state)
{
    df_dataset *ds = fixture_dataset("report.test");
    run(&df_stage_stats, ds, NULL, NULL);
    run(&df_stage_report, ds, NULL, NULL);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_image_is_there),
                                       cmocka_unit_test(support_counts_in_javascript_units),
                                       cmocka_unit_test(no_value_leaves_its_string),
                                       cmocka_unit_test(large_datasets_are_sampled),
                                       cmocka_unit_test(same_bytes_again),
                                       cmocka_unit_test(clusters_are_shown)};
    return cmocka_run_group_tests(tests, make, drop);
}
