/* AVX2 with FMA and F16C, which x86-64 servers have had for ten years. */
#include "vector/simd_sets.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "vector/half.h"

#define AVX2 __attribute__((target("avx2,fma,f16c")))

static bool available(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
}

/* Eight registers hold the 64 running sums. */
AVX2 static float dot(const float *a, const float *b, int d)
{
    __m256 s[8];
    float tail[64];
    int i = 0;
    for (int k = 0; k < 8; k++)
        s[k] = _mm256_setzero_ps();
    for (; i + 64 <= d; i += 64)
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++)
            s[k] = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8 * k), _mm256_loadu_ps(b + i + 8 * k),
                                   s[k]);
    if (i < d) {
        for (int k = 0; k < 8; k++)
            _mm256_storeu_ps(tail + 8 * k, s[k]);
        for (int lane = 0; i < d; i++, lane++)
            tail[lane] = fmaf(a[i], b[i], tail[lane]);
        for (int k = 0; k < 8; k++)
            s[k] = _mm256_loadu_ps(tail + 8 * k);
    }
    for (int step = 4; step > 0; step /= 2)
        for (int k = 0; k < step; k++)
            s[k] = _mm256_add_ps(s[k], s[k + step]);
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(s[0]), _mm256_extractf128_ps(s[0], 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

AVX2 static void from_half(const uint16_t *half, float *out, int64_t n)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(half + i))));
    for (; i < n; i++)
        out[i] = df_half_to_float(half[i]);
}

/* Dot products of four codes each, for eight lanes. vpmaddubsw adds two products into 16 bits,
 * which cannot overflow with codes in [-127, 127] when the unsigned side is a magnitude: |2 * 127 *
 * 127| < 2^15. The sign moves to the other side. */
AVX2 static __m256i pair_sum(__m256i lanes, __m256i codes)
{
    __m256i products = _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(lanes, codes));
    return _mm256_madd_epi16(products, _mm256_set1_epi16(1));
}

/* Dot products of eight rows with the sixteen lanes of a panel, four rows at a time, as the
 * registers allow. */
AVX2 static void tile(const uint8_t *panel, const int8_t *const rows[DF_TILE],
                      const int32_t start[DF_TILE], int d, int32_t out[DF_TILE][DF_LANES])
{
    const __m256i flip = _mm256_set1_epi8((char)0x80);
    (void)start;                             /* the panel's offset of 128 is taken off here */
    for (int r = 0; r < DF_TILE; r += 4) {
        __m256i lo[4], hi[4];
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            lo[k] = hi[k] = _mm256_setzero_si256();
        for (int64_t i = 0; i < d; i += 4) {
            const __m256i *lanes = (const __m256i *)(panel + i * DF_LANES);
            __m256i a = _mm256_xor_si256(_mm256_loadu_si256(lanes), flip);
            __m256i b = _mm256_xor_si256(_mm256_loadu_si256(lanes + 1), flip);
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                int32_t four;
                memcpy(&four, rows[r + k] + i, sizeof four);
                __m256i codes = _mm256_set1_epi32(four);
                lo[k] = _mm256_add_epi32(lo[k], pair_sum(a, codes));
                hi[k] = _mm256_add_epi32(hi[k], pair_sum(b, codes));
            }
        }
        for (int k = 0; k < 4; k++) {
            _mm256_storeu_si256((__m256i *)out[r + k], lo[k]);
            _mm256_storeu_si256((__m256i *)(out[r + k] + 8), hi[k]);
        }
    }
}

AVX2 static __m256 score_of(const int32_t *dots, const float *scale, const float *bias,
                            __m256 row_scale, __m256 row_bias)
{
    __m256 v = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)dots));
    return _mm256_add_ps(_mm256_mul_ps(v, _mm256_mul_ps(_mm256_loadu_ps(scale), row_scale)),
                         _mm256_add_ps(_mm256_loadu_ps(bias), row_bias));
}

/* Lane j is all ones when bit j of `bits` is set. */
AVX2 static __m256 lanes_of(int bits)
{
    const __m256i one_each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_castsi256_ps(
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits), one_each), one_each));
}

/* Turns the tile's dot products into scores, marks those that may win, and bounds the others. Each
 * row takes two halves of eight lanes. */
AVX2 static void scores(const int32_t dots[DF_TILE][DF_LANES], const df_lane_scales *scale,
                        df_tile_scores *s)
{
    float least[DF_TILE], highest[DF_TILE];
    __m256 window = _mm256_add_ps(
        _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(s->row_error), _mm256_set1_ps(scale->norm)),
                      _mm256_mul_ps(_mm256_loadu_ps(s->row_norm), _mm256_set1_ps(scale->error))),
        _mm256_set1_ps(scale->slack));
    _mm256_storeu_ps(s->window, window);
    _mm256_storeu_ps(least, _mm256_sub_ps(_mm256_loadu_ps(s->low), window));
    for (int r = 0; r < DF_TILE; r++) {
        __m256 row_scale = _mm256_set1_ps(s->row_scale[r]),
               row_bias = _mm256_set1_ps(s->row_bias[r]);
        __m256 threshold = _mm256_set1_ps(least[r]), top = _mm256_set1_ps(-2), none = top;
        int hits = 0;
        for (int half = 0; half < 2; half++) {
            const float *scales = scale->scale + 8 * half, *bias = scale->bias + 8 * half;
            __m256 v = score_of(dots[r] + 8 * half, scales, bias, row_scale, row_bias);
            _mm256_storeu_ps(s->score[r] + 8 * half, v);
            __m256 skipped = lanes_of(s->skip[r] >> (8 * half) & 255);
            __m256 hit = _mm256_andnot_ps(skipped, _mm256_cmp_ps(v, threshold, _CMP_GE_OQ));
            hits |= _mm256_movemask_ps(hit) << (8 * half);
            top = _mm256_max_ps(top, _mm256_blendv_ps(v, none, _mm256_or_ps(skipped, hit)));
        }
        __m128 q = _mm_max_ps(_mm256_castps256_ps128(top), _mm256_extractf128_ps(top, 1));
        q = _mm_max_ps(q, _mm_movehl_ps(q, q));
        highest[r] = _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
        s->hit[r] = (uint16_t)hits;
    }
    if (!s->bounded)
        return;
    __m256 high = _mm256_mul_ps(_mm256_add_ps(_mm256_loadu_ps(highest), window),
                                _mm256_set1_ps(DF_BOUND_STEPS));
    _mm256_storeu_si256((__m256i *)s->bound, _mm256_cvtps_epi32(_mm256_ceil_ps(high)));
}

AVX2 static int32_t code_dot(const int8_t *a, const int8_t *b, int d)
{
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < d; i += 32)
        sum = _mm256_add_epi32(sum, pair_sum(_mm256_loadu_si256((const __m256i *)(a + i)),
                                             _mm256_loadu_si256((const __m256i *)(b + i))));
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    q = _mm_add_epi32(q, _mm_shuffle_epi32(q, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(q, _mm_shuffle_epi32(q, 0xB1)));
}

/* Marks the groups with a bound that reaches `need`, eight at a time. */
AVX2 static void reach(const int16_t *bound, const int16_t *drift, int16_t need, int n,
                       uint64_t *mask)
{
    __m128i below = _mm_set1_epi16((int16_t)(need - 1));                 /* need > -32768 */
    for (int g = 0; g < n; g += 8) {
        __m128i now = _mm_adds_epi16(_mm_loadu_si128((const __m128i *)(bound + g)),
                                     _mm_loadu_si128((const __m128i *)(drift + g)));
        __m128i bytes = _mm_packs_epi16(_mm_cmpgt_epi16(now, below), _mm_setzero_si128());
        uint64_t bits = (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << g % 64;
        mask[g / 64] = g % 64 ? mask[g / 64] | bits : bits;
    }
}

/* Adds or subtracts a row, as integers in units of 2^-24. */
AVX2 static void add_row(int64_t *sum, const float *x, int sign, int d)
{
    __m256 unit = _mm256_set1_ps(0x1p24F);
    int i = 0;
    for (; i + 8 <= d; i += 8) {
        __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), unit));
        v = sign < 0 ? _mm256_sub_epi32(_mm256_setzero_si256(), v) : v;
        __m256i *lo = (__m256i *)(sum + i), *hi = lo + 1;
        __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(v));
        __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1));
        _mm256_storeu_si256(lo, _mm256_add_epi64(_mm256_loadu_si256(lo), low));
        _mm256_storeu_si256(hi, _mm256_add_epi64(_mm256_loadu_si256(hi), high));
    }
    for (; i < d; i++)
        sum[i] += sign * (int64_t)(x[i] * 0x1p24F);
}

/* Subtracts the mean, eight values at a time; returns the largest magnitude. */
AVX2 static float centre(const float *x, const float *mean, float *out, int d)
{
    __m256 largest = _mm256_setzero_ps(), sign = _mm256_set1_ps(-0.0F);
    float lane[8], most = 0;
    int i = 0;
    for (; i + 8 <= d; i += 8) {
        __m256 v = _mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(mean + i));
        _mm256_storeu_ps(out + i, v);
        largest = _mm256_max_ps(largest, _mm256_andnot_ps(sign, v));
    }
    _mm256_storeu_ps(lane, largest);
    for (int k = 0; k < 8; k++)
        most = fmaxf(most, lane[k]);
    for (; i < d; i++) {
        out[i] = x[i] - mean[i];
        most = fmaxf(most, fabsf(out[i]));
    }
    return most;
}

/* Rounds to codes, eight values at a time, and leaves the rounding errors in x. */
AVX2 static void encode(float *x, float scale, float inverse, int8_t *code, int d)
{
    __m256 unit = _mm256_set1_ps(scale), by = _mm256_set1_ps(inverse);
    int i = 0;
    for (; i + 8 <= d; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i);
        __m256i c = _mm256_cvtps_epi32(_mm256_mul_ps(v, by));
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(c), _mm256_extracti128_si256(c, 1));
        _mm_storel_epi64((__m128i *)(code + i), _mm_packs_epi16(words, words));
        _mm256_storeu_ps(x + i, _mm256_sub_ps(v, _mm256_mul_ps(_mm256_cvtepi32_ps(c), unit)));
    }
    for (; i < d; i++) {
        code[i] = (int8_t)lrintf(x[i] * inverse);
        x[i] -= (float)code[i] * scale;
    }
}

const df_simd df_simd_avx2 = {
    .name = "AVX2",
    .available = available,
    .dot = dot,
    .from_half = from_half,
    .tile = tile,
    .scores = scores,
    .code_dot = code_dot,
    .reach = reach,
    .add_row = add_row,
    .centre = centre,
    .encode = encode,
};
#endif
