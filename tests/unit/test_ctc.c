/* Greedy CTC: by hand, and as rapidocr reads the same probabilities (tests/oracle/ctc.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vision/ctc.h"
#include "base/file.h"

static void by_hand(void **state)
{
    (void)state;
    const float p[6][3] = {{.1f, .8f, .1f}, {.2f, .7f, .1f}, {.9f, .1f, 0},
                           {.3f, .6f, .1f}, {0, .5f, .5f},   {.1f, .1f, .8f}};
    int32_t out[6];
    double score;
    assert_int_equal(df_ctc_greedy(&p[0][0], 6, 3, out, &score), 3);     /* a a - a a b */
    assert_true(out[0] == 1 && out[1] == 1 && out[2] == 2);
    assert_true(fabs(score - (0.8 + 0.6 + 0.8) / 3) < 1e-6);
}

static void nothing_to_read(void **state)
{
    (void)state;
    const float blank[2][2] = {{1, 0}, {.9f, .1f}},
                bad[2][3] = {{NAN, NAN, NAN}, {NAN, -INFINITY, NAN}};
    int32_t out[2];
    double score = 5;
    assert_int_equal(df_ctc_greedy(&blank[0][0], 2, 2, out, &score), 0);
    assert_true(score == 0);
    assert_int_equal(df_ctc_greedy(&bad[0][0], 2, 3, out, &score), 0);
    assert_int_equal(df_ctc_greedy(NULL, 0, 3, out, &score), 0);
}

/* The same classes; the score to 2e-5: the reference rounds each probability and the mean to five
 * digits. */
static void as_the_reference(void **state)
{
    (void)state;
    char path[600], *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/tests/data/ctc.bin", getenv("DF_SOURCE_DIR"));
    assert_int_equal(df_file_read(path, 1 << 20, &bytes, &size, NULL), DF_OK);
    int n_lines = 0;
    for (const char *at = bytes; at < bytes + size; n_lines++) {
        int32_t head[3], want[64], got[64];
        float p[4096], score;
        memcpy(head, at, sizeof head);
        at += sizeof head;
        size_t n = (size_t)head[0] * (size_t)head[1];
        assert_true(n <= 4096 && head[0] <= 64 && head[2] <= 64);
        memcpy(p, at, n * sizeof *p);
        at += n * sizeof *p;
        memcpy(&score, at, sizeof score);
        memcpy(want, at + sizeof score, (size_t)head[2] * sizeof *want);
        at += sizeof score + (size_t)head[2] * sizeof *want;
        double mine;
        assert_int_equal(df_ctc_greedy(p, head[0], head[1], got, &mine), head[2]);
        assert_memory_equal(got, want, (size_t)head[2] * sizeof *want);
        assert_true(fabs(mine - (double)score) <= 2e-5);
    }
    assert_int_equal(n_lines, 8);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(nothing_to_read),
                                       cmocka_unit_test(as_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
