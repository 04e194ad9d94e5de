/* select: limits are met exactly, ranks are 1, 2, ... in the order that was asked for, counts add
 * up, threads change nothing. */
#include "curation_fixture.h"
#include "tables/kept.h"
#include "typed.h"

extern const df_stage df_stage_dedup, df_stage_select;

typedef struct {
    int n, n_kept, n_rank, n_total, rank[N_ALL], cluster[N_ALL];
    bool kept[N_ALL];
} chosen; /* rank 0: no row */

static chosen read_chosen(const df_dataset *ds)
{
    chosen c = {0};
    for (int part = 0; part < PARTS; part++) {
        df_table *t;
        assert_int_equal(df_dataset_read(ds, &df_select_table, part, &t, NULL), DF_OK);
        for (int64_t at = 0; at < df_table_rows(t); at++) {
            int i = part * ROWS + (int)df_table_int(t, at, 0);
            const char *reason = df_table_text(t, at, 2);
            c.n++;
            c.kept[i] = df_table_int(t, at, 1) == 1;
            assert_int_equal(c.kept[i], !*reason);
            c.n_kept += c.kept[i];
            c.n_rank += strcmp(reason, "rank") == 0;
            c.n_total += strcmp(reason, "total") == 0;
            c.cluster[i] = (int)df_table_int(t, at, 3);
            c.rank[i] = (int)df_table_int(t, at, 4);
        }
        df_table_close(t);
    }
    assert_int_equal(c.n, c.n_kept + c.n_rank + c.n_total);
    return c;
}

static chosen choose(df_dataset *ds, const char *const *set)
{
    run_ok(&df_stage_select, ds, 2, set);
    return read_chosen(ds);
}

/* Ranks of a cluster are 1 .. n, and a better rank never has a worse key. */
static void check_ranks(const chosen *c, double (*key)(int i))
{
    for (int cluster = 0; cluster < CLUSTERS; cluster++) {
        int n = 0, by_rank[N_ALL + 1] = {0};
        for (int i = 0; i < N_ALL; i++)
            if (c->rank[i] && c->cluster[i] == cluster) {
                n++;
                assert_in_range(c->rank[i], 1, N_ALL);
                assert_int_equal(by_rank[c->rank[i]], 0);
                by_rank[c->rank[i]] = i + 1;
            }
        for (int rank = 1; rank <= n; rank++) {
            assert_true(by_rank[rank] > 0);
            if (rank == 1 || !key)
                continue;
            double before = key(by_rank[rank - 1] - 1), here = key(by_rank[rank] - 1);
            assert_true(before > here || (before == here && by_rank[rank - 1] < by_rank[rank]));
        }
    }
}

static double nearest(int i)
{
    return made[i].to_centroid;
}
static double farthest(int i)
{
    return -made[i].to_centroid;
}
static double resolution(int i)
{
    return (double)(made[i].width * made[i].height);
}
static double quality(int i)
{
    return fmin((double)made[i].bytes, resolution(i) / 2);
}
static double score(int i)
{
    return i % 5 == 0 ? -1e9 : (double)(i * 7919 % 1000);
}

static int count_survivors(const df_dataset *ds)
{
    int n = 0;
    for (int part = 0; part < PARTS; part++) {
        df_table *t;
        assert_int_equal(df_dataset_read(ds, &df_dedup_table, part, &t, NULL), DF_OK);
        for (int64_t at = 0; at < df_table_rows(t); at++)
            n += df_table_int(t, at, 1) == 1;
        df_table_close(t);
    }
    return n;
}

static df_dataset *deduped(const char *folder)
{
    df_dataset *ds = make_dataset(folder);
    run_ok(&df_stage_dedup, ds, 2, (const char *const[]){"eps=0.15", NULL});
    return ds;
}

static void every_ranking_is_what_it_says(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select.test");
    df_table *t = new_table((const df_column[]){T_("path"), R_("score"), {0}});
    for (int i = 0; i < N_ALL; i++) {
        char path[64];
        snprintf(path, sizeof path, "p%d/%d.jpg", i / ROWS, i % ROWS);
        if (i % 5)
            put_row(t, (const df_value[]){DF_TEXT(path), DF_REAL(score(i))});
    }
    assert_int_equal(df_table_write(t, "select-scores.parquet", NULL), DF_OK);
    df_table_close(t);
    const struct {
        const char *by;
        double (*key)(int i);
    } all[] = {{"by=nearest", nearest}, {"by=farthest", farthest}, {"by=resolution", resolution},
               {"by=quality", quality}, {"by=score", score},       {"by=balanced", NULL}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        chosen c =
            choose(ds, (const char *const[]){all[i].by, "scores=select-scores.parquet", NULL});
        assert_int_equal(c.n, count_survivors(ds));
        assert_int_equal(c.n_kept, c.n);
        check_ranks(&c, all[i].key);
    }
    df_dataset_close(ds);
}

static void limits_are_met_exactly(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select-limits.test");
    int n = count_survivors(ds), sizes[CLUSTERS] = {0}, of_three = 0;
    chosen c = choose(ds, NULL);
    for (int i = 0; i < N_ALL; i++)
        sizes[c.cluster[i]] += c.rank[i] > 0;
    for (int k = 0; k < CLUSTERS; k++)
        of_three += sizes[k] < 3 ? sizes[k] : 3;
    c = choose(ds, (const char *const[]){"per_cluster=3", NULL});
    assert_int_equal(c.n_kept, of_three);
    for (int i = 0; i < N_ALL; i++)
        assert_int_equal(c.kept[i], c.rank[i] > 0 && c.rank[i] <= 3);
    const int totals[] = {1, CLUSTERS - 1, CLUSTERS, CLUSTERS + 1, 29, 50, n - 1, n, n + 5};
    for (size_t i_total = 0; i_total < sizeof totals / sizeof *totals; i_total++) {
        int total = totals[i_total];
        char option[32];
        snprintf(option, sizeof option, "total=%d", total);
        c = choose(ds, (const char *const[]){option, NULL});
        assert_int_equal(c.n_kept, total < n ? total : n);
        /* as even as sizes allow: a cluster that is cut gives at most one less */
        int least = N_ALL, most = 0;
        for (int k = 0; k < CLUSTERS; k++) {
            int kept = 0;
            for (int i = 0; i < N_ALL; i++)
                kept += c.kept[i] && c.cluster[i] == k;
            most = kept > most ? kept : most;
            least = kept < sizes[k] && kept < least ? kept : least;
        }
        assert_true(most <= least + 1);
    }
    c = choose(ds, (const char *const[]){"total=10", "per_cluster=1", NULL});
    assert_int_equal(c.n_kept, CLUSTERS);
    assert_int_equal(c.n_total, 0);
    df_dataset_close(ds);
}

/* The second of a balanced cluster is the one least like the first, and so on. */
static void balanced_is_varied(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select-balanced.test");
    chosen c = choose(ds, (const char *const[]){"by=balanced", "per_cluster=4", NULL});
    check_ranks(&c, NULL);
    for (int k = 0; k < CLUSTERS; k++) {
        int picked[5] = {0}, n = 0;
        for (int i = 0; i < N_ALL; i++)
            if (c.kept[i] && c.cluster[i] == k) {
                picked[c.rank[i]] = i;
                n++;
            }
        for (int rank = 2; rank <= n; rank++) {
            float closest[N_ALL];
            for (int i = 0; i < N_ALL; i++) {
                closest[i] = c.rank[i] && c.cluster[i] == k ? -2 : 3;
                for (int before = 1; before < rank && closest[i] < 3; before++)
                    closest[i] = fmaxf(closest[i], df_dot(made[i].x, made[picked[before]].x, DIM));
            }
            for (int before = 1; before < rank; before++)
                closest[picked[before]] = 3;
            for (int i = 0; i < N_ALL; i++)
                assert_true(closest[i] > closest[picked[rank]] ||
                            (closest[i] == closest[picked[rank]] && i >= picked[rank]));
        }
    }
    df_dataset_close(ds);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select-threads.test");
    static const char *const variants[][3] = {{"total=50", NULL},
                                              {"by=balanced", "per_cluster=5", NULL}};
    for (int v = 0; v < 2; v++)
        for (int part = 0; part < PARTS; part++) {
            size_t n, size;
            run_ok(&df_stage_select, ds, 1, variants[v]);
            char *one = part_bytes(ds, "select", part, &size);
            run_ok(&df_stage_select, ds, 8, variants[v]);
            char *eight = part_bytes(ds, "select", part, &n);
            assert_int_equal(n, size);
            assert_memory_equal(one, eight, n);
            free(one);
            free(eight);
        }
    df_dataset_close(ds);
}

static void keep_note(void *ctx, const char *line)
{
    snprintf(ctx, 256, "%s", line);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select-bad.test");
    char note[256] = "", expected[128];
    df_error err = {""};
    df_run run = {.n_threads = 2, .models = ".", .note = keep_note, .ctx = note};
    assert_int_equal(
        run_with(&df_stage_select, ds, &run, (const char *const[]){"total=5000", NULL}, &err),
        DF_OK);
    snprintf(expected, sizeof expected,
             "select: the total is to be 5000, but only %d images are left to choose from",
             count_survivors(ds));
    assert_string_equal(note, expected);
    assert_int_equal(
        run_with(&df_stage_select, ds, &run, (const char *const[]){"by=luck", NULL}, &err),
        DF_CONFIG);
    assert_non_null(strstr(err.message, "select.by: \"luck\" is not one of"));
    assert_int_equal(
        run_with(&df_stage_select, ds, &run, (const char *const[]){"by=score", NULL}, &err),
        DF_CONFIG);
    assert_non_null(strstr(err.message, "select.scores"));
    assert_int_equal(run_with(&df_stage_select, ds, &run,
                              (const char *const[]){"by=score", "scores=none.parquet", NULL}, &err),
                     DF_IO);
    assert_non_null(strstr(err.message, "none.parquet"));
    assert_false(df_file_exists("select-bad.test/select/part-items.partial"));
    df_dataset_close(ds);
}

/* Without dedup every vector is a survivor. */
static void dedup_may_be_left_out(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("select-alone.test");
    int n = 0;
    for (int i = 0; i < N_ALL; i++)
        n += made[i].kept && made[i].cluster >= 0;
    chosen c = choose(ds, NULL);
    assert_int_equal(c.n_kept, n);
    check_ranks(&c, nearest);
    df_dataset_close(ds);
}

static int count_kept(const df_dataset *ds, const char *const *reads)
{
    int count = 0;
    for (int part = 0; part < PARTS; part++) {
        bool *kept;
        int64_t n;
        assert_int_equal(df_kept_rows(ds, reads, part, &kept, &n, NULL), DF_OK);
        assert_int_equal(n, ROWS);
        for (int64_t row = 0; row < n; row++)
            count += kept[row];
        free(kept);
    }
    return count;
}

/* A stage is told what the deciding stages that it reads keep, and no more. */
static void who_is_asked_decides(void **state)
{
    (void)state;
    df_dataset *ds = deduped("select-kept.test");
    chosen c = choose(ds, (const char *const[]){"per_cluster=2", NULL});
    int filtered = 0;
    for (int i = 0; i < N_ALL; i++)
        filtered += made[i].kept;
    assert_int_equal(count_kept(ds, (const char *const[]){"ingest", NULL}), N_ALL);
    assert_int_equal(count_kept(ds, (const char *const[]){"ingest", "filter", NULL}), filtered);
    assert_int_equal(count_kept(ds, (const char *const[]){"filter", "dedup", NULL}), c.n);
    assert_int_equal(count_kept(ds, (const char *const[]){"filter", "dedup", "select", NULL}),
                     c.n_kept);
    assert_true(c.n_kept < c.n && c.n < filtered);
    assert_int_equal(df_dataset_stage_reset(ds, "select", NULL), DF_OK);
    assert_int_equal(count_kept(ds, (const char *const[]){"filter", "dedup", "select", NULL}), c.n);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_ranking_is_what_it_says),
                                       cmocka_unit_test(limits_are_met_exactly),
                                       cmocka_unit_test(balanced_is_varied),
                                       cmocka_unit_test(threads_change_no_byte),
                                       cmocka_unit_test(what_cannot_be_is_said),
                                       cmocka_unit_test(dedup_may_be_left_out),
                                       cmocka_unit_test(who_is_asked_decides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
