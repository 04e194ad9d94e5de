/* How fast SemDeDup compares: 100 clusters of 10,000 x 512 (or N D CLUSTERS THREADS). CSV on
 * stdout; flops: n * n * d for a cluster, the triangle of its pairs. Peer: bench/peer_dedup.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "vector/half.h"
#include "vector/semdedup.h"
#include "base/pool.h"

/* of the clusters so many differ: the rest take their turn again */
enum { DIRECTIONS = 300, DISTINCT = 4 };

typedef struct {
    int64_t n;
    int dim, n_threads;
    uint16_t *rows[DISTINCT];
    int64_t n_removed; /* of cluster 0, at eps 0.4 */
} bench;

static uint64_t seed = 1;

/* About normal: a sum of four uniform numbers. */
static float noise(void)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sum += (float)(seed >> 40) / (float)(1 << 24) - 0.5f;
    }
    return sum * 1.7320508f;
}

/* As image vectors in a cluster are: cosines around 0.6, some directions shared, every sixth nearly
 * a copy. */
static void make_cluster(bench *b, uint16_t *rows)
{
    size_t d = (size_t)b->dim;
    float *directions = malloc((DIRECTIONS + 1) * d * sizeof *directions),
          *x = malloc(d * sizeof *x), *last = calloc(d, sizeof *x);
    for (size_t i = 0; i < (DIRECTIONS + 1) * d; i++)
        directions[i] = noise();
    for (int64_t i = 0; i < b->n; i++) {
        const float *u = directions + d * (size_t)(1 + (i * 7919) % DIRECTIONS);
        double length = 0;
        for (size_t k = 0; k < d; k++) {
            x[k] = i % 6 == 5 ? last[k] + 0.15f * noise()
                              : directions[k] + 0.45f * u[k] + 0.6f * noise();
            length += (double)x[k] * (double)x[k];
        }
        memcpy(last, x, d * sizeof *x);
        for (size_t k = 0; k < d; k++)
            x[k] /= (float)sqrt(length);
        df_float_to_half_n(x, rows + (size_t)i * d, d);
    }
    free(directions);
    free(x);
    free(last);
}

typedef struct {
    const bench *b;
    const uint16_t *rows;
} source;

static df_status read_rows(void *ctx, int64_t first, int64_t count, uint16_t *rows, df_error *err)
{
    const source *s = ctx;
    size_t d = (size_t)s->b->dim;
    (void)err;
    memcpy(rows, s->rows + (size_t)first * d, (size_t)count * d * sizeof *rows);
    return DF_OK;
}

/* As the stage does it: small clusters side by side, a thread each. */
static df_status compare(void *ctx, int64_t item, int thread, df_error *err)
{
    bench *b = ctx;
    source s = {b, b->rows[item % DISTINCT]};
    df_semdedup_rows rows = {.n = b->n,
                             .dim = b->dim,
                             .n_threads = 1,
                             .memory_bytes = ((size_t)192 << 20) / (size_t)b->n_threads,
                             .read = read_rows,
                             .ctx = &s};
    float *similarity = malloc((size_t)b->n * sizeof *similarity);
    int64_t *nearest = malloc((size_t)b->n * sizeof *nearest);
    (void)thread;
    df_status status = df_semdedup_nearest(&rows, 0.4, similarity, nearest, NULL, err);
    for (int64_t i = 0; item == 0 && i < b->n; i++)
        b->n_removed += df_semdedup_removes(similarity[i], 0.05);
    free(similarity);
    free(nearest);
    return status;
}

int main(int argc, char **argv)
{
    bench b = {.n = argc > 1 ? atoll(argv[1]) : 10000,
               .dim = argc > 2 ? atoi(argv[2]) : 512,
               .n_threads = argc > 4 ? atoi(argv[4]) : 2};
    int64_t clusters = argc > 3 ? atoll(argv[3]) : 100;
    for (int i = 0; i < DISTINCT; i++) {
        b.rows[i] = malloc((size_t)b.n * (size_t)b.dim * sizeof(uint16_t));
        make_cluster(&b, b.rows[i]);
    }
    struct rusage before, after;
    struct timespec t0, t1;
    getrusage(RUSAGE_SELF, &before);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    df_error err = {""};
    if (df_pool_run(b.n_threads, clusters, compare, &b, &err) != DF_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    getrusage(RUSAGE_SELF, &after);
    double seconds = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
    double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                 1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec);
    printf("case,clusters,n,d,threads,seconds,cpu_seconds,gflops,mib,removed_of_first\n");
    printf("semdedup,%lld,%lld,%d,%d,%.3f,%.3f,%.1f,%.0f,%lld\n", (long long)clusters,
           (long long)b.n, b.dim, b.n_threads, seconds, cpu,
           (double)clusters * (double)b.n * (double)b.n * b.dim / seconds / 1e9,
           (double)(after.ru_maxrss - before.ru_maxrss) / 1024, (long long)b.n_removed);
    for (int i = 0; i < DISTINCT; i++)
        free(b.rows[i]);
    return 0;
}
