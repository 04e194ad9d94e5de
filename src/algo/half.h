/* IEEE 754 half precision (float16), as vectors are stored. */
#ifndef DF_ALGO_HALF_H
#define DF_ALGO_HALF_H
#include <stddef.h>
#include <stdint.h>

/* Exact. */
void df_half_to_float_n(const uint16_t *half, float *out, size_t n);
/* Round to nearest, ties to even; above 65504 to infinity; a NaN stays one. */
void df_float_to_half_n(const float *x, uint16_t *out, size_t n);
#endif
