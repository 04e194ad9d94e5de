/* The instruction sets that this build knows; simd.c lists them. */
#ifndef DF_VECTOR_SIMD_SETS_H
#define DF_VECTOR_SIMD_SETS_H
#include "vector/simd.h"

extern const df_simd df_simd_plain;
/* Rarely called operations; instruction sets for which there is nothing better use these. */
void df_plain_add_row(int64_t *sum, const float *x, int sign, int d);
float df_plain_centre(const float *x, const float *mean, float *out, int d);
void df_plain_encode(float *x, float scale, float inverse, int8_t *code, int d);
#if defined(__x86_64__)
extern const df_simd df_simd_avx2, df_simd_avx512;
#elif defined(__aarch64__)
extern const df_simd df_simd_neon;
#endif
#endif
