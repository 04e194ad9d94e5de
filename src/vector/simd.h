/* The inner loops of curation, once per instruction set. Every set gives the same bits: integer
 * dots have one answer, and the float dot has one order of summation. The best set is chosen at run
 * time. */
#ifndef DF_VECTOR_SIMD_H
#define DF_VECTOR_SIMD_H
#include <stdbool.h>
#include <stdint.h>

enum {
    DF_LANES = 16, /* vectors side by side in a panel, one in each lane */
    DF_TILE = 8,                             /* rows that are multiplied with a panel in one go */
    /* codes of a row are padded with zeros to a multiple of this */
    DF_CODE_STEP = 64,
};

#define DF_BOUND_STEPS 4096.0F              /* bounds are kept in steps of 1 / 4096 */

/* What turns a tile's integer dot products into scores: score = dot * scale[j] * row_scale +
 * bias[j] + row_bias. A score is off from the real dot product by at most the window, row_error *
 * norm + row_norm * error + slack. */
typedef struct {
    float scale[DF_LANES], bias[DF_LANES], norm, error, slack;
} df_lane_scales;
typedef struct {
    float row_scale[DF_TILE], row_bias[DF_TILE], row_error[DF_TILE], row_norm[DF_TILE];
    float low[DF_TILE];                      /* a score at or above low - window is a hit */
    uint16_t skip[DF_TILE];                  /* bit mask of lanes that are left out */
    bool bounded;                            /* `bound` is wanted */
    float window[DF_TILE];                   /* out */
    float score[DF_TILE][DF_LANES];          /* out: of every lane */
    /* out: in steps of 1 / 4096, an upper bound of the real dot products of the lanes that are
     * neither skipped nor a hit; far below -1 when there is none */
    int32_t bound[DF_TILE];
    uint16_t hit[DF_TILE]; /* out */
} df_tile_scores;

typedef struct {
    const char *name;
    bool (*available)(void);
    /* Sum of a[i] * b[i], i < d: 64 running sums by fused multiply-add (term i goes to sum i % 64),
     * which are then added pairwise at distances 32, 16, 8, 4, 2, 1. */
    float (*dot)(const float *a, const float *b, int d);
    void (*from_half)(const uint16_t *half, float *out, int64_t n);
    /* out[r][j] = sum over i of row r's code i times (panel lane j's byte i - 128). panel: [d /
     * 4][16][4], unsigned; rows: codes in [-127, 127]; d: a multiple of DF_CODE_STEP; start[r]:
     * -128 * sum of row r's codes. No pointer needs alignment. */
    void (*tile)(const uint8_t *panel, const int8_t *const rows[DF_TILE],
                 const int32_t start[DF_TILE], int d, int32_t out[DF_TILE][DF_LANES]);
    /* Fills window, score, hit and, when s->bounded, bound. */
    void (*scores)(const int32_t dots[DF_TILE][DF_LANES], const df_lane_scales *scale,
                   df_tile_scores *s);
    /* Sum of a[i] * b[i] over codes in [-127, 127]; d is a multiple of DF_CODE_STEP. */
    int32_t (*code_dot)(const int8_t *a, const int8_t *b, int d);
    /* Bit g of mask is set when bound[g] + drift[g] >= need, for g < n. The sum may saturate. n is
     * a multiple of 8; need is above -32768; mask has n up to a multiple of 64 bits, the rest 0. */
    void (*reach)(const int16_t *bound, const int16_t *drift, int16_t need, int n, uint64_t *mask);
    /* sum[i] += sign * x[i] * 2^24, exact for a float that was a half in [-1, 1]. */
    void (*add_row)(int64_t *sum, const float *x, int sign, int d);
    /* out = x - mean; returns the largest |out[i]|. */
    float (*centre)(const float *x, const float *mean, float *out, int d);
    /* code[i] = x[i] * inverse to the nearest integer, ties to even; then x[i] -=
     * code[i] * scale. */
    void (*encode)(float *x, float scale, float inverse, int8_t *code, int d);
} df_simd;

/* The best set that this machine has; never NULL. */
const df_simd *df_simd_best(void);
/* From the plainest up, NULL-terminated. Only some may be available on this machine. */
extern const df_simd *const df_simd_all[];
#endif
