/* AVX-512 with VNNI: one instruction multiplies and adds 64 pairs of codes. */
#include "vector/simd_sets.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")))
#define UNROLL _Pragma("GCC unroll 16")

static bool available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

/* Four registers hold the 64 running sums; a mask cuts the last one. */
AVX512 static float dot(const float *a, const float *b, int d)
{
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    int i = 0;
    for (; i + 64 <= d; i += 64) {
        s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
        s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
        s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
    }
    __m512 *const sum[4] = {&s0, &s1, &s2, &s3};
    for (int k = 0; i < d; k++, i += 16) {
        __mmask16 m = (__mmask16)(d - i >= 16 ? 0xFFFF : (1 << (d - i)) - 1);
        *sum[k] = _mm512_mask3_fmadd_ps(_mm512_maskz_loadu_ps(m, a + i),
                                        _mm512_maskz_loadu_ps(m, b + i), *sum[k], m);
    }
    __m512 s = _mm512_add_ps(_mm512_add_ps(s0, s2), _mm512_add_ps(s1, s3));
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

AVX512 static void from_half(const uint16_t *half, float *out, int64_t n)
{
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(out + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(half + i))));
    if (i < n) {
        __mmask16 m = (__mmask16)((1 << (n - i)) - 1);
        _mm512_mask_storeu_ps(out + i, m, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, half + i)));
    }
}

/* The instruction is spelled out, since the compiler would keep an array of sums in memory. */
#define STEP(k)                                                                                    \
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"                                                         \
            : "+v"(s##k)                                                                           \
            : "v"(lanes), "m"(*(const int32_t *)(row##k + i)))

/* Dot products of eight rows with the sixteen lanes of a panel: one register of sums for each
 * row. */
AVX512 static void tile(const uint8_t *panel, const int8_t *const rows[DF_TILE],
                        const int32_t start[DF_TILE], int d, int32_t out[DF_TILE][DF_LANES])
{
    const int8_t *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
    const int8_t *row4 = rows[4], *row5 = rows[5], *row6 = rows[6], *row7 = rows[7];
    __m512i s0 = _mm512_set1_epi32(start[0]), s1 = _mm512_set1_epi32(start[1]),
            s2 = _mm512_set1_epi32(start[2]);
    __m512i s3 = _mm512_set1_epi32(start[3]), s4 = _mm512_set1_epi32(start[4]),
            s5 = _mm512_set1_epi32(start[5]);
    __m512i s6 = _mm512_set1_epi32(start[6]), s7 = _mm512_set1_epi32(start[7]);
    UNROLL
    for (int64_t i = 0; i < d; i += 4) {
        __m512i lanes = _mm512_loadu_si512(panel + i * DF_LANES);
        STEP(0);
        STEP(1);
        STEP(2);
        STEP(3);
        STEP(4);
        STEP(5);
        STEP(6);
        STEP(7);
    }
    _mm512_storeu_si512(out[0], s0);
    _mm512_storeu_si512(out[1], s1);
    _mm512_storeu_si512(out[2], s2);
    _mm512_storeu_si512(out[3], s3);
    _mm512_storeu_si512(out[4], s4);
    _mm512_storeu_si512(out[5], s5);
    _mm512_storeu_si512(out[6], s6);
    _mm512_storeu_si512(out[7], s7);
}

/* The highest lane of each of eight vectors. */
AVX512 static __m256 highest_of(const __m512 v[DF_TILE])
{
    __m256 h[DF_TILE];
    UNROLL
    for (int r = 0; r < DF_TILE; r++)
        h[r] = _mm256_max_ps(_mm512_castps512_ps256(v[r]), _mm512_extractf32x8_ps(v[r], 1));
    __m256 q[4];
    UNROLL
    for (int r = 0; r < 4; r++) /* the lower half holds row r, the upper half row r + 4 */
        q[r] = _mm256_max_ps(_mm256_permute2f128_ps(h[r], h[r + 4], 0x20),
                             _mm256_permute2f128_ps(h[r], h[r + 4], 0x31));
    __m256 a = _mm256_max_ps(_mm256_unpacklo_ps(q[0], q[2]), _mm256_unpackhi_ps(q[0], q[2]));
    __m256 b = _mm256_max_ps(_mm256_unpacklo_ps(q[1], q[3]), _mm256_unpackhi_ps(q[1], q[3]));
    return _mm256_max_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
}

/* Turns the tile's dot products into scores, marks those that may win, and bounds the others. */
AVX512 static void scores(const int32_t dots[DF_TILE][DF_LANES], const df_lane_scales *scale,
                          df_tile_scores *s)
{
    __m512 scales = _mm512_loadu_ps(scale->scale), bias = _mm512_loadu_ps(scale->bias),
           none = _mm512_set1_ps(-2);
    __m512 rest[DF_TILE];
    float least[DF_TILE];
    __m256 window = _mm256_add_ps(
        _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(s->row_error), _mm256_set1_ps(scale->norm)),
                      _mm256_mul_ps(_mm256_loadu_ps(s->row_norm), _mm256_set1_ps(scale->error))),
        _mm256_set1_ps(scale->slack));
    _mm256_storeu_ps(s->window, window);
    _mm256_storeu_ps(least, _mm256_sub_ps(_mm256_loadu_ps(s->low), window));
    UNROLL
    for (int r = 0; r < DF_TILE; r++) {
        __m512 v = _mm512_cvtepi32_ps(_mm512_loadu_si512(dots[r]));
        v = _mm512_add_ps(_mm512_mul_ps(v, _mm512_mul_ps(scales, _mm512_set1_ps(s->row_scale[r]))),
                          _mm512_add_ps(bias, _mm512_set1_ps(s->row_bias[r])));
        _mm512_storeu_ps(s->score[r], v);
        __mmask16 seen = (__mmask16)~s->skip[r];
        __mmask16 hit = _mm512_mask_cmp_ps_mask(seen, v, _mm512_set1_ps(least[r]), _CMP_GE_OQ);
        s->hit[r] = hit;
        rest[r] = _mm512_mask_mov_ps(none, seen & (__mmask16)~hit, v);
    }
    if (!s->bounded)
        return;
    __m256 high =
        _mm256_mul_ps(_mm256_add_ps(highest_of(rest), window), _mm256_set1_ps(DF_BOUND_STEPS));
    _mm256_storeu_si256((__m256i *)s->bound, _mm256_cvtps_epi32(_mm256_ceil_ps(high)));
}

/* VPDPBUSD multiplies unsigned by signed: a is shifted by 128, and 128 times the sum of b is
 * subtracted again. */
AVX512 static int32_t code_dot(const int8_t *a, const int8_t *b, int d)
{
    __m512i sum = _mm512_setzero_si512(), correction = sum;
    for (int i = 0; i < d; i += DF_CODE_STEP) {
        __m512i x = _mm512_loadu_si512(a + i), y = _mm512_loadu_si512(b + i);
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80)), y);
        correction = _mm512_dpbusd_epi32(correction, _mm512_set1_epi8(1), y);
    }
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(sum, _mm512_slli_epi32(correction, 7)));
}

/* Marks the groups with a bound that reaches `need`, 32 at a time. */
AVX512 static void reach(const int16_t *bound, const int16_t *drift, int16_t need, int n,
                         uint64_t *mask)
{
    __m512i least = _mm512_set1_epi16(need);
    for (int g = 0; g < n; g += 32) {
        __mmask32 in = n - g >= 32 ? 0xFFFFFFFFU : (1U << (n - g)) - 1;
        __m512i now = _mm512_adds_epi16(_mm512_maskz_loadu_epi16(in, bound + g),
                                        _mm512_maskz_loadu_epi16(in, drift + g));
        uint64_t bits = _mm512_mask_cmpge_epi16_mask(in, now, least);
        mask[g / 64] = g % 64 ? mask[g / 64] | bits << 32 : bits;
    }
}

/* Adds or subtracts a row, as integers in units of 2^-24. */
AVX512 static void add_row(int64_t *sum, const float *x, int sign, int d)
{
    __m512 unit = _mm512_set1_ps(0x1p24F);
    int i = 0;
    for (; i + 16 <= d; i += 16) {
        __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i), unit));
        v = sign < 0 ? _mm512_sub_epi32(_mm512_setzero_si512(), v) : v;
        __m512i lo = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(v));
        __m512i hi = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(v, 1));
        _mm512_storeu_si512(sum + i, _mm512_add_epi64(_mm512_loadu_si512(sum + i), lo));
        _mm512_storeu_si512(sum + i + 8, _mm512_add_epi64(_mm512_loadu_si512(sum + i + 8), hi));
    }
    for (; i < d; i++)
        sum[i] += sign * (int64_t)(x[i] * 0x1p24F);
}

/* Subtracts the mean, sixteen values at a time; returns the largest magnitude. */
AVX512 static float centre(const float *x, const float *mean, float *out, int d)
{
    __m512 largest = _mm512_setzero_ps();
    for (int i = 0; i < d; i += 16) {
        __mmask16 m = (__mmask16)(d - i >= 16 ? 0xFFFF : (1 << (d - i)) - 1);
        __m512 v =
            _mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), _mm512_maskz_loadu_ps(m, mean + i));
        _mm512_mask_storeu_ps(out + i, m, v);
        largest = _mm512_max_ps(largest, _mm512_abs_ps(v));
    }
    return _mm512_reduce_max_ps(largest);
}

/* Rounds to codes, sixteen values at a time, and leaves the rounding errors in x. */
AVX512 static void encode(float *x, float scale, float inverse, int8_t *code, int d)
{
    __m512 unit = _mm512_set1_ps(scale), by = _mm512_set1_ps(inverse);
    for (int i = 0; i < d; i += 16) {
        __mmask16 m = (__mmask16)(d - i >= 16 ? 0xFFFF : (1 << (d - i)) - 1);
        __m512 v = _mm512_maskz_loadu_ps(m, x + i);
        __m512i c = _mm512_cvtps_epi32(_mm512_mul_ps(v, by));
        _mm_mask_storeu_epi8(code + i, m, _mm512_cvtepi32_epi8(c));
        _mm512_mask_storeu_ps(x + i, m,
                              _mm512_sub_ps(v, _mm512_mul_ps(_mm512_cvtepi32_ps(c), unit)));
    }
}

const df_simd df_simd_avx512 = {
    .name = "AVX-512 VNNI",
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
