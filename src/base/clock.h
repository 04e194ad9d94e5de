/* Measures how much time passes. */
#ifndef DF_BASE_CLOCK_H
#define DF_BASE_CLOCK_H
#include <stdint.h>
#include <time.h>

/* Nanoseconds since an arbitrary moment, on a clock that is never set back. */
static inline int64_t df_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline double df_now_s(void)
{
    return 1e-9 * (double)df_now_ns();
}
#endif
