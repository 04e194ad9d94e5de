/* What is said of clusters, members, pairs and other eps is what the tables hold. */
#include "cluster_fixture.h"

#include "tables/clusters.h"

static const char *text(const df_table *t, int64_t row, const char *column)
{
    return df_table_text(t, row, df_table_column(t, column));
}

static int64_t number(const df_table *t, int64_t row, const char *column)
{
    return df_table_int(t, row, df_table_column(t, column));
}

static double real(const df_table *t, int64_t row, const char *column)
{
    return df_table_real(t, row, df_table_column(t, column));
}

static bool null(const df_table *t, int64_t row, const char *column)
{
    assert_true(df_table_column(t, column) >= 0);
    return df_table_null(t, row, df_table_column(t, column));
}

static void the_largest_come_first(void **state)
{
    df_table *t;
    df_error err = {""};
    if (df_clusters_largest(*state, 2, &t, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_table_rows(t), 2);
    assert_int_equal(number(t, 0, "cluster"), 3);
    assert_int_equal(number(t, 0, "members"), 4);
    assert_float_equal(real(t, 0, "similarity"), (0.9 + 0.8 + 0.85 + 0.7) / 4, 1e-9);
    assert_int_equal(number(t, 0, "removed"), 2);
    assert_int_equal(number(t, 0, "selected"), 1);
    assert_string_equal(text(t, 0, "path"), "boats.jpg");
    assert_int_equal(number(t, 1, "cluster"), 1);
    assert_int_equal(number(t, 1, "removed"), 0);
    assert_int_equal(number(t, 1, "selected"), 2);
    assert_string_equal(text(t, 1, "path"), "dog.jpg");
    df_table_close(t);
}

static void members_have_their_fate(void **state)
{
    df_table *t;
    df_error err = {""};
    if (df_clusters_members(*state, (const int64_t[]){3, 8}, 2, 3, &t, &err) != DF_OK)
        fail_msg("%s", err.message);
    static const struct {
        const char *path, *reason, *nearest;
        double similarity;
        int rank;
    } wanted[] = {{"boats.jpg", "", "", 0.9, 1},
                  {HOSTILE_PATH, "copy", "boats.jpg", 0.85, 0},
                  {"boats crop.jpg", "similar", "boats.jpg", 0.8, 0},
                  {"alone.jpg", "", "", 1, 1}};
    assert_int_equal(df_table_rows(t), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(text(t, i, "path"), wanted[i].path);
        assert_string_equal(text(t, i, "reason"), wanted[i].reason);
        assert_string_equal(text(t, i, "nearest_path"), wanted[i].nearest);
        assert_float_equal(real(t, i, "similarity"), wanted[i].similarity, 1e-9);
        assert_int_equal(number(t, i, "rank"), wanted[i].rank);
    }
    assert_float_equal(real(t, 1, "nearest_similarity"), 0.99, 1e-9);
    df_table_close(t);
    assert_int_equal(df_clusters_members(*state, (const int64_t[]){3}, 1, 100, &t, &err), DF_OK);
    assert_int_equal(df_table_rows(t), 4);
    assert_string_equal(text(t, 3, "path"), "harbour.jpg");
    assert_string_equal(text(t, 3, "reason"), "rank");
    df_table_close(t);
}

static void similarities_add_up(void **state)
{
    df_similarities s;
    df_error err = {""};
    if (df_clusters_similarities(*state, &s, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(s.bins[195], 1);        /* 0.951 */
    assert_int_equal(s.bins[155], 1);        /* 0.555 */
    assert_int_equal(s.bins[130], 1);        /* 0.301 */
    assert_int_equal(s.n_first, 3);
    assert_int_equal(s.n_copies, 1);
    assert_int_equal(s.n_no_vector, 1);
    assert_int_equal(s.n_kept, 5);
    assert_int_equal(s.n_similar, 1);
    int64_t sum = s.n_first + s.n_copies + s.n_no_vector;
    for (int i = 0; i < DF_SIMILARITY_BINS; i++)
        sum += s.bins[i];
    assert_int_equal(sum, 8);
    assert_float_equal(s.highest_kept, 0.555, 1e-9);
    assert_float_equal(s.lowest_removed, 0.951, 1e-9);
}

static void another_eps_needs_no_run(void **state)
{
    const double eps[] = {0, 0.04, 0.049, 0.4, 0.5, 0.7, 1};
    const int64_t wanted[] = {6, 6, 6, 5, 4, 3, 3};
    int64_t kept[7];
    df_error err = {""};
    if (df_clusters_sweep(*state, eps, 7, kept, &err) != DF_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < 7; i++)
        assert_int_equal(kept[i], wanted[i]);
}

static void pairs_come_from_all_over(void **state)
{
    df_table *t;
    df_error err = {""};
    if (df_clusters_pairs(*state, 1, 0.5, &t, &err) != DF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(df_table_rows(t), 3);
    assert_string_equal(text(t, 0, "path"), HOSTILE_PATH);
    assert_string_equal(text(t, 0, "reason"), "copy");
    assert_int_equal(number(t, 0, "hash_distance"), 2);
    assert_string_equal(text(t, 1, "nearest_path"), "boats.jpg");
    assert_string_equal(text(t, 2, "path"), "harbour.jpg");
    assert_true(null(t, 2, "reason"));
    df_table_close(t);
}

static void what_has_not_run_is_told(void **state)
{
    (void)state;
    df_table *t = NULL;
    df_error err = {""};
    df_dataset *ds = cluster_fixture("clusters2.test");
    assert_int_equal(unlink("clusters2.test/select/part-00001.parquet"), 0);
    assert_int_equal(df_clusters_largest(ds, 9, &t, &err), DF_OK);
    assert_int_equal(df_table_rows(t), 3);
    assert_true(null(t, 0, "selected") && null(t, 0, "removed"));
    df_table_close(t);
    assert_int_equal(unlink("clusters2.test/cluster/part-00001.parquet"), 0);
    assert_int_equal(df_clusters_largest(ds, 9, &t, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "run `densefusion cluster` first"));
    df_dataset_close(ds);
}

static int make(void **state)
{
    *state = cluster_fixture("clusters.test");
    return 0;
}

static int drop(void **state)
{
    df_dataset_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_come_first),   cmocka_unit_test(members_have_their_fate),
        cmocka_unit_test(similarities_add_up),      cmocka_unit_test(another_eps_needs_no_run),
        cmocka_unit_test(pairs_come_from_all_over), cmocka_unit_test(what_has_not_run_is_told)};
    return cmocka_run_group_tests(tests, make, drop);
}
