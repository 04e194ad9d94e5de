/* Conversion between float and IEEE half precision (binary16), without compiler extensions. */
#include "vector/half.h"

#include <math.h>
#include <string.h>

#include "vector/simd.h"

float df_half_to_float(uint16_t half)
{
    int exponent = half >> 10 & 31, mantissa = half & 1023;
    float magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                      : exponent == 0 ? ldexpf((float)mantissa, -24)
                                      : ldexpf((float)(mantissa | 1024), exponent - 25);
    return half & 0x8000 ? -magnitude : magnitude;
}

uint16_t df_float_to_half(float value)
{
    uint32_t bits, sign;
    memcpy(&bits, &value, sizeof bits);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000)
        return (uint16_t)(sign | 0x7E00);
    if (bits >= 0x477FF000)                  /* 65520 and more */
        return (uint16_t)(sign | 0x7C00);
    if (bits < 0x38800000) {                 /* below 2^-14: subnormal, a multiple of 2^-24 */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof magnitude);
        return (uint16_t)(sign | (uint32_t)lrintf(ldexpf(magnitude, 24)));
    }
    uint32_t rounded = bits + 0xFFF + (bits >> 13 & 1);
    return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

void df_half_to_float_n(const uint16_t *half, float *out, size_t n)
{
    df_simd_best()->from_half(half, out, (int64_t)n);
}

void df_float_to_half_n(const float *value, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = df_float_to_half(value[i]);
}
