/* dedup against a brute-force reading of its two rules; counts, chains, threads, interrupted runs,
 * bad input. */
#include "curation_fixture.h"
#include "typed.h"

#include <stdatomic.h>
#include <unistd.h>

extern const df_stage df_stage_dedup;
static const double eps = 0.15, hash_eps = 0.5;
static const char *const set[] = {"eps=0.15", NULL};

typedef struct {
    int nearest, kind, distance;
    float similarity;
} verdict;       /* kind: 0 kept, 1 similar, 2 copy */
static verdict expected[N_ALL];

static int bits(uint64_t x)
{
    return __builtin_popcountll(x);
}

static bool has_vector(int i)
{
    return made[i].kept && made[i].cluster >= 0;
}

static bool is_larger(int a, int b)
{
    int64_t size_a = made[a].width * made[a].height, size_b = made[b].width * made[b].height;
    if (size_a != size_b)
        return size_a > size_b;
    return made[a].bytes != made[b].bytes ? made[a].bytes > made[b].bytes : a < b;
}

static bool tells(uint64_t hash)
{
    return bits(hash) >= 8 && bits(hash) <= 56;
}

static void expect_copies(int max_distance)
{
    for (int i = 0; i < N_ALL; i++) {
        expected[i] = (verdict){.nearest = -1};
        for (int j = 0; j < N_ALL && has_vector(i) && tells(made[i].hash); j++) {
            int distance = bits(made[i].hash ^ made[j].hash);
            float dot = df_dot(made[i].x, made[j].x, DIM);
            if (j == i || !has_vector(j) || !tells(made[j].hash) || !is_larger(j, i) ||
                distance > max_distance || !(dot > (float)(1 - hash_eps)) ||
                (expected[i].kind && !is_larger(j, expected[i].nearest)))
                continue;
            expected[i] = (verdict){j, 2, distance, dot};
        }
    }
}

static bool is_earlier(int a, int b)
{
    return made[a].to_centroid != made[b].to_centroid ? made[a].to_centroid < made[b].to_centroid
                                                      : a < b;
}

static void expect_similar(void)
{
    for (int i = 0; i < N_ALL; i++) {
        for (int j = 0; j < N_ALL && has_vector(i) && expected[i].kind != 2; j++) {
            if (!has_vector(j) || expected[j].kind == 2 || made[j].cluster != made[i].cluster ||
                !is_earlier(j, i))
                continue;
            float dot = df_dot(made[i].x, made[j].x, DIM);
            verdict *e = &expected[i];
            if (e->nearest < 0 || dot > e->similarity ||
                (dot == e->similarity && is_earlier(j, e->nearest)))
                *e = (verdict){j, dot > (float)(1 - eps), 0, dot};
        }
    }
}

/* Rows of dedup as the stage wrote them must be `expected`; returns how many of each kind. */
static void check_parts(const df_dataset *ds, int counts[4])
{
    static const char *const reasons[] = {"", "similar", "copy", "no vector"};
    for (int part = 0; part < PARTS; part++) {
        df_table *t;
        assert_int_equal(df_dataset_read(ds, &df_dedup_table, part, &t, NULL), DF_OK);
        int64_t at = 0;
        for (int row = 0; row < ROWS; row++) {
            int i = part * ROWS + row, kind = made[i].cluster < 0 ? 3 : expected[i].kind;
            if (!made[i].kept)
                continue;
            assert_int_equal(df_table_int(t, at, 0), row);
            assert_int_equal(df_table_int(t, at, 1), kind == 0);
            assert_string_equal(df_table_text(t, at, 2), reasons[kind]);
            counts[kind]++;
            bool nearest = kind != 3 && expected[i].nearest >= 0;
            for (int c = 3; c < 6; c++)
                assert_int_equal(df_table_null(t, at, c), !nearest);
            if (nearest) {
                assert_int_equal(df_table_int(t, at, 3) * ROWS + df_table_int(t, at, 4),
                                 expected[i].nearest);
                assert_true((float)df_table_real(t, at, 5) == expected[i].similarity);
            }
            assert_int_equal(df_table_null(t, at, 6), kind != 2);
            assert_int_equal(df_table_int(t, at, 6), kind == 2 ? expected[i].distance : 0);
            at++;
        }
        assert_int_equal(df_table_rows(t), at);
        df_table_close(t);
    }
}

static void equals_brute_force(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup.test");
    int counts[4] = {0};
    expect_copies(4);
    expect_similar();
    run_ok(&df_stage_dedup, ds, 2, set);
    check_parts(ds, counts);
    assert_in_range(counts[0], 100, 300);
    assert_in_range(counts[1], 20, 200);
    /* copies of copies too; neither the flat ones nor row 70 */
    assert_int_equal(counts[2], 4);
    assert_in_range(counts[3], 5, 20);
    assert_false(df_file_exists("dedup.test/dedup/part-items.partial"));
    assert_false(df_file_exists("dedup.test/dedup/part-found.partial"));
    assert_false(df_file_exists("dedup.test/dedup/part-state.partial"));
    /* Every chain ends at a kept row. */
    for (int i = 0; i < N_ALL; i++) {
        int at = i, steps = 0;
        while (has_vector(i) && expected[at].kind && steps++ < N_ALL)
            at = expected[at].nearest;
        assert_true(steps < N_ALL);
    }
    expect_copies(-1);
    expect_similar();
    memset(counts, 0, sizeof counts);
    run_ok(&df_stage_dedup, ds, 2, (const char *const[]){"eps=0.15", "hash_distance=0", NULL});
    check_parts(ds, counts);
    assert_int_equal(counts[2], 0);
    df_dataset_close(ds);
}

/* As with vectors made elsewhere, of images that nobody fetched. */
static void without_hashes_no_copies(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup.flat");
    int counts[4] = {0};
    for (int i = 0; i < N_ALL; i++)
        made[i].hash = 0;
    for (int part = 0; part < PARTS; part++)
        make_part(ds, part);
    expect_copies(4);
    expect_similar();
    run_ok(&df_stage_dedup, ds, 2, set);
    check_parts(ds, counts);
    assert_int_equal(counts[2], 0);
    assert_in_range(counts[1], 20, 200);
    df_dataset_close(ds);
}

/* The first image in the order of each group stays; who is removed is told by it. */
static void groups_keep_one(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-group.test");
    int group[N_ALL];
    run_ok(&df_stage_dedup, ds, 2,
           (const char *const[]){"eps=0.15", "rule=group", "hash_distance=0", NULL});
    for (int i = 0; i < N_ALL; i++)
        group[i] = i;
    /* the least in the order of everything that is connected */
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < N_ALL; i++)
            for (int j = 0; j < N_ALL; j++)
                if (has_vector(i) && has_vector(j) && made[i].cluster == made[j].cluster &&
                    is_earlier(group[j], group[i]) &&
                    df_dot(made[i].x, made[j].x, DIM) > (float)(1 - eps)) {
                    group[i] = group[j];
                    changed = true;
                }
    }
    int n_removed = 0;
    for (int part = 0; part < PARTS; part++) {
        df_table *t;
        assert_int_equal(df_dataset_read(ds, &df_dedup_table, part, &t, NULL), DF_OK);
        for (int64_t at = 0; at < df_table_rows(t); at++) {
            int i = part * ROWS + (int)df_table_int(t, at, 0);
            if (made[i].cluster < 0)
                continue;
            assert_int_equal(df_table_int(t, at, 1), group[i] == i);
            if (group[i] == i)
                continue;
            n_removed++;
            assert_int_equal(df_table_int(t, at, 3) * ROWS + df_table_int(t, at, 4), group[i]);
            assert_true((float)df_table_real(t, at, 5) == df_dot(made[i].x, made[group[i]].x, DIM));
        }
        df_table_close(t);
    }
    assert_in_range(n_removed, 20, 200);
    df_dataset_close(ds);
}

/* Nor how much is held in memory at a time; with next to none, hashes are dealt
 * into many ranges. */
static void threads_and_memory_change_no_byte(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-threads.test");
    static const char *const variants[][4] = {{"eps=0.15", NULL},
                                              {"eps=0.15", "keep=random", "rule=group", NULL},
                                              {"eps=0.3", "keep=nearest", "hash_distance=8", NULL}};
    static const char *const little[][5] = {
        {"memory=0", "eps=0.15", NULL},
        {"memory=0", "eps=0.15", "keep=random", "rule=group", NULL},
        {"memory=0", "eps=0.3", "keep=nearest", "hash_distance=8", NULL}};
    for (int v = 0; v < 3; v++) {
        char *first[PARTS];
        size_t size[PARTS];
        for (int n_threads = 1; n_threads <= 8; n_threads *= 2) {
            run_ok(&df_stage_dedup, ds, n_threads, n_threads == 4 ? little[v] : variants[v]);
            for (int part = 0; part < PARTS; part++) {
                size_t n;
                char *bytes = part_bytes(ds, "dedup", part, &n);
                if (n_threads == 1) {
                    first[part] = bytes;
                    size[part] = n;
                    continue;
                }
                assert_int_equal(n, size[part]);
                assert_memory_equal(bytes, first[part], n);
                free(bytes);
            }
        }
        for (int part = 0; part < PARTS; part++)
            free(first[part]);
    }
    df_dataset_close(ds);
}

typedef struct {
    atomic_bool stop;
    int64_t first_done, after;
} stopper;

static void stop_soon(void *ctx, const char *stage, int64_t done, int64_t total)
{
    stopper *s = ctx;
    assert_string_equal(stage, "dedup");
    assert_true(done <= total);
    if (s->first_done < 0)
        s->first_done = done;
    if (s->after-- == 0)
        atomic_store(&s->stop, true);
}

/* Stopped after each cluster in turn, and gone on with: nothing is lost, the bytes are the same. */
static void a_stopped_run_goes_on(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-stop.test");
    char *whole[PARTS];
    size_t size[PARTS];
    run_ok(&df_stage_dedup, ds, 1, set);
    for (int part = 0; part < PARTS; part++)
        whole[part] = part_bytes(ds, "dedup", part, &size[part]);
    assert_int_equal(df_dataset_stage_reset(ds, "dedup", NULL), DF_OK);
    for (int after = 0; after < CLUSTERS; after++) {
        df_error err = {""};
        stopper s = {.first_done = -1, .after = after};
        df_run run = {
            .n_threads = 1, .models = ".", .stop = &s.stop, .progress = stop_soon, .ctx = &s};
        assert_int_equal(run_with(&df_stage_dedup, ds, &run, set, &err), DF_STOPPED);
        assert_true(df_file_exists("dedup-stop.test/dedup/part-state.partial"));
        assert_false(df_dataset_has_part(ds, "dedup", 0));
    }
    df_error err = {""};
    df_run run = {.n_threads = 2, .models = "."};
    assert_int_equal(run_with(&df_stage_dedup, ds, &run, set, &err), DF_OK);
    for (int part = 0; part < PARTS; part++) {
        size_t n;
        char *bytes = part_bytes(ds, "dedup", part, &n);
        assert_int_equal(n, size[part]);
        assert_memory_equal(bytes, whole[part], n);
        free(bytes);
        free(whole[part]);
    }
    df_dataset_close(ds);
}

enum { AT_CLUSTER = 40, AT_NEAREST = 0, AT_KIND = 12 }; /* in an item; in what was found */

typedef struct {
    const char *file;
    size_t at;
    const char *bytes;
    size_t n;
    bool cut;
} damage;
static const damage damages[] = {
    {"items", AT_CLUSTER, "\xff\xff\xff\x7f", 4, false},
    {"items", AT_CLUSTER, "\xfe\xff\xff\xff", 4, false},
    {"items", 0, "\x07\0\0\0\x63\0\0\0", 8, false},
    {"items", 0, NULL, 0, true},
    {"found", AT_NEAREST, "\xff\xff\xff\x7f", 4, false},
    {"found", AT_NEAREST + 4, "\xff\xff\xff\xff", 4, false},
    {"found", AT_KIND, "\x09\0", 2, false},
    {"found", AT_KIND, "\xf0\xff", 2, false},
    {"found", 0, NULL, 0, true},
    {"state", 0, "vectors -1", 10, false},
};

static void do_damage(const damage *d)
{
    char path[128], *bytes;
    size_t size;
    snprintf(path, sizeof path, "dedup-damage.test/dedup/part-%s.partial", d->file);
    assert_int_equal(df_file_read(path, 1 << 24, &bytes, &size, NULL), DF_OK);
    if (d->n)
        memcpy(bytes + d->at, d->bytes, d->n);
    assert_int_equal(df_file_write(path, bytes, d->cut ? size - 1 : size, NULL), DF_OK);
    free(bytes);
}

/* The working files of a stopped run are foreign input: what is wrong in them is made anew. */
static void damaged_working_files_are_made_anew(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-damage.test");
    char *whole[PARTS];
    size_t size[PARTS];
    run_ok(&df_stage_dedup, ds, 1, set);
    for (int part = 0; part < PARTS; part++)
        whole[part] = part_bytes(ds, "dedup", part, &size[part]);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        assert_int_equal(df_dataset_stage_reset(ds, "dedup", NULL), DF_OK);
        df_error err = {""};
        stopper s = {.first_done = -1, .after = 1};
        df_run run = {
            .n_threads = 1, .models = ".", .stop = &s.stop, .progress = stop_soon, .ctx = &s};
        assert_int_equal(run_with(&df_stage_dedup, ds, &run, set, &err), DF_STOPPED);
        do_damage(&damages[i]);
        run_ok(&df_stage_dedup, ds, 1, set);
        for (int part = 0; part < PARTS; part++) {
            size_t n;
            char *bytes = part_bytes(ds, "dedup", part, &n);
            assert_int_equal(n, size[part]);
            assert_memory_equal(bytes, whole[part], n);
            free(bytes);
        }
    }
    for (int part = 0; part < PARTS; part++)
        free(whole[part]);
    df_dataset_close(ds);
}

/* A state that says that all clusters are done is believed: they are not done again. */
static void finished_clusters_are_not_done_again(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-again.test");
    df_error err = {""};
    stopper s = {.first_done = -1};
    df_run run = {.n_threads = 1, .models = ".", .stop = &s.stop, .progress = stop_soon, .ctx = &s};
    assert_int_equal(run_with(&df_stage_dedup, ds, &run, set, &err), DF_STOPPED);
    char *text, *at;
    size_t size;
    assert_int_equal(
        df_file_read("dedup-again.test/dedup/part-state.partial", 1000, &text, &size, NULL), DF_OK);
    at = strstr(text, "next 0");
    assert_non_null(at);
    at[5] = '0' + CLUSTERS;
    assert_int_equal(df_file_write("dedup-again.test/dedup/part-state.partial", text, size, NULL),
                     DF_OK);
    free(text);
    run.stop = NULL;
    run.progress = NULL;
    assert_int_equal(run_with(&df_stage_dedup, ds, &run, set, &err), DF_OK);
    int n_similar = 0;
    for (int part = 0; part < PARTS; part++) {
        df_table *t;
        assert_int_equal(df_dataset_read(ds, &df_dedup_table, part, &t, NULL), DF_OK);
        for (int64_t i = 0; i < df_table_rows(t); i++)
            n_similar += strcmp(df_table_text(t, i, 2), "similar") == 0;
        df_table_close(t);
    }
    assert_in_range(n_similar, 0, 60); /* of the first cluster alone */
    df_dataset_close(ds);
}

static void fails_with(df_dataset *ds, const char *const *options, const char *words)
{
    df_error err = {""};
    df_run run = {.n_threads = 2, .models = "no-such-folder"};
    assert_int_not_equal(run_with(&df_stage_dedup, ds, &run, options, &err), DF_OK);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* Without eps it is that of the card of the encoder that made the vectors, if one did. */
static void eps_is_that_of_the_card(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-card.test");
    char models[1024];
    size_t n, size;
    df_error err = {""};
    snprintf(models, sizeof models, "%s/share/models",
             getenv("DF_SOURCE_DIR") ? getenv("DF_SOURCE_DIR") : ".");
    df_run run = {.n_threads = 1, .models = models};
    run_ok(&df_stage_dedup, ds, 1, (const char *const[]){"eps=0.1", NULL});
    char *expected_bytes = part_bytes(ds, "dedup", 1, &size);
    assert_int_equal(df_dataset_stage_reset(ds, "dedup", NULL), DF_OK);
    const char *elsewhere = "model=efficientnet-lite2\nfrom=/vectors\nkey=\n";
    assert_int_equal(df_dataset_stage_commit(ds, "embed", elsewhere, NULL), DF_OK);
    assert_int_equal(run_with(&df_stage_dedup, ds, &run, NULL, &err), DF_CONFIG);
    assert_non_null(strstr(err.message, "dedup.eps: no card tells"));
    assert_int_equal(
        df_dataset_stage_commit(ds, "embed", "model=efficientnet-lite2\nfrom=\nkey=\n", NULL),
        DF_OK);
    assert_int_equal(run_with(&df_stage_dedup, ds, &run, NULL, &err), DF_OK);
    char *bytes = part_bytes(ds, "dedup", 1, &n);
    assert_int_equal(n, size);
    assert_memory_equal(bytes, expected_bytes, n);
    free(bytes);
    free(expected_bytes);
    df_dataset_close(ds);
}

static void bad_input_is_one_clear_line(void **state)
{
    (void)state;
    df_dataset *ds = make_dataset("dedup-bad.test");
    fails_with(ds, NULL, "dedup.eps");
    fails_with(ds, (const char *const[]){"rule=other", NULL},
               "dedup.rule: \"other\" is not one of semdedup, group");
    fails_with(ds, (const char *const[]){"keep=last", NULL},
               "dedup.keep: \"last\" is not one of farthest, nearest, random");
    df_table *t = new_table((const df_column[]){I_("row"), I_("cluster"), R_("similarity"), {0}});
    put_row(t, (const df_value[]){DF_INT(0), DF_INT(0), DF_REAL(1)});
    put_part(ds, "cluster", 1, t);
    fails_with(ds, set, "cluster/part-00001.parquet does not tell of embed's vectors");
    make_part(ds, 1);
    made[ROWS + 5].cluster = 1 << 24;
    make_part(ds, 1);
    fails_with(ds, set, "cluster/part-00001.parquet: row 5 is in no cluster");
    unlink("dedup-bad.test/cluster/part-00001.parquet");
    fails_with(ds, set,
               "cluster/part-00001.parquet is missing: densefusion cluster dedup-bad.test");
    unlink("dedup-bad.test/embed/part-00002.parquet");
    fails_with(ds, set, "embed/part-00002.parquet is missing");
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_brute_force),
                                       cmocka_unit_test(without_hashes_no_copies),
                                       cmocka_unit_test(groups_keep_one),
                                       cmocka_unit_test(threads_and_memory_change_no_byte),
                                       cmocka_unit_test(a_stopped_run_goes_on),
                                       cmocka_unit_test(damaged_working_files_are_made_anew),
                                       cmocka_unit_test(finished_clusters_are_not_done_again),
                                       cmocka_unit_test(eps_is_that_of_the_card),
                                       cmocka_unit_test(bad_input_is_one_clear_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
