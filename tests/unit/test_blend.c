/* Every instruction set that this machine has blends rows to the bits of the plain loop, and writes
 * nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/blend.h"

enum { N_MAX = 400, ROWS_MAX = 30 };
static const size_t lengths[] = {0, 1, 3, 15, 16, 63, 64, 65, 127, 128, 129, 200, 256, 399};
static const int row_counts[] = {0, 1, 2, 7, ROWS_MAX};

static void every_set_gives_the_same_bits(void **state)
{
    (void)state;
    static uint8_t rows[ROWS_MAX * N_MAX];
    float weights[ROWS_MAX], one[N_MAX + 1], other[N_MAX + 1];
    uint32_t seed = 7;
    int n_sets = 0;
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
    for (int k = 0; k < ROWS_MAX; k++)
        weights[k] = (float)((seed = seed * 1664525U + 1013904223U) >> 8) * 0x1p-24F - 0.3F;
    for (int s = 1; df_blend_all[s]; s++) {
        if (!df_blend_all[s]->available())
            continue;
        n_sets++;
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            for (size_t k = 0; k < sizeof row_counts / sizeof *row_counts; k++) {
                memset(one, 0x5A, sizeof one);
                memset(other, 0x5A, sizeof other);
                df_blend_all[0]->rows(rows + 1, N_MAX - 1, weights, row_counts[k], lengths[i], one);
                df_blend_all[s]->rows(rows + 1, N_MAX - 1, weights, row_counts[k], lengths[i],
                                      other);
                assert_memory_equal(one, other, sizeof one);
            }
    }
    print_message("%d sets beside plain C; best: %s\n", n_sets, df_blend_best()->name);
}

static void rows_are_weighted_and_added(void **state)
{
    (void)state;
    static const uint8_t rows[] = {10, 20, 30, 99, 1, 2, 3, 99};
    const float weights[] = {0.5F, 2};
    for (int s = 0; df_blend_all[s]; s++) {
        float sum[3];
        if (!df_blend_all[s]->available())
            continue;
        df_blend_all[s]->rows(rows, 4, weights, 2, 3, sum);
        assert_true(sum[0] == 7 && sum[1] == 14 && sum[2] == 21);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_gives_the_same_bits),
        cmocka_unit_test(rows_are_weighted_and_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
