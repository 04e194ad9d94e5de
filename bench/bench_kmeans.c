/* Seconds of each round of k-means: bench_kmeans FOLDER [iterations] [threads] [memory MiB] [check]
 * FOLDER as bench/kmeans_data.py writes it; bench/peer_kmeans.py runs faiss on it. check: compares
 * 2,000 rows of each round with brute force. CSV on stdout, one line a round, then the sum. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "vector/dot.h"
#include "vector/half.h"
#include "vector/kmeans.h"
#include "vector/simd.h"
#include "io/npy.h"

typedef struct {
    df_rows rows;
    df_npy *npy;
    float *centroid; /* [k][d] */
    int k, check;
} job;

static df_status read_rows(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    return df_npy_read(ctx, first, n, out, err);
}

static df_status open_job(job *j, const char *folder, df_error *err)
{
    char path[4096];
    df_npy *start = NULL;
    snprintf(path, sizeof path, "%s/vectors.npy", folder);
    DF_TRY(df_npy_open(&j->npy, path, err));
    df_npy_shape shape = df_npy_shape_of(j->npy);
    j->rows = (df_rows){.n = shape.rows, .d = (int)shape.dim, .read = read_rows, .ctx = j->npy};
    snprintf(path, sizeof path, "%s/start.npy", folder);
    DF_TRY(df_npy_open(&start, path, err));
    j->k = (int)df_npy_shape_of(start).rows;
    j->centroid = malloc((size_t)j->k * (size_t)j->rows.d * sizeof *j->centroid);
    df_status status = j->centroid ? df_npy_read(start, 0, j->k, j->centroid, err) : DF_NOMEM;
    df_npy_close(start);
    return status;
}

static int32_t brute_force(const job *j, const float *centroid, const float *x, float *best)
{
    int32_t at = 0;
    *best = -2;
    for (int c = 0; c < j->k; c++) {
        float dot = df_dot(x, centroid + (size_t)c * (size_t)j->rows.d, j->rows.d);
        if (dot > *best) {
            *best = dot;
            at = c;
        }
    }
    return at;
}

static df_status check(const job *j, df_kmeans *km, int64_t *wrong, df_error *err)
{
    enum { EACH = 50 };
    int32_t cluster[EACH];
    float similarity[EACH], best, *x = malloc((size_t)j->rows.d * sizeof *x);
    uint16_t *half = malloc((size_t)EACH * (size_t)j->rows.d * sizeof *half);
    df_status status = x && half ? DF_OK : DF_NOMEM;
    for (int piece = 0; status == DF_OK && piece < 40; piece++) {
        int64_t first = (j->rows.n - EACH) / 40 * piece;
        status = df_kmeans_label(km, first, EACH, cluster, similarity, err);
        if (status == DF_OK)
            status = df_npy_read(j->npy, first, EACH, half, err);
        for (int i = 0; status == DF_OK && i < EACH; i++) {
            df_half_to_float_n(half + (size_t)i * (size_t)j->rows.d, x, (size_t)j->rows.d);
            *wrong += brute_force(j, df_kmeans_centroids(km), x, &best) != cluster[i] ||
                      memcmp(&best, &similarity[i], sizeof best) != 0;
        }
    }
    free(x);
    free(half);
    return status;
}

static uint64_t bits_of(const float *x, size_t n)
{
    uint64_t hash = 1469598103934665603U;
    for (size_t i = 0; i < n * sizeof *x; i++)
        hash = (hash ^ ((const unsigned char *)x)[i]) * 1099511628211U;
    return hash;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static df_status run(job *j, int iterations, int threads, size_t memory, df_error *err)
{
    df_kmeans *km = NULL;
    df_kmeans_options options = {.n_threads = threads, .memory = memory};
    double start = now_s(), start_cpu = cpu_s();
    size_t size = (size_t)j->k * (size_t)j->rows.d;
    int64_t wrong = 0;
    DF_TRY(df_kmeans_open(&km, &j->rows, j->centroid, j->k, &options, err));
    printf("round,seconds,cpu_seconds,moved,looked_at,rechecked,dots_per_row,empty,objective\n");
    df_status status = DF_OK;
    for (int round = 0; status == DF_OK && round < iterations; round++) {
        df_kmeans_pass pass;
        int n_empty = 0;
        double cpu = cpu_s();
        status = df_kmeans_assign(km, &pass, err);
        cpu = cpu_s() - cpu;
        if (status == DF_OK && j->check)
            status = check(j, km, &wrong, err);
        if (status != DF_OK)
            break;
        double objective = df_centroids_objective(j->centroid, df_kmeans_sums(km),
                                                  df_kmeans_counts(km), j->k, j->rows.d);
        status = df_centroids_update(df_kmeans_sums(km), df_kmeans_counts(km), j->k, j->rows.d, 1,
                                     round, j->centroid, &n_empty, err);
        if (status == DF_OK)
            status = df_kmeans_move(km, j->centroid, err);
        printf("%d,%.3f,%.3f,%.4f,%.4f,%.4f,%.2f,%d,%.7f\n", round, pass.seconds, cpu,
               (double)pass.n_moved / (double)pass.n_rows,
               (double)pass.n_looked / (double)pass.n_pairs,
               (double)pass.n_rechecked / (double)pass.n_rows,
               (double)pass.n_exact / (double)pass.n_rows, n_empty, objective);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%s: %d rounds, %d threads: %.2f s (cpu %.2f), peak %.0f MiB, centroids %016llx",
           df_simd_best()->name, iterations, threads, now_s() - start, cpu_s() - start_cpu,
           (double)usage.ru_maxrss / 1024, (unsigned long long)bits_of(j->centroid, size));
    printf(j->check ? ", %lld of %d rows wrong\n" : "\n", (long long)wrong, 2000 * iterations);
    df_kmeans_close(km);
    return status;
}

int main(int argc, char **argv)
{
    job j = {.check = argc > 5};
    df_error err = {""};
    df_status status =
        argc > 1 ? open_job(&j, argv[1], &err) : df_fail(&err, DF_CONFIG, "bench_kmeans FOLDER");
    if (status == DF_OK)
        status = run(&j, argc > 2 ? atoi(argv[2]) : 10, argc > 3 ? atoi(argv[3]) : 2,
                     (size_t)(argc > 4 ? atoi(argv[4]) : 1024) << 20, &err);
    if (status != DF_OK)
        fprintf(stderr, "bench_kmeans: %s\n", err.message);
    free(j.centroid);
    df_npy_close(j.npy);
    return status != DF_OK;
}
