/* Reads the output of a text recogniser by greedy CTC decoding (connectionist temporal
 * classification, Graves et al., ICML 2006). */
#ifndef DF_VISION_CTC_H
#define DF_VISION_CTC_H
#include <stdint.h>

/* probabilities [n_steps, n_classes]; class 0 is blank. Takes the most probable class of each step
 * (of equals the first; NaN never), merges repeats and drops blanks. Writes the classes that are
 * left to out [n_steps] and returns their number. *score is the mean probability of their first
 * steps, 0 when there are none. */
int64_t df_ctc_greedy(const float *probabilities, int64_t n_steps, int64_t n_classes, int32_t *out,
                      double *score);
#endif
