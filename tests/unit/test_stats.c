/* Every input is counted once on its way; means and shares are those of the captions; threads do
 * not change a byte. */
#include "fixture.h"

#include "io/json.h"

extern const df_stage df_stage_stats;

static df_json *stats;

static void run(df_dataset *ds)
{
    df_error err = {""};
    if (fixture_run(&df_stage_stats, ds, NULL, NULL, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static int64_t whole(const df_json *v, const char *a, const char *b)
{
    const df_json *m = df_json_member(v, a);
    return df_json_int(b ? df_json_member(m, b) : m, -1);
}

/* What came in and was kept, step by step. */
static void check_funnel(const df_json *funnel, int64_t (*expected)[2], size_t n_steps)
{
    int64_t next = expected[0][0];
    assert_int_equal(df_json_count(funnel), n_steps);
    for (size_t i = 0; i < n_steps; i++) {
        const df_json *step = df_json_item(funnel, i), *dropped = df_json_member(step, "dropped"),
                      *n;
        int64_t in = whole(step, "in", NULL), kept = whole(step, "kept", NULL), lost = 0;
        void *iter = NULL;
        const char *key;
        while ((n = df_json_next(dropped, &iter, &key)) != NULL)
            lost += df_json_int(n, 0);
        assert_int_equal(in, expected[i][0]);
        assert_int_equal(kept, expected[i][1]);
        assert_int_equal(in, next);
        assert_int_equal(in - kept, lost);
        next = kept;
    }
}

static void funnel_adds_up(void **state)
{
    (void)state;
    const df_json *funnel = df_json_member(stats, "funnel");
    int64_t expected[][2] = {{9, 7}, {7, 4}, {4, 3}, {3, 2}};
    check_funnel(funnel, expected, 4);
    assert_int_equal(whole(df_json_item(funnel, 0), "dropped", "unsafe name"), 1);
    assert_int_equal(whole(df_json_item(funnel, 1), "dropped", "duplicate"), 1);
    assert_int_equal(whole(df_json_item(funnel, 2), "dropped", "the server refused"), 1);
    assert_int_equal(whole(df_json_item(funnel, 3), "dropped", "markdown"), 1);
}

static void table1_is_that_of_the_captions(void **state)
{
    (void)state;
    const df_json *t = df_json_member(stats, "table1");
    assert_int_equal(whole(t, "samples", NULL), 3);
    /* 17, 7 and 9 words; the dog's two sentences, the wall's and the streets' */
    double words = df_json_real(df_json_member(t, "words"), 0),
           characters = df_json_real(df_json_member(t, "characters"), 0);
    assert_true(words > 10.9 && words < 11.1);
    assert_true(characters > 60 && characters < 90);
    const char *const shares[] = {"nouns", "adjectives", "adverbs", "verbs", "numerals"};
    double sum = 0;
    for (int i = 0; i < 5; i++)
        sum += df_json_real(df_json_member(t, shares[i]), 0);
    if (df_json_kind(df_json_member(t, "nouns")) == DF_JSON_NUMBER)
        assert_true(sum > 0.3 && sum < 1);
}

static void evidence_is_counted(void **state)
{
    (void)state;
    assert_int_equal(whole(stats, "images", "kept"), 4);
    assert_int_equal(whole(stats, "images", "with_text"), 2);
    assert_int_equal(whole(stats, "images", "with_boxes"), 2);
    const df_json *counts = df_json_member(stats, "counts");
    assert_int_equal(whole(counts, "labels", "dog"), 1);
    /* an expert said so, fusion dropped it */
    assert_int_equal(whole(counts, "labels", "cat"), -1);
    assert_int_equal(whole(counts, "tags", "<u>ball</u>"), 1);
    assert_int_equal(whole(counts, "colours", "red"), 2);
    assert_int_equal(whole(counts, "verdicts", "pass"), 2);
    assert_int_equal(whole(counts, "reasons", "quote_unsupported"), 1);
    const df_json *boxes =
        df_json_member(df_json_member(df_json_member(stats, "distributions"), "boxes"), "counts");
    assert_int_equal(df_json_int(df_json_item(boxes, 0), -1), 2);
    assert_int_equal(df_json_int(df_json_item(boxes, 2), -1), 1);
}

static void half_a_run_is_counted_too(void **state)
{
    df_dataset *ds = *state;
    assert_int_equal(rename("stats.test/caption/part-00001.parquet", "stats.test/caption/away"), 0);
    run(ds);
    char *text = fixture_text("stats.test/stats/stats.json");
    assert_non_null(strstr(text, "\"not captioned yet\": 1"));
    free(text);
    assert_int_equal(rename("stats.test/caption/away", "stats.test/caption/part-00001.parquet"), 0);
    run(ds);
}

/* Where dedup and select ran, they are steps. */
static void curation_is_in_the_funnel(void **state)
{
    (void)state;
    static const int dedup[] = {DF_DEDUP_ROW, DF_DEDUP_KEPT, DF_DEDUP_REASON, -1},
                     select[] = {DF_SELECT_ROW, DF_SELECT_KEPT, DF_SELECT_REASON, -1};
    df_dataset *ds = fixture_dataset("stats-curated.test");
    const df_value similar[] = {DF_INT(0),          DF_INT(1), NIL,       DF_INT(2), DF_INT(0),
                                DF_TEXT("similar"), DF_INT(4), DF_INT(1), NIL};
    fixture_put(ds, "dedup", 0, dedup, similar, 3);
    fixture_put(ds, "dedup", 1, dedup, (const df_value[]){DF_INT(0), DF_INT(1), NIL}, 1);
    const df_value rank[] = {DF_INT(0), DF_INT(1), NIL, DF_INT(4), DF_INT(0), DF_TEXT("rank")};
    fixture_put(ds, "select", 0, select, rank, 2);
    fixture_put(ds, "select", 1, select, (const df_value[]){DF_INT(0), DF_INT(1), NIL}, 1);
    run(ds);
    char *text = fixture_text("stats-curated.test/stats/stats.json");
    df_json *curated;
    assert_int_equal(df_json_parse(&curated, text, strlen(text), "stats.json", NULL), DF_OK);
    const df_json *funnel = df_json_member(curated, "funnel");
    int64_t expected[][2] = {{9, 7}, {7, 4}, {4, 3}, {3, 2}, {2, 2}, {2, 2}};
    check_funnel(funnel, expected, 6);
    assert_string_equal(df_json_text(df_json_member(df_json_item(funnel, 2), "stage")), "dedup");
    assert_int_equal(whole(df_json_item(funnel, 2), "dropped", "similar"), 1);
    assert_int_equal(whole(df_json_item(funnel, 3), "dropped", "rank"), 1);
    assert_int_equal(whole(curated, "images", "kept"), 2);
    df_json_close(curated);
    free(text);
    df_dataset_close(ds);
}

static void threads_do_not_show(void **state)
{
    df_dataset *ds = *state;
    char *two = fixture_text("stats.test/stats/stats.json"), config[64] = {0};
    char share[PATH_MAX];
    snprintf(share, sizeof share, "%s/share",
             getenv("DF_SOURCE_DIR") ? getenv("DF_SOURCE_DIR") : ".");
    const df_run one_thread = {.n_threads = 1, .share = share};
    assert_int_equal(df_options_defaults(df_stage_stats.options, config, NULL), DF_OK);
    assert_int_equal(df_stage_stats.run(ds, config, &one_thread, NULL), DF_OK);
    char *one = fixture_text("stats.test/stats/stats.json");
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static int make(void **state)
{
    df_dataset *ds = fixture_dataset("stats.test");
    run(ds);
    char *text = fixture_text("stats.test/stats/stats.json");
    assert_int_equal(df_json_parse(&stats, text, strlen(text), "stats.json", NULL), DF_OK);
    free(text);
    *state = ds;
    return 0;
}

static int drop(void **state)
{
    df_json_close(stats);
    df_dataset_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(funnel_adds_up),      cmocka_unit_test(table1_is_that_of_the_captions),
        cmocka_unit_test(evidence_is_counted), cmocka_unit_test(half_a_run_is_counted_too),
        cmocka_unit_test(threads_do_not_show), cmocka_unit_test(curation_is_in_the_funnel)};
    return cmocka_run_group_tests(tests, make, drop);
}
