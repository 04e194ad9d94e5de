/* AArch64 with the dot product extension: Graviton 2, Ampere Altra, Apple M1 and later. */
#include "vector/simd_sets.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include <math.h>
#include <string.h>
#include <sys/auxv.h>

#include "vector/half.h"

#define NEON __attribute__((target("arch=armv8.2-a+dotprod")))

static bool available(void)
{
    return getauxval(AT_HWCAP) & (1UL << 20);                            /* HWCAP_ASIMDDP */
}

/* Sixteen registers hold the 64 running sums. */
static float dot(const float *a, const float *b, int d)
{
    float32x4_t s[16];
    float tail[64];
    int i = 0;
    for (int k = 0; k < 16; k++)
        s[k] = vdupq_n_f32(0);
    for (; i + 64 <= d; i += 64)
#pragma GCC unroll 16
        for (int k = 0; k < 16; k++)
            s[k] = vfmaq_f32(s[k], vld1q_f32(a + i + 4 * k), vld1q_f32(b + i + 4 * k));
    if (i < d) {
        for (int k = 0; k < 16; k++)
            vst1q_f32(tail + 4 * k, s[k]);
        for (int lane = 0; i < d; i++, lane++)
            tail[lane] = fmaf(a[i], b[i], tail[lane]);
        for (int k = 0; k < 16; k++)
            s[k] = vld1q_f32(tail + 4 * k);
    }
    for (int step = 8; step > 0; step /= 2)
        for (int k = 0; k < step; k++)
            s[k] = vaddq_f32(s[k], s[k + step]);
    float32x2_t q = vadd_f32(vget_low_f32(s[0]), vget_high_f32(s[0]));
    return vget_lane_f32(q, 0) + vget_lane_f32(q, 1);
}

static void from_half(const uint16_t *half, float *out, int64_t n)
{
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(half + i))));
    for (; i < n; i++)
        out[i] = df_half_to_float(half[i]);
}

/* Dot products of eight rows with the sixteen lanes of a panel, four rows at a time. */
NEON static void tile(const uint8_t *panel, const int8_t *const rows[DF_TILE],
                      const int32_t start[DF_TILE], int d, int32_t out[DF_TILE][DF_LANES])
{
    const uint8x16_t flip = vdupq_n_u8(0x80);
    (void)start;                             /* the panel's offset of 128 is taken off here */
    for (int r = 0; r < DF_TILE; r += 4) {
        int32x4_t sum[4][4];
        for (int k = 0; k < 4; k++)
            for (int q = 0; q < 4; q++)
                sum[k][q] = vdupq_n_s32(0);
        for (int64_t i = 0; i < d; i += 4) {
            int8x16_t lanes[4];
            for (int q = 0; q < 4; q++)
                lanes[q] =
                    vreinterpretq_s8_u8(veorq_u8(vld1q_u8(panel + i * DF_LANES + 16 * q), flip));
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                int32_t four;
                memcpy(&four, rows[r + k] + i, sizeof four);
                int8x16_t codes = vreinterpretq_s8_s32(vdupq_n_s32(four));
#pragma GCC unroll 4
                for (int q = 0; q < 4; q++)
                    sum[k][q] = vdotq_s32(sum[k][q], lanes[q], codes);
            }
        }
        for (int k = 0; k < 4; k++)
            for (int q = 0; q < 4; q++)
                vst1q_s32(out[r + k] + 4 * q, sum[k][q]);
    }
}

/* Lane j is all ones when bit j of `bits` is set. */
static uint32x4_t lanes_of(uint32_t bits)
{
    const uint32x4_t one_each = {1, 2, 4, 8};
    return vtstq_u32(vdupq_n_u32(bits), one_each);
}

/* As in simd_plain.c, four lanes at a time. */
static void scores(const int32_t dots[DF_TILE][DF_LANES], const df_lane_scales *scale,
                   df_tile_scores *s)
{
    const uint32x4_t weight = {1, 2, 4, 8};
    for (int r = 0; r < DF_TILE; r++) {
        float32x4_t top = vdupq_n_f32(-2), none = top;
        uint32_t hits = 0;
        s->window[r] = s->row_error[r] * scale->norm + s->row_norm[r] * scale->error + scale->slack;
        float32x4_t least = vdupq_n_f32(s->low[r] - s->window[r]);
        for (int q = 0; q < 4; q++) {
            float32x4_t v = vcvtq_f32_s32(vld1q_s32(dots[r] + 4 * q));
            v = vmulq_f32(v, vmulq_n_f32(vld1q_f32(scale->scale + 4 * q), s->row_scale[r]));
            v = vaddq_f32(v,
                          vaddq_f32(vld1q_f32(scale->bias + 4 * q), vdupq_n_f32(s->row_bias[r])));
            vst1q_f32(s->score[r] + 4 * q, v);
            uint32x4_t skipped = lanes_of((uint32_t)s->skip[r] >> (4 * q) & 15);
            uint32x4_t hit = vbicq_u32(vcgeq_f32(v, least), skipped);
            hits |= vaddvq_u32(vandq_u32(hit, weight)) << (4 * q);
            top = vmaxq_f32(top, vbslq_f32(vorrq_u32(skipped, hit), none, v));
        }
        if (s->bounded)
            s->bound[r] = (int32_t)ceilf((vmaxvq_f32(top) + s->window[r]) * DF_BOUND_STEPS);
        s->hit[r] = (uint16_t)hits;
    }
}

NEON static int32_t code_dot(const int8_t *a, const int8_t *b, int d)
{
    int32x4_t sum = vdupq_n_s32(0);
    for (int i = 0; i < d; i += 16)
        sum = vdotq_s32(sum, vld1q_s8(a + i), vld1q_s8(b + i));
    return vaddvq_s32(sum);
}

/* Marks the groups with a bound that reaches `need`, eight at a time. */
static void reach(const int16_t *bound, const int16_t *drift, int16_t need, int n, uint64_t *mask)
{
    const uint16x8_t weight = {1, 2, 4, 8, 16, 32, 64, 128};
    for (int g = 0; g < n; g += 64) {
        uint64_t bits = 0;
        for (int i = 0; i < 64 && g + i < n; i += 8) {
            int16x8_t now = vqaddq_s16(vld1q_s16(bound + g + i), vld1q_s16(drift + g + i));
            bits |= (uint64_t)vaddvq_u16(vandq_u16(vcgeq_s16(now, vdupq_n_s16(need)), weight)) << i;
        }
        mask[g / 64] = bits;
    }
}

const df_simd df_simd_neon = {
    .name = "NEON dot product",
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
#endif
