/* The instruction sets that this build knows; simd.c lists them. */
#ifndef DF_ALGO_SIMD_SETS_H
#define DF_ALGO_SIMD_SETS_H
#include "algo/simd.h"

extern const df_simd df_simd_plain;
#if defined(__x86_64__)
extern const df_simd df_simd_avx2, df_simd_avx512;
#elif defined(__aarch64__)
extern const df_simd df_simd_neon;
#endif
#endif
