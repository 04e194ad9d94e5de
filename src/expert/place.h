/* From coordinates of a model's input to boxes in the image. */
#ifndef DF_EXPERT_PLACE_H
#define DF_EXPERT_PLACE_H
#include "evidence/evidence.h"
#include "expert/expert.h"
#include "model/preprocess.h"
#include "vision/nms.h"

/* A box given as centre x, y, width, height, in shares of the input's sides. */
df_candidate df_candidate_centred(const float *box, double width, double height, double score,
                                  int label);
/* Turns what was found, in input pixels, into out->boxes. Applies non-maximum suppression (the
 * card's `iou`), keeps at most `most`, cuts boxes at the image's edges, and drops those with less
 * than a pixel left. labels: the name of each label, NULL for one that is dropped; the names
 * outlive `out`. Errors: DF_NOMEM. */
df_status df_boxes_place(const df_card *card, df_candidate *found, int n, int most,
                         const char *const *labels, const df_placement *placement,
                         const df_image *image, df_arena *arena, df_percept *out, df_error *err);
#endif
