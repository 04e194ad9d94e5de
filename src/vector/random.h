/* Seeded random numbers, the same on every machine (SplitMix64, Steele, Lea, Flood 2014). */
#ifndef DF_VECTOR_RANDOM_H
#define DF_VECTOR_RANDOM_H
#include <stdint.h>

typedef struct {
    uint64_t state;
} df_random;

static inline uint64_t df_random_next(df_random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

static inline double df_random_unit(df_random *r)                        /* in [0, 1) */
{
    return (double)(df_random_next(r) >> 11) * 0x1p-53;
}

/* Independent streams of one seed. */
static inline df_random df_random_start(uint64_t seed, uint64_t stream)
{
    df_random r = {seed ^ 0xD1B54A32D192ED03U * (stream + 1)};
    df_random_next(&r);
    return r;
}
#endif
