#include "algo/half.h"

#include <string.h>

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3FF, bits;
    float value;
    if (exponent == 0) {                     /* zero or subnormal: fraction * 2^-24 */
        value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
    } else {
        bits = (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint16_t float_to_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000)
        return (uint16_t)(sign | 0x7E00);    /* NaN */
    if (bits >= 0x477FF000)                  /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7C00);
    if (bits < 0x38800000) {                 /* below 2^-14: adding 0.5 rounds to a multiple of 2^-24 in the FPU */
        float value;
        memcpy(&value, &bits, sizeof value);
        value += 0.5f;
        memcpy(&bits, &value, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3F000000));
    }
    bits += 0xFFF + (bits >> 13 & 1);        /* ties to even; a carry goes into the exponent */
    return (uint16_t)(sign | ((bits - (112u << 23)) >> 13));
}

void df_half_to_float_n(const uint16_t *half, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = half_to_float(half[i]);
}

void df_float_to_half_n(const float *x, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = float_to_half(x[i]);
}
