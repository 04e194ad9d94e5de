/* The operations in portable C. The other instruction sets must give the same bits. */
#include <math.h>

#include "vector/half.h"
#include "vector/simd_sets.h"

static bool available(void)
{
    return true;
}

static float dot(const float *a, const float *b, int d)
{
    float sum[64] = {0};
    for (int i = 0; i < d; i++)
        sum[i % 64] = fmaf(a[i], b[i], sum[i % 64]);
    for (int step = 32; step > 0; step /= 2)
        for (int i = 0; i < step; i++)
            sum[i] += sum[i + step];
    return sum[0];
}

static void from_half(const uint16_t *half, float *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = df_half_to_float(half[i]);
}

static void tile(const uint8_t *panel, const int8_t *const rows[DF_TILE],
                 const int32_t start[DF_TILE], int d, int32_t out[DF_TILE][DF_LANES])
{
    for (int r = 0; r < DF_TILE; r++) {
        for (int j = 0; j < DF_LANES; j++)
            out[r][j] = start[r];
        for (int i = 0; i < d; i++)
            for (int j = 0; j < DF_LANES; j++)
                out[r][j] += panel[(i / 4 * DF_LANES + j) * 4 + i % 4] * rows[r][i];
    }
}

/* Turns the integer dot products of a tile into scores with their error bounds, and marks the
 * lanes that may matter. */
static void scores(const int32_t dots[DF_TILE][DF_LANES], const df_lane_scales *scale,
                   df_tile_scores *s)
{
    for (int r = 0; r < DF_TILE; r++) {
        float highest = -2;
        s->window[r] = s->row_error[r] * scale->norm + s->row_norm[r] * scale->error + scale->slack;
        s->hit[r] = 0;
        for (int j = 0; j < DF_LANES; j++) {
            float score = (float)dots[r][j] * (scale->scale[j] * s->row_scale[r]) +
                          (scale->bias[j] + s->row_bias[r]);
            s->score[r][j] = score;
            if (s->skip[r] >> j & 1)
                continue;
            if (score >= s->low[r] - s->window[r])
                s->hit[r] |= (uint16_t)(1U << j);
            else if (score > highest)
                highest = score;
        }
        if (s->bounded)
            s->bound[r] = (int32_t)ceilf((highest + s->window[r]) * DF_BOUND_STEPS);
    }
}

static int32_t code_dot(const int8_t *a, const int8_t *b, int d)
{
    int32_t sum = 0;
    for (int i = 0; i < d; i++)
        sum += a[i] * b[i];
    return sum;
}

static void reach(const int16_t *bound, const int16_t *drift, int16_t need, int n, uint64_t *mask)
{
    for (int g = 0; g < n; g += 64) {
        uint64_t bits = 0;
        for (int i = 0; i < 64 && g + i < n; i++)
            bits |= (uint64_t)(bound[g + i] + drift[g + i] >= need) << i;
        mask[g / 64] = bits;
    }
}

void df_plain_add_row(int64_t *sum, const float *x, int sign, int d)
{
    for (int i = 0; i < d; i++)
        sum[i] += sign * (int64_t)(x[i] * 0x1p24F);
}

float df_plain_centre(const float *x, const float *mean, float *out, int d)
{
    float largest = 0;
    for (int i = 0; i < d; i++) {
        out[i] = x[i] - mean[i];
        largest = fmaxf(largest, fabsf(out[i]));
    }
    return largest;
}

void df_plain_encode(float *x, float scale, float inverse, int8_t *code, int d)
{
    for (int i = 0; i < d; i++) {
        code[i] = (int8_t)lrintf(x[i] * inverse);
        x[i] -= (float)code[i] * scale;
    }
}

const df_simd df_simd_plain = {
    .name = "plain C",
    .available = available,
    .dot = dot,
    .from_half = from_half,
    .tile = tile,
    .scores = scores,
    .code_dot = code_dot,
    .reach = reach,
    .add_row = df_plain_add_row,
    .centre = df_plain_centre,
    .encode = df_plain_encode,
};
