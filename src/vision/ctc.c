/* Greedy CTC decoding. */
#include "vision/ctc.h"

enum { LANES = 16 };

/* Index of the greatest value. A dictionary has thousands of classes, so the value is found first,
 * in lanes that the compiler turns into vector code, and its index afterwards. */
static int64_t argmax(const float *p, int64_t n)
{
    float lane[LANES];
    for (int k = 0; k < LANES; k++)
        lane[k] = -1;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] = p[i + k] > lane[k] ? p[i + k] : lane[k];
    float most = -1;
    for (int k = 0; k < LANES; k++)
        most = lane[k] > most ? lane[k] : most;
    for (; i < n; i++)
        most = p[i] > most ? p[i] : most;
    for (i = 0; i < n; i++)
        if (p[i] == most)
            return i;
    return 0;                                /* only NaN: blank */
}

int64_t df_ctc_greedy(const float *probabilities, int64_t n_steps, int64_t n_classes, int32_t *out,
                      double *score)
{
    int64_t n = 0, before = 0;
    double sum = 0;
    for (int64_t t = 0; t < n_steps; t++) {
        const float *p = probabilities + t * n_classes;
        int64_t best = argmax(p, n_classes);
        if (best != 0 && best != before) {
            out[n++] = (int32_t)best;
            sum += (double)p[best];
        }
        before = best;
    }
    *score = n ? sum / (double)n : 0;
    return n;
}
