#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>
#include "vector/half.h"

static float value_of(uint16_t half)
{
    float x;
    df_half_to_float_n(&half, &x, 1);
    return x;
}

static uint16_t half_of(float x)
{
    uint16_t half;
    df_float_to_half_n(&x, &half, 1);
    return half;
}

static void test_every_half_is_its_value(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x10000; h++) {
        int exponent = h >> 10 & 31, fraction = h & 0x3FF;
        float x = value_of((uint16_t)h), sign = h & 0x8000 ? -1 : 1;
        if (exponent == 31 && fraction) {
            assert_true(isnan(x));
            assert_true(isnan(value_of(half_of(x))));
            continue;
        }
        float want = exponent == 31 ? INFINITY
                     : exponent     ? ldexpf((float)(1024 + fraction), exponent - 25)
                                    : ldexpf((float)fraction, -24);
        assert_true(x == sign * want && !signbit(x) == !signbit(sign));
        assert_int_equal(half_of(x), h);
    }
}

/* Between any two neighbours: just below and above the middle, and the tie, which goes to the even
 * one. */
static void test_rounding_is_to_nearest_even(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7C00; h++) {
        float low = value_of((uint16_t)h), high = h == 0x7BFF ? 65536 : value_of((uint16_t)(h + 1));
        float middle = low + (high - low) / 2;
        assert_int_equal(half_of(middle), h % 2 ? h + 1 : h);
        assert_int_equal(half_of(nextafterf(middle, 0)), h);
        assert_int_equal(half_of(nextafterf(middle, INFINITY)), h + 1);
        assert_int_equal(half_of(-middle), 0x8000 | (h % 2 ? h + 1 : h));
    }
    assert_int_equal(half_of(1e30f), 0x7C00);
    assert_int_equal(half_of(-INFINITY), 0xFC00);
    assert_int_equal(half_of(1e-30f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_half_is_its_value),
        cmocka_unit_test(test_rounding_is_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
