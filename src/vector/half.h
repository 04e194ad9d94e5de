/* IEEE half precision, the format of stored vectors. */
#ifndef DF_VECTOR_HALF_H
#define DF_VECTOR_HALF_H
#include <stddef.h>
#include <stdint.h>

float df_half_to_float(uint16_t half);
/* to nearest, ties to even; beyond the range: infinity; NaN stays one */
uint16_t df_float_to_half(float value);
void df_half_to_float_n(const uint16_t *half, float *out, size_t n);
void df_float_to_half_n(const float *value, uint16_t *out, size_t n);
#endif
