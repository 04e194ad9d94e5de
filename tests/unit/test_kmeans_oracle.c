/* Against exact Lloyd iterations in NumPy and against faiss: tests/oracle/kmeans.py wrote what is
 * expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vector/kmeans.h"
#include "io/npy.h"

enum { N = 500, D = 32, K = 12 };

static void read_npy(const char *name, void *out, int64_t rows)
{
    char path[4096];
    df_npy *npy;
    snprintf(path, sizeof path, "%s/tests/oracle/kmeans/%s", getenv("DF_SOURCE_DIR"), name);
    assert_int_equal(df_npy_open(&npy, path, NULL), DF_OK);
    assert_int_equal(df_npy_read(npy, 0, rows, out, NULL), DF_OK);
    df_npy_close(npy);
}

static df_status read_rows(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    (void)err;
    memcpy(out, (const uint16_t *)ctx + first * D, (size_t)n * D * sizeof *out);
    return DF_OK;
}

/* The last round's objective, and the clusters that led to it. */
static double run_rounds(const df_rows *rows, int rounds, int32_t *cluster)
{
    float centroid[K * D], similarity[N];
    double objective = 0;
    df_kmeans *km;
    df_kmeans_options options = {.n_threads = 2, .memory = 1 << 20};
    read_npy("start.npy", centroid, K);
    assert_int_equal(df_kmeans_open(&km, rows, centroid, K, &options, NULL), DF_OK);
    for (int round = 0; round < rounds; round++) {
        assert_int_equal(df_kmeans_assign(km, NULL, NULL), DF_OK);
        assert_int_equal(df_kmeans_label(km, 0, N, cluster, similarity, NULL), DF_OK);
        objective =
            df_centroids_objective(centroid, df_kmeans_sums(km), df_kmeans_counts(km), K, D);
        assert_int_equal(df_centroids_update(df_kmeans_sums(km), df_kmeans_counts(km), K, D, 1,
                                             round, centroid, NULL, NULL),
                         DF_OK);
        assert_int_equal(df_kmeans_move(km, centroid, NULL), DF_OK);
    }
    df_kmeans_close(km);
    return objective;
}

static void equals_numpy_and_faiss(void **state)
{
    (void)state;
    static uint16_t half[N * D];
    char path[4096], line[100];
    read_npy("vectors.npy", half, N);
    df_rows rows = {.n = N, .d = D, .read = read_rows, .ctx = half};
    snprintf(path, sizeof path, "%s/tests/oracle/kmeans/expected.csv", getenv("DF_SOURCE_DIR"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int n_runs = 0;
    while (fgets(line, sizeof line, file)) {
        int rounds, expected, n_close = 0;
        double numpy, faiss, gap;
        int32_t cluster[N];
        assert_int_equal(sscanf(line, "%d,%lf,%lf", &rounds, &numpy, &faiss), 3);
        double objective = run_rounds(&rows, rounds, cluster);
        assert_float_equal(objective, numpy, 1e-6);
        /* faiss sums in single precision */
        assert_float_equal(objective, faiss, 1e-5);
        for (int i = 0; i < N; i++) {
            assert_non_null(fgets(line, sizeof line, file));
            assert_int_equal(sscanf(line, "%d,%lf", &expected, &gap), 2);
            n_close += gap < 2e-6;           /* nearer than single precision tells apart */
            if (gap >= 2e-6)
                assert_int_equal(cluster[i], expected);
        }
        assert_true(n_close < 5);
        n_runs++;
    }
    assert_int_equal(n_runs, 3);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_numpy_and_faiss)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
