/* Connectionist temporal classification, read greedily. */
#ifndef DF_VISION_CTC_H
#define DF_VISION_CTC_H
#include <stdint.h>

/* probabilities [n_steps, n_classes]; class 0 is blank. Writes the classes that are left when
 * repeats are merged and blanks dropped to out [n_steps] and returns their number. *score: mean of
 * their probabilities (of each one's first step), 0 when there are none. Of equal classes the first
 * wins; NaN never does. */
int64_t df_ctc_greedy(const float *probabilities, int64_t n_steps, int64_t n_classes, int32_t *out,
                      double *score);
#endif
