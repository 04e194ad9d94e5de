/* Vectors as 8-bit codes, less a common mean: what a first look at a dot product costs least. How
 * far a score of codes can be from the real one is known (Cauchy-Schwarz over the rounding errors),
 * so nothing is decided wrongly. */
#ifndef DF_VECTOR_QUANTISE_H
#define DF_VECTOR_QUANTISE_H
#include <stddef.h>
#include "base/status.h"
#include "vector/simd.h"

/* x = mean + scale * code + (a rest of length `error`). */
typedef struct {
    float scale, error, norm;                /* norm: of scale * code */
    float mean_dot;                          /* (x - mean) . mean */
    int32_t start;                           /* -128 * sum of the codes */
} df_code;

/* bytes of a coded row: d up to a multiple of DF_CODE_STEP */
int df_code_stride(int d);
/* x [d]; mean [d]; code [df_code_stride(d)], written; scratch [d]. */
df_code df_code_encode(const df_simd *simd, const float *x, const float *mean, int d, int8_t *code,
                       float *scratch);

/* Coded vectors side by side. Position p is lane p % 16 of panel p / 16 and
 * holds vector order[p]. */
typedef struct {
    int n, d, stride, n_panels;
    const float *vector;                     /* [n][d], borrowed */
    float *mean;                             /* [d] */
    int32_t *order;                          /* [n] */
    uint8_t *panel;                          /* [n_panels][16 * stride] */
    int8_t *code;                            /* [n][stride], by position */
    /* [n_panels]; norm, error: the largest |vector - mean| and code error */
    df_panel_scale *scale;
    float slack;                             /* what float arithmetic adds to every error */
} df_panels;                                 /* all-zero is freeable */

df_status df_panels_init(df_panels *p, int n, int d, const float *mean, df_error *err);
void df_panels_free(df_panels *p);
/* Codes vector [n][d] (n at most the n of init) in the given order (NULL: as they are); `vector` is
 * borrowed. */
df_status df_panels_fill(df_panels *p, const df_simd *simd, const float *vector, int n,
                         const int32_t *order, df_error *err);
#endif
