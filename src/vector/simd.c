/* Lists the instruction sets of this build and chooses the best one that the machine has. */
#include "vector/simd.h"

#include <stddef.h>

#include "vector/simd_sets.h"

const df_simd *const df_simd_all[] = {
    &df_simd_plain,
#if defined(__x86_64__)
    &df_simd_avx2,
    &df_simd_avx512,
#elif defined(__aarch64__)
    &df_simd_neon,
#endif
    NULL,
};

const df_simd *df_simd_best(void)
{
    const df_simd *best = df_simd_all[0];
    for (int i = 1; df_simd_all[i]; i++)
        if (df_simd_all[i]->available())
            best = df_simd_all[i];
    return best;
}
