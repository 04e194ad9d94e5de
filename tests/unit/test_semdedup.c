/* SemDeDup: kept sets, suppressors and groups as a NumPy transcription of the published rule has
 * them; tiles and threads change nothing. tests/oracle/semdedup.py writes the cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector/dot.h"
#include "vector/half.h"
#include "vector/semdedup.h"
#include "base/file.h"

enum { EPS_MAX = 8, ITEMS_MAX = 128, FIRST_ID = 100, SEED = 7 };

typedef struct {
    const char *at, *end;
} reader;

static const void *take(reader *r, size_t size)
{
    assert_true((size_t)(r->end - r->at) >= size);
    const void *data = r->at;
    r->at += size;
    return data;
}

static int take_int(reader *r)
{
    int32_t value;
    memcpy(&value, take(r, sizeof value), sizeof value);
    return value;
}

typedef struct {
    int n, dim, exact, n_eps;
    double eps[EPS_MAX];
    const char *vectors;
    double to_centroid[ITEMS_MAX];
} cluster;
typedef struct {
    const int8_t *order, *suppressor, *kept, *group[EPS_MAX];
    float max[ITEMS_MAX];
} answer;

typedef struct {
    uint16_t *rows;
    int dim;
} ordered_rows;

static df_status read_rows(void *ctx, int64_t first, int64_t count, uint16_t *rows, df_error *err)
{
    (void)err;
    const ordered_rows *o = ctx;
    memcpy(rows, o->rows + first * o->dim, (size_t)(count * o->dim) * sizeof *rows);
    return DF_OK;
}

/* All rows in order, by n_threads, in memory_bytes. */
static void nearest_of(const cluster *c, const int64_t *order, int n_threads, size_t memory_bytes,
                       double eps, float *similarity, int64_t *nearest, int64_t *parent)
{
    ordered_rows ordered = {malloc((size_t)(c->n * c->dim) * sizeof(uint16_t)), c->dim};
    for (int i = 0; i < c->n; i++)
        memcpy(ordered.rows + i * c->dim, c->vectors + (size_t)(order[i] * c->dim) * 2,
               (size_t)c->dim * 2);
    df_semdedup_rows rows = {.n = c->n,
                             .dim = c->dim,
                             .n_threads = n_threads,
                             .memory_bytes = memory_bytes,
                             .read = read_rows,
                             .ctx = &ordered};
    assert_int_equal(df_semdedup_nearest(&rows, eps, similarity, nearest, parent, NULL), DF_OK);
    free(ordered.rows);
}

/* The reference's M is at least 0: its matrix has zeros where no earlier item is. */
static void check_nearest(const cluster *c, const answer *a, const float *similarity,
                          const int64_t *nearest)
{
    for (int j = 0; j < c->n; j++) {
        float max = similarity[j] < 0 ? 0 : similarity[j];
        assert_true(c->exact ? max == a->max[j]
                             : max - a->max[j] < 1e-6f && a->max[j] - max < 1e-6f);
        if (c->exact || j == 0)
            assert_int_equal(nearest[j], a->suppressor[j]);
        assert_true(nearest[j] < j);
        for (int e = 0; e < c->n_eps; e++)
            assert_int_equal(!df_semdedup_removes(similarity[j], c->eps[e]), a->kept[j] >> e & 1);
    }
}

static void check_order(const cluster *c, const answer *a, df_keep keep)
{
    int64_t id[ITEMS_MAX], order[ITEMS_MAX], nearest[ITEMS_MAX], parent[ITEMS_MAX],
        again[ITEMS_MAX];
    float similarity[ITEMS_MAX], same[ITEMS_MAX];
    for (int i = 0; i < c->n; i++)
        id[i] = FIRST_ID + i;
    assert_int_equal(df_semdedup_order(c->to_centroid, id, c->n, keep, SEED, order, NULL), DF_OK);
    for (int i = 0; i < c->n; i++)
        assert_int_equal(order[i], a->order[i]);
    nearest_of(c, order, 1, 1 << 20, 0, similarity, nearest, NULL);
    check_nearest(c, a, similarity, nearest);
    for (int e = 0; e < c->n_eps; e++) {
        nearest_of(c, order, 1 + e % 3, 1 << 20, c->eps[e], same, again, parent);
        for (int i = 0; i < c->n; i++) {
            assert_int_equal(parent[i], a->group[e][i]);
            assert_int_equal(again[i], parent[i] == i ? nearest[i] : parent[i]);
            assert_true(again[i] == nearest[i] ? same[i] == similarity[i]
                                               : same[i] <= similarity[i]);
        }
    }
}

static answer take_answer(reader *r, const cluster *c)
{
    answer a = {.order = take(r, (size_t)c->n)};
    memcpy(a.max, take(r, (size_t)c->n * sizeof *a.max), (size_t)c->n * sizeof *a.max);
    a.suppressor = take(r, (size_t)c->n);
    a.kept = take(r, (size_t)c->n);
    for (int e = 0; e < c->n_eps; e++)
        a.group[e] = take(r, (size_t)c->n);
    return a;
}

static void equals_the_published_rule(void **state)
{
    (void)state;
    char path[1024], *data;
    size_t size;
    snprintf(path, sizeof path, "%s/tests/oracle/semdedup.bin",
             getenv("DF_SOURCE_DIR") ? getenv("DF_SOURCE_DIR") : ".");
    assert_int_equal(df_file_read(path, 1 << 24, &data, &size, NULL), DF_OK);
    reader r = {data, data + size};
    int n_cases = take_int(&r);
    cluster c = {.n_eps = take_int(&r)};
    assert_true(n_cases >= 50 && c.n_eps <= EPS_MAX);
    memcpy(c.eps, take(&r, (size_t)c.n_eps * sizeof *c.eps), (size_t)c.n_eps * sizeof *c.eps);
    for (int i = 0; i < n_cases; i++) {
        c.n = take_int(&r), c.dim = take_int(&r), c.exact = take_int(&r);
        assert_true(c.n <= ITEMS_MAX);
        c.vectors = take(&r, (size_t)(c.n * c.dim) * 2);
        memcpy(c.to_centroid, take(&r, (size_t)c.n * sizeof(double)), (size_t)c.n * sizeof(double));
        for (df_keep keep = DF_KEEP_FARTHEST; keep <= DF_KEEP_RANDOM; keep++) {
            answer a = take_answer(&r, &c);
            check_order(&c, &a, keep);
        }
    }
    assert_ptr_equal(r.at, r.end);
    free(data);
}

/* 700 rows around a few directions: whole, in tiles of 64 rows, on 1, 2 and 8 threads. */
static void tiles_and_threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 700, DIM = 96 };
    static float x[N * DIM], similarity[N], expected[N];
    static uint16_t half[N * DIM];
    static int64_t order[N], nearest[N], parent[N], expected_nearest[N], expected_parent[N];
    uint32_t seed = 1;
    for (int i = 0; i < N; i++) {
        float length = 0;
        order[i] = i;
        for (int k = 0; k < DIM; k++) {
            seed = seed * 1664525 + 1013904223;
            x[i * DIM + k] =
                (float)(seed >> 16 & 255) / 255 - 0.5f + (float)((i * 37 + k) % 11 == i % 7) * 3;
            length += x[i * DIM + k] * x[i * DIM + k];
        }
        for (int k = 0; k < DIM; k++)
            x[i * DIM + k] /= __builtin_sqrtf(length);
        if (i % 50 == 49)
            memcpy(x + i * DIM, x + (i - 40) * DIM, DIM * sizeof *x);
    }
    df_float_to_half_n(x, half, N * DIM);
    cluster c = {.n = N, .dim = DIM, .vectors = (const char *)half};
    nearest_of(&c, order, 1, 1 << 24, 0.2, expected, expected_nearest, NULL);
    df_half_to_float_n(half, x, N * DIM);
    for (int i = 0; i < N; i++) {            /* by all dot products in full: the same bits */
        float max = -2;
        int64_t first = -1;
        for (int j = 0; j < i; j++) {
            float dot = df_dot(x + i * DIM, x + j * DIM, DIM);
            first = dot > max ? j : first;
            max = dot > max ? dot : max;
        }
        assert_true(expected[i] == max);
        assert_int_equal(expected_nearest[i], first);
    }
    assert_int_equal(expected_nearest[49], 9);
    nearest_of(&c, order, 1, 1 << 24, 0.2, expected, expected_nearest, expected_parent);
    for (int n_threads = 1; n_threads <= 8; n_threads++)
        for (int small = 0; small < 2; small++) {
            nearest_of(&c, order, n_threads, small ? 1 : 1 << 24, 0.2, similarity, nearest, parent);
            assert_memory_equal(similarity, expected, sizeof expected);
            assert_memory_equal(nearest, expected_nearest, sizeof nearest);
            assert_memory_equal(parent, expected_parent, sizeof parent);
        }
}

static df_status refuse(void *ctx, int64_t first, int64_t count, uint16_t *rows, df_error *err)
{
    (void)ctx, (void)first, (void)count, (void)rows;
    return df_fail(err, DF_IO, "the disk is gone");
}

static void a_failed_read_is_told(void **state)
{
    (void)state;
    float similarity[3];
    int64_t nearest[3];
    df_error err = {""};
    df_semdedup_rows rows = {.n = 3, .dim = 4, .n_threads = 2, .memory_bytes = 100, .read = refuse};
    assert_int_equal(df_semdedup_nearest(&rows, 0, similarity, nearest, NULL, &err), DF_IO);
    assert_string_equal(err.message, "the disk is gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_published_rule),
                                       cmocka_unit_test(tiles_and_threads_change_nothing),
                                       cmocka_unit_test(a_failed_read_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
