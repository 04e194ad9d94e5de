/* The exact dot product, by the best instruction set that the machine has. */
#include "vector/dot.h"

#include "vector/simd.h"

float df_dot(const float *a, const float *b, int d)
{
    return df_simd_best()->dot(a, b, d);
}

/* A term passes through at most d / 64 + 1 fused additions and 6 pairwise ones. Each is off by at
 * most half a unit in the last place. */
float df_dot_error(int d)
{
    return (float)(d / 64 + 10) * 0x1p-24F;
}
