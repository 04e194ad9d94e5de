/* Vectors as 8-bit codes. A common mean is subtracted first, so that the codes use their whole
 * range. A dot product of codes reads a quarter of the bytes, and its distance from the real
 * one is bounded (Cauchy-Schwarz over the rounding errors). A caller that computes the real one
 * whenever the bound leaves a doubt therefore decides exactly as without codes. */
#ifndef DF_VECTOR_QUANTISE_H
#define DF_VECTOR_QUANTISE_H
#include <stddef.h>
#include "base/status.h"
#include "vector/simd.h"

/* One coded vector: x = mean + scale * code + rest, where |rest| <= error. */
typedef struct {
    float scale, error, norm;                /* norm: the length of scale * code */
    float mean_dot;                          /* (x - mean) . mean */
    int32_t start;                           /* -128 * sum of the codes */
} df_code;

/* Bytes of a coded row: d rounded up to a multiple of DF_CODE_STEP. */
int df_code_stride(int d);
/* Codes one vector. x [d]; mean [d]; code [df_code_stride(d)], written, padded with zeros; scratch
 * [d]. */
df_code df_code_encode(const df_simd *simd, const float *x, const float *mean, int d, int8_t *code,
                       float *scratch);

/* Coded vectors, sixteen of them interleaved in each panel. Position p is lane p % 16 of panel p /
 * 16 and holds vector order[p]. */
typedef struct {
    int n, d, stride, n_panels;
    const float *vector;                     /* [n][d], borrowed */
    float *mean;                             /* [d] */
    int32_t *order;                          /* [n] */
    uint8_t *panel;                          /* [n_panels][16 * stride] */
    int8_t *code;                            /* [n][stride], by position */
    /* [n_panels]; norm and error are the largest of the panel's vectors */
    df_lane_scales *scale;
    float slack; /* what the rounding of float arithmetic adds to every error */
} df_quantised;                                 /* all-zero is freeable */

/* Allocates room for n vectors; mean [d] is copied. */
df_status df_quantised_init(df_quantised *p, int n, int d, const float *mean, df_error *err);
void df_quantised_free(df_quantised *p);
/* Codes vector [n][d], in the given order (a permutation of 0 .. n - 1; NULL: as they are). n is at
 * most the n of df_quantised_init. `vector` is borrowed until the next fill or free. */
df_status df_quantised_fill(df_quantised *p, const df_simd *simd, const float *vector, int n,
                            const int32_t *order, df_error *err);
#endif
