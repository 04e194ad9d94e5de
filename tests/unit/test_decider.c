/* Another table that decides which images stay: its type says so, and all who ask follow. The list
 * of tables below stands for src/tables/tables.c, which this program does not link. */
#include "fixture.h"

#include "io/json.h"
#include "tables/joined.h"
#include "tables/kept.h"

extern const df_stage df_stage_stats;

enum { NOVEL_ROW, NOVEL_KEPT, NOVEL_REASON, NOVEL_COLUMNS };
static const df_column novel_columns[] = {
    [NOVEL_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [NOVEL_KEPT] = {"kept", DF_COLUMN_BOOL, "it stays in the dataset"},
    [NOVEL_REASON] = {"reason", DF_COLUMN_TEXT, "null when kept; else `known`"},
    [NOVEL_COLUMNS] = {0},
};
static const df_table_type novel_table = {
    .name = "novel",
    .about = "one row per image that select kept",
    .columns = novel_columns,
    .per_image = true,
    .decides = NOVEL_KEPT,
    .reason = NOVEL_REASON,
};

const df_table_type *const df_tables[] = {
    &df_ingest_table,
    &df_skipped_table,
    &df_filter_table,
    &df_embed_table,
    &df_cluster_table,
    &df_dedup_table,
    &df_select_table,
    &novel_table,
    &df_tag_table,
    &df_detect_table,
    &df_read_table,
    &df_look_table,
    &df_fuse_table,
    &df_fuse_evidence_table,
    &df_fuse_left_table,
    &df_caption_table,
    &df_caption_attempts_table,
    &df_check_table,
    &df_check_support_table,
    NULL,
};

/* Of the fixture's part 0, rows 0, 2 and 4 pass the filter; 2 is not new. */
static df_dataset *make(const char *folder)
{
    static const int columns[] = {NOVEL_ROW, NOVEL_KEPT, NOVEL_REASON, -1};
    df_dataset *ds = fixture_dataset(folder);
    const df_value rows[] = {DF_INT(0), DF_BOOL(true),  DF_NULL,
                             DF_INT(2), DF_BOOL(false), DF_TEXT("known"),
                             DF_INT(4), DF_BOOL(true),  DF_NULL};
    fixture_put(ds, "novel", 0, columns, rows, 3);
    return ds;
}

static void its_images_stay(void **state)
{
    (void)state;
    static const char *const reads[] = {"ingest", "filter", "novel", NULL};
    df_dataset *ds = make("decider.test");
    bool *kept;
    int64_t n;
    assert_int_equal(df_kept_rows(ds, reads, 0, &kept, &n, NULL), DF_OK);
    assert_int_equal(n, 5);
    for (int row = 0; row < 5; row++)
        assert_int_equal(kept[row], row == 0 || row == 4);
    free(kept);
    df_joined j;
    const df_table_type *by;
    const char *why;
    assert_int_equal(df_joined_open(&j, ds, 0, NULL), DF_OK);
    assert_true(df_joined_kept(&j, 0, NULL, NULL));
    assert_false(df_joined_kept(&j, 2, &by, &why));
    assert_ptr_equal(by, &novel_table);
    assert_string_equal(why, "known");
    assert_false(df_joined_kept(&j, 1, &by, &why));
    assert_ptr_equal(by, &df_filter_table);
    df_joined_close(&j);
    df_dataset_close(ds);
}

static void the_funnel_has_its_step(void **state)
{
    (void)state;
    df_error err = {""};
    df_dataset *ds = make("decider-stats.test");
    if (fixture_run(&df_stage_stats, ds, NULL, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
    char *text = fixture_text("decider-stats.test/stats/stats.json");
    assert_non_null(strstr(text, "{\"stage\": \"novel\", \"in\": 4, \"kept\": 3, "
                                 "\"dropped\": {\"known\": 1}}"));
    free(text);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(its_images_stay),
                                       cmocka_unit_test(the_funnel_has_its_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
