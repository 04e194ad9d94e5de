/* Weighted sums of pixel rows in plain C, AVX2 and AVX-512. */
#include "image/blend.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f")))
#endif

static bool always(void)
{
    return true;
}

static void plain_rows(const uint8_t *row, size_t stride, const float *weights, int n_rows,
                       size_t n, float *sum)
{
    memset(sum, 0, n * sizeof *sum);
    for (int k = 0; k < n_rows; k++, row += stride)
        for (size_t i = 0; i < n; i++)
            sum[i] += weights[k] * (float)row[i];
}

static const df_blend plain = {"plain", always, plain_rows};

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

/* Sums 64 columns at a time in eight registers, over all rows. The plain loop does the rest of a
 * row. */
AVX2 static void avx2_rows(const uint8_t *row, size_t stride, const float *weights, int n_rows,
                           size_t n, float *sum)
{
    size_t i = 0;
    for (; i + 64 <= n; i += 64) {
        __m256 s[8];
        for (int v = 0; v < 8; v++)
            s[v] = _mm256_setzero_ps();
        const uint8_t *p = row + i;
        for (int k = 0; k < n_rows; k++, p += stride) {
            const __m256 weight = _mm256_set1_ps(weights[k]);
#pragma GCC unroll 8
            for (int v = 0; v < 8; v++) {
                __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8 * v)));
                s[v] = _mm256_add_ps(s[v], _mm256_mul_ps(weight, _mm256_cvtepi32_ps(bytes)));
            }
        }
        for (int v = 0; v < 8; v++)
            _mm256_storeu_ps(sum + i + 8 * v, s[v]);
    }
    plain_rows(row + i, stride, weights, n_rows, n - i, sum + i);
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

/* As avx2_rows, 128 columns at a time. */
AVX512 static void avx512_rows(const uint8_t *row, size_t stride, const float *weights, int n_rows,
                               size_t n, float *sum)
{
    size_t i = 0;
    for (; i + 128 <= n; i += 128) {
        __m512 s[8];
        for (int v = 0; v < 8; v++)
            s[v] = _mm512_setzero_ps();
        const uint8_t *p = row + i;
        for (int k = 0; k < n_rows; k++, p += stride) {
            const __m512 weight = _mm512_set1_ps(weights[k]);
#pragma GCC unroll 8
            for (int v = 0; v < 8; v++) {
                __m512i bytes =
                    _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p + 16 * v)));
                s[v] = _mm512_add_ps(s[v], _mm512_mul_ps(weight, _mm512_cvtepi32_ps(bytes)));
            }
        }
        for (int v = 0; v < 8; v++)
            _mm512_storeu_ps(sum + i + 16 * v, s[v]);
    }
    plain_rows(row + i, stride, weights, n_rows, n - i, sum + i);
}

static const df_blend avx2 = {"avx2", has_avx2, avx2_rows},
                      avx512 = {"avx512", has_avx512, avx512_rows};
#endif

const df_blend *const df_blend_all[] = {
    &plain,
#if defined(__x86_64__)
    &avx2,
    &avx512,
#endif
    NULL,
};

const df_blend *df_blend_best(void)
{
    const df_blend *best = df_blend_all[0];
    for (int i = 1; df_blend_all[i]; i++)
        if (df_blend_all[i]->available())
            best = df_blend_all[i];
    return best;
}
