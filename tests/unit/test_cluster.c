/* The cluster stage on disk: same bytes whatever threads, parts, machines and interruptions do; bad
 * input is one line. */
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include "vector/dot.h"
#include "vector/half.h"
#include "vector/random.h"
#include "dataset/vectors.h"
#include "fixture.h"
#include "io/npy.h"
#include "stage/cluster/cluster.h"
#include "stage/cluster/work.h"
#include "typed.h"

enum { ROWS = 900, DIM = 40 };
extern const df_stage df_stage_cluster;
static const df_column ingest_columns[] = {{"row", DF_COLUMN_INT, NULL}, {0}};
static const df_column embed_columns[] = {{"row", DF_COLUMN_INT, NULL},
                                          {"phash", DF_COLUMN_INT, NULL},
                                          {"problem", DF_COLUMN_TEXT, NULL},
                                          {0}};

static void vector_of(int i, float *x)
{
    df_random subject = df_random_start(4, (uint64_t)(i % 11)),
              own = df_random_start(5, (uint64_t)i);
    float length = 0;
    for (int k = 0; k < DIM; k++) {
        x[k] = (float)(df_random_unit(&subject) - 0.3 + 0.9 * (df_random_unit(&own) - 0.5));
        length += x[k] * x[k];
    }
    for (int k = 0; k < DIM; k++)
        x[k] /= sqrtf(length);
}

/* Rows i with i % 10 == 3 have no vector; a part of the size `empty` has no rows at all. */
static void put_part(const df_dataset *ds, int part, int first, int end)
{
    df_table *ingest, *embed;
    df_npy_writer *w;
    char *path = df_dataset_part_path(ds, "embed", part, "npy");
    assert_int_equal(df_table_create(&ingest, ingest_columns, NULL), DF_OK);
    assert_int_equal(df_table_create(&embed, embed_columns, NULL), DF_OK);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/embed", df_dataset_folder(ds));
    assert_int_equal(df_file_mkdir(folder, NULL), DF_OK);
    assert_int_equal(df_npy_create(&w, path, DF_NPY_FLOAT16, DIM, NULL), DF_OK);
    for (int i = first; i < end; i++) {
        float x[DIM];
        uint16_t half[DIM];
        bool broken = i % 10 == 3;
        vector_of(i, x);
        df_float_to_half_n(x, half, DIM);
        df_table_append(ingest, (df_value[]){DF_INT(i - first)}, NULL);
        df_table_append(
            embed, (df_value[]){DF_INT(i - first), DF_NULL, DF_TEXT(broken ? "zero" : NULL)}, NULL);
        if (!broken)
            df_npy_append(w, half, 1, NULL);
    }
    assert_int_equal(df_npy_finish(w, NULL), DF_OK);
    df_npy_writer_close(w);
    assert_int_equal(write_typed(ds, "ingest", part, ingest, NULL), DF_OK);
    assert_int_equal(write_typed(ds, "embed", part, embed, NULL), DF_OK);
    free(path);
}

static df_dataset *make(const char *name, int part_rows)
{
    char command[PATH_MAX];
    df_dataset *ds;
    snprintf(command, sizeof command, "rm -rf %s", name);
    assert_int_equal(system(command), 0);
    assert_int_equal(df_dataset_create(&ds, name, NULL), DF_OK);
    int part = 0;
    for (int first = 0; first < ROWS; first += part_rows) {
        put_part(ds, part++, first, first + part_rows < ROWS ? first + part_rows : ROWS);
        if (part == 1)
            put_part(ds, part++, 0, 0); /* an empty part among the others */
    }
    return ds;
}

typedef struct {
    int64_t k, iters, sample;
    const char *start;
    int threads;
} how;

static df_cluster_config config_of(how h)
{
    return (df_cluster_config){.k = h.k,
                               .iters = h.iters ? h.iters : 25,
                               .sample = h.sample,
                               .seed = 7,
                               .memory = 64,
                               .start = (char *)(uintptr_t)(h.start ? h.start : "sample")};
}

static df_status cluster(df_dataset *ds, how h, df_error *err)
{
    df_cluster_config config = config_of(h);
    df_run run = {.n_threads = h.threads ? h.threads : 1};
    return df_stage_cluster.run(ds, &config, &run, err);
}

static void must(df_dataset *ds, how h)
{
    df_error err = {""};
    if (cluster(ds, h, &err) != DF_OK)
        fail_msg("%s", err.message);
}

static void same(const char *one, const char *other, const char *what)
{
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command, "diff -r %s/cluster/%s %s/cluster/%s", one, what, other,
             what);
    assert_int_equal(system(command), 0);
}

static void threads_and_parts_change_nothing(void **state)
{
    (void)state;
    df_dataset *one = make("cluster.one", 300), *two = make("cluster.two", 300),
               *eight = make("cluster.eight", 300), *small = make("cluster.small", 70);
    must(one, (how){.k = 20, .threads = 1});
    must(two, (how){.k = 20, .threads = 2});
    must(eight, (how){.k = 20, .threads = 8});
    must(small, (how){.k = 20, .threads = 2});
    same("cluster.one", "cluster.two", "");
    same("cluster.one", "cluster.eight", "");
    same("cluster.one", "cluster.small", "centroids.npy");
    df_dataset_close(one);
    df_dataset_close(two);
    df_dataset_close(eight);
    df_dataset_close(small);
}

/* One row a vector, in row order; the cosine is that to the centroid, and no other centroid is
 * nearer. */
static void every_vector_has_its_cluster(void **state)
{
    (void)state;
    df_dataset *ds = make("cluster.rows", 300);
    must(ds, (how){.k = 13, .threads = 2});
    static float centroid[13 * DIM];
    df_npy *npy;
    assert_int_equal(df_npy_open(&npy, "cluster.rows/cluster/centroids.npy", NULL), DF_OK);
    assert_int_equal(df_npy_read(npy, 0, 13, centroid, NULL), DF_OK);
    df_npy_close(npy);
    int64_t n = 0;
    for (int part = 0, first = 0; part < df_dataset_parts(ds); part++) {
        df_table *t, *ingest;
        assert_int_equal(df_dataset_read(ds, &df_cluster_table, part, &t, NULL), DF_OK);
        assert_int_equal(df_dataset_read(ds, &df_ingest_table, part, &ingest, NULL), DF_OK);
        for (int64_t i = 0; i < df_table_rows(t); i++, n++) {
            float x[DIM];
            uint16_t half[DIM];
            vector_of(first + (int)df_table_int(t, i, 0), x);
            df_float_to_half_n(x, half, DIM);
            df_half_to_float_n(half, x, DIM);
            assert_true((first + df_table_int(t, i, 0)) % 10 != 3);
            double own = df_table_real(t, i, 2);
            assert_true(own == (double)df_dot(x, centroid + df_table_int(t, i, 1) * DIM, DIM));
            for (int c = 0; c < 13; c++)
                assert_true((double)df_dot(x, centroid + c * DIM, DIM) <= own);
        }
        first += (int)df_table_rows(ingest);
        df_table_close(t);
        df_table_close(ingest);
    }
    assert_int_equal(n, ROWS - ROWS / 10);
    df_dataset_close(ds);
}

static void machines_share_the_rounds(void **state)
{
    (void)state;
    for (int sample = 0; sample < 2; sample++) {
        df_dataset *alone = make("cluster.alone", 100), *shared = make("cluster.shared", 100);
        how h = {.k = 20, .threads = 2, .iters = 6, .sample = sample ? 16 : 0};
        must(alone, h);
        df_cluster_config config = config_of(h);
        static const int first[] = {7, 2, 3, 4}, rest[] = {0, 1, 5, 6, 8, 9};
        bool finished = false;
        df_error err = {""};
        for (int round = 0; !finished; round++) {
            df_run a = {.n_threads = 1, .parts = first, .n_parts = 4},
                   b = {.n_threads = 2, .parts = rest, .n_parts = 6};
            int rounds;
            assert_int_equal(df_cluster_map(shared, &config, &a, &finished, &err), DF_OK);
            assert_int_equal(df_cluster_reduce(shared, &config, &a, &rounds, &finished, &err),
                             DF_FORMAT);
            assert_non_null(
                strstr(err.message, "6 of 10 parts are not mapped yet, part 0 is the first"));
            assert_int_equal(df_cluster_map(shared, &config, &b, &finished, &err), DF_OK);
            /* again: the same file */
            assert_int_equal(df_cluster_map(shared, &config, &b, &finished, &err), DF_OK);
            assert_int_equal(df_cluster_reduce(shared, &config, &a, &rounds, &finished, &err),
                             DF_OK);
            assert_int_equal(rounds, round + 1);
        }
        must(shared, h);
        same("cluster.alone", "cluster.shared", "");
        df_dataset_close(alone);
        df_dataset_close(shared);
    }
}

static void a_part_summed_twice_is_refused(void **state)
{
    (void)state;
    df_dataset *ds = make("cluster.twice", 300);
    df_cluster_config config = config_of((how){.k = 5});
    static const int some[] = {0, 1}, others[] = {1, 2, 3};
    df_run a = {.parts = some, .n_parts = 2}, b = {.parts = others, .n_parts = 3};
    bool finished;
    int round;
    df_error err;
    assert_int_equal(df_cluster_map(ds, &config, &a, &finished, &err), DF_OK);
    assert_int_equal(df_cluster_map(ds, &config, &b, &finished, &err), DF_OK);
    assert_int_equal(df_cluster_reduce(ds, &config, &a, &round, &finished, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "part 1 is in another sums file of this round too"));
    df_dataset_close(ds);
}

/* As after a kill: the rounds on disk, and some of the parts. */
static void it_goes_on_from_the_last_round(void **state)
{
    (void)state;
    df_dataset *whole = make("cluster.whole", 300), *killed = make("cluster.killed", 300);
    how h = {.k = 20, .iters = 7};
    must(whole, h);
    df_cluster_config config = config_of(h);
    df_run run = {.n_threads = 1};
    bool finished;
    int round;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(df_cluster_map(killed, &config, &run, &finished, NULL), DF_OK);
        assert_int_equal(df_cluster_reduce(killed, &config, &run, &round, &finished, NULL), DF_OK);
    }
    must(killed, h);
    same("cluster.whole", "cluster.killed", "");
    assert_int_equal(system("rm cluster.killed/cluster/part-00002.parquet"), 0);
    must(killed, h);
    same("cluster.whole", "cluster.killed", "");
    df_dataset_close(whole);
    df_dataset_close(killed);
}

/* The last centroids are written, and what led to them is still there. */
static void a_last_round_cut_short_is_the_last(void **state)
{
    (void)state;
    df_dataset *whole = make("cluster.all", 300), *cut = make("cluster.cut", 300);
    how h = {.k = 20, .iters = 2};
    must(whole, h);
    must(cut, h);
    assert_int_equal(
        df_folder_write(df_dataset_files(cut), "cluster/work/00001.npy", "old", 3, NULL), DF_OK);
    assert_int_equal(
        df_folder_write(df_dataset_files(cut), "cluster/work/00001.0-3.sums", "old", 3, NULL),
        DF_OK);
    assert_int_equal(df_folder_remove(df_dataset_files(cut), "cluster/part-00000.parquet", NULL),
                     DF_OK);
    must(cut, h);
    assert_int_equal(df_folder_tidy(df_dataset_files(whole), NULL), DF_OK);
    assert_int_equal(df_folder_tidy(df_dataset_files(cut), NULL), DF_OK);
    same("cluster.all", "cluster.cut", "");
    df_dataset_close(whole);
    df_dataset_close(cut);
}

typedef struct {
    df_dataset *ds;
    int part;
    df_status status;
    df_error err;
} machine;

static void *map_one(void *arg)
{
    machine *m = arg;
    df_cluster_config config = config_of((how){.k = 20, .iters = 3});
    df_run run = {.n_threads = 1, .parts = &m->part, .n_parts = 1};
    bool finished;
    m->status = df_cluster_map(m->ds, &config, &run, &finished, &m->err);
    return NULL;
}

static void machines_may_begin_together(void **state)
{
    (void)state;
    df_cluster_config config = config_of((how){.k = 20, .iters = 3});
    df_run run = {.n_threads = 1};
    df_dataset *whole = make("cluster.alone", 300), *shared = make("cluster.together", 300);
    must(whole, (how){.k = 20, .iters = 3});
    bool finished = false;
    for (int round = 0; !finished;) {
        machine m[4]; /* three parts and an empty one */
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            m[i] = (machine){.ds = shared, .part = i};
            assert_int_equal(pthread_create(&threads[i], NULL, map_one, &m[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            if (m[i].status != DF_OK)
                fail_msg("%s", m[i].err.message);
        }
        assert_int_equal(df_cluster_reduce(shared, &config, &run, &round, &finished, NULL), DF_OK);
    }
    must(shared, (how){.k = 20, .iters = 3});
    same("cluster.alone", "cluster.together", "");
    df_dataset_close(whole);
    df_dataset_close(shared);
}

static void bad_input_is_one_line(void **state)
{
    (void)state;
    df_error err;
    df_dataset *ds = make("cluster.bad", 300);
    assert_int_equal(cluster(ds, (how){.k = ROWS}, &err), DF_CONFIG);
    assert_string_equal(
        err.message,
        "810 vectors are fewer than the 900 clusters asked for: set cluster.k to at most 810");
    assert_int_equal(cluster(ds, (how){.k = 5, .start = "corner"}, &err), DF_CONFIG);
    assert_string_equal(err.message, "cluster.start: \"corner\" is neither sample nor plusplus");
    df_cluster_config config = config_of((how){.k = 5}), other = config_of((how){.k = 6});
    df_run run = {.n_threads = 1};
    bool finished;
    assert_int_equal(df_cluster_map(ds, &config, &run, &finished, NULL), DF_OK);
    assert_int_equal(df_cluster_map(ds, &other, &run, &finished, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "was begun with `k=5`, now it is `k=6`"));
    put_part(ds, 2, 1, 301); /* as many vectors, other ones */
    assert_int_equal(df_cluster_map(ds, &config, &run, &finished, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "cluster/work was begun with `part 2 "));
    must(ds, (how){.k = 5}); /* the stage itself begins anew */
    assert_int_equal(system("rm -rf cluster.bad/cluster/work; : > cluster.bad/cluster/work"), 0);
    assert_int_equal(cluster(ds, (how){.k = 5}, &err), DF_IO);
    assert_string_equal(err.message, "open cluster.bad/cluster/work: Not a directory");
    df_dataset_close(ds);
}

/* Writes a value over the last one of a file of centroids. */
static void spoil(const char *path, float value)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -(long)sizeof value, SEEK_END), 0);
    assert_int_equal(fwrite(&value, sizeof value, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static void centroids_on_disk_are_not_believed(void **state)
{
    (void)state;
    const how h = {.k = 20, .iters = 7};
    df_error err;
    df_dataset *ds = make("cluster.spoilt", 300);
    df_cluster_config config = config_of(h);
    df_run run = {.n_threads = 1};
    bool finished;
    int round;
    assert_int_equal(df_cluster_map(ds, &config, &run, &finished, NULL), DF_OK);
    assert_int_equal(df_cluster_reduce(ds, &config, &run, &round, &finished, NULL), DF_OK);
    spoil("cluster.spoilt/cluster/work/00001.npy", NAN);
    assert_int_equal(cluster(ds, h, &err), DF_FORMAT);
    assert_non_null(strstr(err.message, "cluster.spoilt/cluster/work/00001.npy: "));
    assert_int_equal(system("rm cluster.spoilt/cluster/work/00001.npy"), 0);
    must(ds, h);
    static const float values[] = {NAN, INFINITY, -2};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        spoil("cluster.spoilt/cluster/centroids.npy", values[i]);
        assert_int_equal(system("rm -f cluster.spoilt/cluster/part-00002.parquet"), 0);
        assert_int_equal(cluster(ds, h, &err), DF_FORMAT);
        assert_non_null(strstr(err.message, "cluster.spoilt/cluster/centroids.npy: "));
        assert_int_equal(system("test -e cluster.spoilt/cluster/part-00002.parquet"), 256);
    }
    assert_int_equal(system("rm cluster.spoilt/cluster/centroids.npy"), 0);
    must(ds, h);
    df_dataset *whole = make("cluster.sound", 300);
    must(whole, h);
    same("cluster.sound", "cluster.spoilt", "");
    df_dataset_close(whole);
    df_dataset_close(ds);
}

static void no_vectors_no_clusters(void **state)
{
    (void)state;
    df_dataset *ds;
    assert_int_equal(system("rm -rf cluster.none"), 0);
    assert_int_equal(df_dataset_create(&ds, "cluster.none", NULL), DF_OK);
    put_part(ds, 0, 3, 4); /* one row, without a vector */
    must(ds, (how){.k = 0});
    df_table *t;
    assert_int_equal(df_dataset_read(ds, &df_cluster_table, 0, &t, NULL), DF_OK);
    assert_int_equal(df_table_rows(t), 0);
    df_table_close(t);
    df_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_parts_change_nothing),
        cmocka_unit_test(every_vector_has_its_cluster),
        cmocka_unit_test(machines_share_the_rounds),
        cmocka_unit_test(a_part_summed_twice_is_refused),
        cmocka_unit_test(it_goes_on_from_the_last_round),
        cmocka_unit_test(a_last_round_cut_short_is_the_last),
        cmocka_unit_test(machines_may_begin_together),
        cmocka_unit_test(bad_input_is_one_line),
        cmocka_unit_test(centroids_on_disk_are_not_believed),
        cmocka_unit_test(no_vectors_no_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
