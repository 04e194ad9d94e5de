/* k-means gives what brute force gives, to the bit, whatever threads, memory and order do. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vector/dot.h"
#include "vector/half.h"
#include "vector/kmeans.h"
#include "vector/random.h"

enum { ROUNDS = 8 };
typedef struct {
    int64_t n;
    int d, k;
    uint16_t *half;
    float *start;
    df_rows rows;
} set;

static df_status read_rows(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    const set *s = ctx;
    (void)err;
    memcpy(out, s->half + (size_t)first * (size_t)s->d, (size_t)n * (size_t)s->d * sizeof *out);
    return DF_OK;
}

static void unit(float *x, int d)
{
    float length = sqrtf(df_dot(x, x, d));
    for (int i = 0; i < d; i++)
        x[i] /= length;
}

/* spread: 0 all rows equal, small: tight clusters, large: noise. */
static set make(int64_t n, int d, int k, double spread, uint64_t seed)
{
    set s = {.n = n, .d = d, .k = k};
    df_random random = df_random_start(seed, 0);
    s.half = malloc((size_t)n * (size_t)d * sizeof *s.half);
    s.start = malloc((size_t)k * (size_t)d * sizeof *s.start);
    float *x = malloc((size_t)d * sizeof *x);
    for (int64_t r = 0; r < n; r++) {
        df_random subject = df_random_start(seed + 1, spread > 0 ? (uint64_t)(r % 7) : 0);
        for (int i = 0; i < d; i++)
            x[i] =
                (float)(0.5 + df_random_unit(&subject) + spread * (df_random_unit(&random) - 0.5));
        unit(x, d);
        df_float_to_half_n(x, s.half + (size_t)r * (size_t)d, (size_t)d);
    }
    free(x);
    return s;
}

static void finish(set *s)
{
    s->rows = (df_rows){.n = s->n, .d = s->d, .read = read_rows, .ctx = s};
    assert_int_equal(df_kmeans_start_sample(&s->rows, s->k, 5, s->start, NULL), DF_OK);
}

static void drop(set *s)
{
    free(s->half);
    free(s->start);
}

/* ---- brute force, with a summation of its own ---- */

static double reference_round(const set *s, const float *centroid, int64_t *sum, int64_t *count,
                              int32_t *assign)
{
    float *x = malloc((size_t)s->d * sizeof *x);
    double objective = 0;
    memset(sum, 0, (size_t)s->k * (size_t)s->d * sizeof *sum);
    memset(count, 0, (size_t)s->k * sizeof *count);
    for (int64_t r = 0; r < s->n; r++) {
        float best = -4;
        df_half_to_float_n(s->half + (size_t)r * (size_t)s->d, x, (size_t)s->d);
        for (int c = 0; c < s->k; c++) {
            float dot = df_dot(x, centroid + (size_t)c * (size_t)s->d, s->d);
            if (dot > best) {
                best = dot;
                assign[r] = c;
            }
        }
        objective += (double)best;
        count[assign[r]]++;
        for (int i = 0; i < s->d; i++)
            sum[(size_t)assign[r] * (size_t)s->d + (size_t)i] += (int64_t)((double)x[i] * 0x1p24);
    }
    free(x);
    return objective / (double)s->n;
}

static void compare(set *s, int threads, size_t memory)
{
    size_t size = (size_t)s->k * (size_t)s->d;
    int64_t *sum = malloc(size * sizeof *sum), *count = malloc((size_t)s->k * sizeof *count);
    int32_t *assign = malloc((size_t)s->n * sizeof *assign),
            *labels = malloc((size_t)s->n * sizeof *labels);
    float *centroid = malloc(size * sizeof *centroid),
          *similarity = malloc((size_t)s->n * sizeof *similarity);
    df_kmeans *km;
    df_kmeans_options options = {.n_threads = threads, .memory = memory};
    memcpy(centroid, s->start, size * sizeof *centroid);
    assert_int_equal(df_kmeans_open(&km, &s->rows, centroid, s->k, &options, NULL), DF_OK);
    double before = -2;
    bool split = false;
    for (int round = 0; round < ROUNDS; round++) {
        int n_empty = 0;
        double objective = reference_round(s, centroid, sum, count, assign);
        assert_int_equal(df_kmeans_assign(km, NULL, NULL), DF_OK);
        assert_memory_equal(df_kmeans_sums(km), sum, size * sizeof *sum);
        assert_memory_equal(df_kmeans_counts(km), count, (size_t)s->k * sizeof *count);
        assert_float_equal(df_centroids_objective(centroid, sum, count, s->k, s->d), objective,
                           1e-6);
        /* it never falls, but where a cluster was split */
        assert_true(split || objective >= before - 1e-7);
        before = objective;
        assert_int_equal(df_kmeans_label(km, 0, s->n, labels, similarity, NULL), DF_OK);
        assert_memory_equal(labels, assign, (size_t)s->n * sizeof *labels);
        assert_int_equal(
            df_centroids_update(sum, count, s->k, s->d, 9, round, centroid, &n_empty, NULL), DF_OK);
        split = n_empty > 0;
        assert_int_equal(df_kmeans_move(km, centroid, NULL), DF_OK);
    }
    df_kmeans_close(km);
    free(sum);
    free(count);
    free(assign);
    free(labels);
    free(centroid);
    free(similarity);
}

static void same_as_brute_force(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        int d, k;
        double spread;
    } cases[] = {
        {3000, 64, 40, 1.5}, {2500, 100, 17, 3},    {1500, 33, 200, 2},
        {2100, 256, 100, 8}, {1030, 7, 1, 1},       {5, 16, 5, 2},
        {1200, 48, 1100, 2}, {2000, 192, 33, 0.05}, {40, 3, 7, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set s = make(cases[i].n, cases[i].d, cases[i].k, cases[i].spread, i);
        finish(&s);
        compare(&s, 1, 64 << 20);
        compare(&s, 2, 64 << 20);
        compare(&s, 8, 0);                   /* nothing is kept from round to round */
        compare(&s, 2, (size_t)s.n * 300);   /* bounds in groups of panels, no codes */
        drop(&s);
    }
}

/* All rows alike, all centroids alike: ties go to the lowest number, empty clusters are split,
 * nothing hangs. */
static void equal_rows_are_a_tie(void **state)
{
    (void)state;
    set s = make(600, 40, 9, 0, 3);
    finish(&s);
    compare(&s, 2, 1 << 20);
    drop(&s);
}

static void an_empty_cluster_takes_half_of_another(void **state)
{
    (void)state;
    enum { K = 3, D = 4 };
    int64_t sum[K * D] = {900, 0, 0, 0, 0, 0, 0, 0, 0, 500, 0, 0}, count[K] = {900, 0, 1};
    float centroid[K * D] = {0};
    int n_empty;
    assert_int_equal(df_centroids_update(sum, count, K, D, 1, 0, centroid, &n_empty, NULL), DF_OK);
    assert_int_equal(n_empty, 1);
    for (int c = 0; c < K; c++)
        assert_float_equal(df_dot(centroid + (size_t)c * D, centroid + (size_t)c * D, D), 1, 1e-6);
    /* the one of 900 rows was split, not the one of 1 */
    assert_true(df_dot(centroid, centroid + D, D) > 0.99F);
    assert_float_equal(centroid[2 * D + 1], 1, 0);
}

/* The same bits on every machine and by every compiler: this number was seen on x86-64 (AVX-512)
 * and AArch64 (NEON). */
static void the_bits_do_not_depend_on_the_machine(void **state)
{
    (void)state;
    set s = make(3000, 100, 50, 2, 77);
    finish(&s);
    df_kmeans *km;
    df_kmeans_options options = {.n_threads = 2, .memory = 1 << 24};
    float *centroid = s.start;
    assert_int_equal(df_kmeans_open(&km, &s.rows, centroid, s.k, &options, NULL), DF_OK);
    for (int round = 0; round < 5; round++) {
        assert_int_equal(df_kmeans_assign(km, NULL, NULL), DF_OK);
        assert_int_equal(df_centroids_update(df_kmeans_sums(km), df_kmeans_counts(km), s.k, s.d, 1,
                                             round, centroid, NULL, NULL),
                         DF_OK);
        assert_int_equal(df_kmeans_move(km, centroid, NULL), DF_OK);
    }
    uint64_t hash = 1469598103934665603U;
    for (size_t i = 0; i < (size_t)s.k * (size_t)s.d; i++) {
        uint32_t bits;
        memcpy(&bits, &centroid[i], sizeof bits);
        hash = (hash ^ bits) * 1099511628211U;
    }
    assert_true(hash == UINT64_C(0xe3b2f9c4ba1e07db));
    df_kmeans_close(km);
    drop(&s);
}

static df_status fail_to_read(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    (void)ctx, (void)n, (void)out;
    return first >= 1024 ? df_fail(err, DF_IO, "part 7 is gone") : DF_OK;
}

static void a_failed_read_is_told(void **state)
{
    (void)state;
    df_rows rows = {.n = 3000, .d = 16, .read = fail_to_read};
    float centroid[16] = {1};
    df_kmeans *km;
    df_error err;
    df_kmeans_options options = {.n_threads = 2, .memory = 1 << 20};
    assert_int_equal(df_kmeans_open(&km, &rows, centroid, 1, &options, NULL), DF_OK);
    assert_int_equal(df_kmeans_assign(km, NULL, &err), DF_IO);
    assert_string_equal(err.message, "part 7 is gone");
    df_kmeans_close(km);
}

static void a_sample_is_rising_and_spread(void **state)
{
    (void)state;
    static const struct {
        int64_t m, n;
    } cases[] = {{1, 1}, {7, 7}, {3, 10}, {999, 1000}, {1000, 123457}, {5, 500000000000}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int64_t i = 0, before = -1; i < cases[c].m; i++) {
            int64_t row = df_sample_row(i, cases[c].m, cases[c].n, 42);
            assert_true(row > before && row < cases[c].n);
            before = row;
        }
}

static void plus_plus_finds_every_group(void **state)
{
    (void)state;
    set s = make(700, 32, 7, 0.01, 8);       /* seven tight groups */
    finish(&s);
    float one[7 * 32], other[7 * 32];
    assert_int_equal(df_kmeans_start_plus_plus(&s.rows, 7, 1, 1, one, NULL), DF_OK);
    assert_int_equal(df_kmeans_start_plus_plus(&s.rows, 7, 1, 4, other, NULL), DF_OK);
    assert_memory_equal(one, other, sizeof one);
    for (int a = 0; a < 7; a++)
        for (int b = 0; b < a; b++)
            assert_true(df_dot(one + 32 * (size_t)a, one + 32 * (size_t)b, 32) < 0.9999F);
    drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_brute_force),
        cmocka_unit_test(equal_rows_are_a_tie),
        cmocka_unit_test(an_empty_cluster_takes_half_of_another),
        cmocka_unit_test(a_failed_read_is_told),
        cmocka_unit_test(the_bits_do_not_depend_on_the_machine),
        cmocka_unit_test(a_sample_is_rising_and_spread),
        cmocka_unit_test(plus_plus_finds_every_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
