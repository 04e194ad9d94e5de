/* Every instruction set that this machine has gives the bits of the plain one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vector/dot.h"
#include "vector/half.h"
#include "vector/simd.h"

enum { D_MAX = 1344 };
static const int dims[] = {1, 3, 15, 16, 17, 63, 64, 65, 100, 127, 256, 511, 768, 1024, 1280, 1344};

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static float uniform(uint32_t *state)
{
    return (float)next(state) * 0x1p-23F - 1;
}

static void for_each_set(void (*check)(const df_simd *plain, const df_simd *set))
{
    int n = 0;
    for (int i = 1; df_simd_all[i]; i++)
        if (df_simd_all[i]->available()) {
            check(df_simd_all[0], df_simd_all[i]);
            n++;
        }
    print_message("%d sets beside plain C; best: %s\n", n, df_simd_best()->name);
}

static void check_dot(const df_simd *plain, const df_simd *set)
{
    static float a[D_MAX], b[D_MAX];
    uint32_t state = 1;
    for (size_t k = 0; k < sizeof dims / sizeof *dims; k++) {
        double exact = 0, size = 0;
        for (int i = 0; i < dims[k]; i++) {
            a[i] = uniform(&state);
            b[i] = uniform(&state) * (i % 7 == 0 ? 1e-3F : 1);
            exact += (double)a[i] * b[i];
            size += fabs((double)a[i] * b[i]);
        }
        float one = plain->dot(a, b, dims[k]), other = set->dot(a, b, dims[k]);
        assert_memory_equal(&one, &other, sizeof one);
        assert_true(fabs(one - exact) <= (double)df_dot_error(dims[k]) * size);
    }
}

static void check_half(const df_simd *plain, const df_simd *set)
{
    static uint16_t half[65536];
    static float one[65536], other[65536];
    for (int i = 0; i < 65536; i++)
        half[i] = (uint16_t)i;
    for (int n = 65536; n > 65500; n -= 7) {
        plain->from_half(half, one, n);
        set->from_half(half, other, n);
        for (int i = 0; i < n; i++)
            assert_true(isnan(one[i]) ? isnan(other[i])
                                      : memcmp(&one[i], &other[i], sizeof *one) == 0);
    }
}

static void fill_codes(int8_t *code, int d, int kind, uint32_t *state)
{
    for (int i = 0; i < d; i++)
        code[i] = (int8_t)(kind == 0   ? 127
                           : kind == 1 ? -127
                           : kind == 2 ? (i % 2 ? 127 : -127)
                                       : (int)(next(state) % 255) - 127);
}

static void check_tile(const df_simd *plain, const df_simd *set)
{
    static int8_t rows[DF_TILE][D_MAX], lanes[DF_LANES][D_MAX];
    static uint8_t panel[DF_LANES * D_MAX];
    uint32_t state = 7;
    for (int d = DF_CODE_STEP; d <= D_MAX; d += 5 * DF_CODE_STEP) {
        const int8_t *row[DF_TILE];
        int32_t start[DF_TILE] = {0}, one[DF_TILE][DF_LANES], other[DF_TILE][DF_LANES];
        for (int j = 0; j < DF_LANES; j++) {
            fill_codes(lanes[j], d, j, &state);
            for (int i = 0; i < d; i++)
                panel[(i / 4 * DF_LANES + j) * 4 + i % 4] = (uint8_t)(lanes[j][i] + 128);
        }
        for (int r = 0; r < DF_TILE; r++) {
            fill_codes(rows[r], d, r, &state);
            row[r] = rows[r];
            for (int i = 0; i < d; i++)
                start[r] -= 128 * rows[r][i];
        }
        plain->tile(panel, row, start, d, one);
        set->tile(panel, row, start, d, other);
        assert_memory_equal(one, other, sizeof one);
        for (int r = 0; r < DF_TILE; r++)
            for (int j = 0; j < DF_LANES; j++) {
                assert_int_equal(one[r][j], plain->code_dot(rows[r], lanes[j], d));
                assert_int_equal(one[r][j], set->code_dot(rows[r], lanes[j], d));
            }
    }
}

static void check_scores(const df_simd *plain, const df_simd *set)
{
    uint32_t state = 3;
    for (int round = 0; round < 200; round++) {
        int32_t dots[DF_TILE][DF_LANES];
        df_lane_scales scale = {.norm = 0.8F, .error = 0.01F, .slack = 1e-6F};
        df_tile_scores one, other;
        memset(&one, 0, sizeof one);
        for (int j = 0; j < DF_LANES; j++) {
            scale.scale[j] = 0.01F * (1 + uniform(&state) * 0.5F);
            scale.bias[j] = 0.1F * uniform(&state);
        }
        for (int r = 0; r < DF_TILE; r++) {
            one.row_scale[r] = 0.001F;
            one.row_bias[r] = 0.1F * uniform(&state);
            one.low[r] = uniform(&state);
            one.row_error[r] = 0.01F;
            one.row_norm[r] = 0.9F;
            one.skip[r] = (uint16_t)(round % 3   ? next(&state) & next(&state)
                                     : round % 2 ? 0xFFFF
                                                 : 0);
            for (int j = 0; j < DF_LANES; j++)
                dots[r][j] = (int32_t)(uniform(&state) * 100000);
        }
        one.bounded = round % 5 > 0;
        other = one;
        plain->scores((const int32_t(*)[DF_LANES])dots, &scale, &one);
        set->scores((const int32_t(*)[DF_LANES])dots, &scale, &other);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

static void check_reach(const df_simd *plain, const df_simd *set)
{
    int16_t bound[256], drift[256];
    uint64_t one[4], other[4];
    uint32_t state = 5;
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < 256; i++) {
            bound[i] = (int16_t)(next(&state) & 0xFFFF);
            drift[i] = (int16_t)(round % 2 ? next(&state) & 0x7FFF : next(&state) & 63);
        }
        int16_t need = (int16_t)(round == 0   ? -32767
                                 : round == 1 ? 32767
                                              : (int16_t)(next(&state) & 0xFFFF));
        need = need == -32768 ? -32767 : need;
        int n = 8 * (1 + round % 32);
        plain->reach(bound, drift, need, n, one);
        set->reach(bound, drift, need, n, other);
        assert_memory_equal(one, other, (size_t)(n + 63) / 64 * sizeof *one);
        assert_true(n % 64 == 0 || one[n / 64] >> n % 64 == 0);
    }
}

static void check_rows(const df_simd *plain, const df_simd *set)
{
    static float x[D_MAX];
    static int64_t one[D_MAX], other[D_MAX];
    static int8_t code[2][D_MAX];
    uint32_t state = 11;
    for (size_t k = 0; k < sizeof dims / sizeof *dims; k++) {
        for (int i = 0; i < dims[k]; i++) {
            x[i] = df_half_to_float(df_float_to_half(uniform(&state)));
            one[i] = other[i] = (int64_t)next(&state) << 20;
        }
        plain->add_row(one, x, k % 2 ? 1 : -1, dims[k]);
        set->add_row(other, x, k % 2 ? 1 : -1, dims[k]);
        assert_memory_equal(one, other, sizeof *one * (size_t)dims[k]);
        static float mean[D_MAX], centred[2][D_MAX];
        for (int i = 0; i < dims[k]; i++)
            mean[i] = 0.1F * uniform(&state);
        float largest = plain->centre(x, mean, centred[0], dims[k]);
        assert_float_equal(largest, set->centre(x, mean, centred[1], dims[k]), 0);
        assert_memory_equal(centred[0], centred[1], sizeof **centred * (size_t)dims[k]);
        plain->encode(centred[0], largest / 127, 127 / largest, code[0], dims[k]);
        set->encode(centred[1], largest / 127, 127 / largest, code[1], dims[k]);
        assert_memory_equal(code[0], code[1], (size_t)dims[k]);
        assert_memory_equal(centred[0], centred[1], sizeof **centred * (size_t)dims[k]);
    }
}

static void dots_agree(void **state)
{
    (void)state;
    for_each_set(check_dot);
}
static void halves_agree(void **state)
{
    (void)state;
    for_each_set(check_half);
}
static void tiles_agree(void **state)
{
    (void)state;
    for_each_set(check_tile);
}
static void scores_agree(void **state)
{
    (void)state;
    for_each_set(check_scores);
}
static void reaches_agree(void **state)
{
    (void)state;
    for_each_set(check_reach);
}
static void rows_agree(void **state)
{
    (void)state;
    for_each_set(check_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_agree),    cmocka_unit_test(halves_agree),
        cmocka_unit_test(tiles_agree),   cmocka_unit_test(scores_agree),
        cmocka_unit_test(reaches_agree), cmocka_unit_test(rows_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
