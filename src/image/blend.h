/* Weighted sums of pixel rows: the inner loop of a resize, once for each instruction set. Every set
 * gives the same bits, since the order of additions is fixed and no multiply-add is fused. */
#ifndef DF_IMAGE_BLEND_H
#define DF_IMAGE_BLEND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    bool (*available)(void);
    /* sum[i] = weights[0] * row[i] + weights[1] * row[stride + i] + ..., added in this order, i <
     * n. */
    void (*rows)(const uint8_t *row, size_t stride, const float *weights, int n_rows, size_t n,
                 float *sum);
} df_blend;

/* The best set that this machine has; never NULL. */
const df_blend *df_blend_best(void);
/* From the plainest up, NULL-terminated. Only some may be available on this machine. */
extern const df_blend *const df_blend_all[];
#endif
