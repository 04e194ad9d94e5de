/* Quantises float vectors to 8 bits and interleaves sixteen of them for the SIMD kernels. */
#include "vector/quantise.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vector/dot.h"

int df_code_stride(int d)
{
    return (d + DF_CODE_STEP - 1) / DF_CODE_STEP * DF_CODE_STEP;
}

/* What must be true of codes: they are in [-127, 127], as the kernels need it, and zero after the
 * d-th. */
static bool __attribute__((unused)) are_codes(const int8_t *code, int d, int stride)
{
    for (int i = 0; i < stride; i++)
        if (code[i] < -127 || (i >= d && code[i] != 0))
            return false;
    return true;
}

df_code df_code_encode(const df_simd *simd, const float *x, const float *mean, int d, int8_t *code,
                       float *scratch)
{
    int stride = df_code_stride(d);
    df_code c = {0};
    float largest = simd->centre(x, mean, scratch, d);
    c.mean_dot = simd->dot(scratch, mean, d);
    c.scale = largest / 127;
    memset(code + stride - DF_CODE_STEP, 0, DF_CODE_STEP);
    simd->encode(scratch, c.scale, largest > 0 ? 127 / largest : 0, code, d);
    c.error = sqrtf(simd->dot(scratch, scratch, d)) * 1.00001F;
    c.norm = c.scale * sqrtf((float)simd->code_dot(code, code, stride)) * 1.00001F;
    assert(isnan(c.error) || (c.error >= 0 && are_codes(code, d, stride)));
    int32_t sum = 0;
    for (int i = 0; i < stride; i++)
        sum += code[i];
    c.start = -128 * sum;
    return c;
}

df_status df_quantised_init(df_quantised *p, int n, int d, const float *mean, df_error *err)
{
    size_t stride = (size_t)df_code_stride(d), n_panels = ((size_t)n + DF_LANES - 1) / DF_LANES;
    *p = (df_quantised){.d = d, .stride = (int)stride};
    p->mean = malloc(((size_t)d + 1) * sizeof *p->mean);
    p->order = malloc(((size_t)n + 1) * sizeof *p->order);
    p->panel = aligned_alloc(64, n_panels * DF_LANES * stride + 64);
    p->code = malloc((size_t)n * stride + 1);
    p->scale = malloc((n_panels + 1) * sizeof *p->scale);
    if (!p->mean || !p->order || !p->panel || !p->code || !p->scale) {
        df_quantised_free(p);
        return df_no_memory(err, "codes of %d vectors of %d dimensions", n, d);
    }
    memcpy(p->mean, mean, (size_t)d * sizeof *mean);
    return DF_OK;
}

void df_quantised_free(df_quantised *p)
{
    free(p->mean);
    free(p->order);
    free(p->panel);
    free(p->code);
    free(p->scale);
    *p = (df_quantised){0};
}

/* Codes the vector at `position` and writes its codes, four at a time, into its lane of the panel.
 * The panel stores unsigned bytes (code + 128), since the SIMD instructions multiply unsigned by
 * signed. */
static void fill_lane(df_quantised *p, const df_simd *simd, int position, float *scratch)
{
    int panel = position / DF_LANES, lane = position % DF_LANES;
    const float *x = p->vector + (size_t)p->order[position] * (size_t)p->d;
    int8_t *code = p->code + (size_t)position * (size_t)p->stride;
    df_code c = df_code_encode(simd, x, p->mean, p->d, code, scratch);
    uint8_t *out = p->panel + (size_t)panel * DF_LANES * (size_t)p->stride + 4 * lane;
    for (int i = 0; i < p->stride; i += 4)
        for (int k = 0; k < 4; k++)
            out[i * DF_LANES + k] = (uint8_t)(code[i + k] + 128);
    p->scale[panel].scale[lane] = c.scale;
    p->scale[panel].bias[lane] = simd->dot(x, p->mean, p->d);
    p->scale[panel].norm = fmaxf(p->scale[panel].norm, c.norm + c.error);
    p->scale[panel].error = fmaxf(p->scale[panel].error, c.error);
}

/* What must be true of an order: it is a permutation, so that the sum of its numbers and that of
 * their squares are those of 0 to n - 1. */
static bool __attribute__((unused)) is_permutation(const int32_t *order, int n)
{
    uint64_t sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        const uint64_t number = (uint64_t)order[i], place = (uint64_t)i;
        if (order[i] < 0 || order[i] >= n)
            return false;
        sum += number - place;
        squares += number * number - place * place;
    }
    return sum == 0 && squares == 0;
}

df_status df_quantised_fill(df_quantised *p, const df_simd *simd, const float *vector, int n,
                            const int32_t *order, df_error *err)
{
    float *scratch = malloc(((size_t)p->d + 1) * sizeof *scratch);
    if (!scratch)
        return df_no_memory(err, "codes");
    p->n = n;
    p->n_panels = (n + DF_LANES - 1) / DF_LANES;
    p->vector = vector;
    float longest = 0;
    for (int panel = 0; panel < p->n_panels; panel++)
        p->scale[panel] = (df_lane_scales){.slack = 0};
    for (int position = 0; position < n; position++) {
        p->order[position] = order ? order[position] : position;
        fill_lane(p, simd, position, scratch);
    }
    assert(is_permutation(p->order, n));
    for (int panel = 0; panel < p->n_panels; panel++)
        longest = fmaxf(longest, p->scale[panel].norm);
    if (n % DF_LANES) /* the last panel's empty lanes get code 0, which is 128 here */
        for (int lane = n % DF_LANES; lane < DF_LANES; lane++) {
            uint8_t *out =
                p->panel + (size_t)(p->n_panels - 1) * DF_LANES * (size_t)p->stride + 4 * lane;
            for (int i = 0; i < p->stride; i += 4)
                memset(out + i * DF_LANES, 128, 4);
        }
    /* The rounding error of df_dot, of the two dot products with the mean, and of the few
     * operations of a score, for vectors no longer than 1.01. */
    p->slack = 1.1F * (3 * df_dot_error(p->d) + 8 * 0x1p-24F * (1 + longest));
    for (int panel = 0; panel < p->n_panels; panel++)
        p->scale[panel].slack = p->slack;
    free(scratch);
    return DF_OK;
}
