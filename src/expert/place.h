/* From a model's input to the image. */
#ifndef DF_EXPERT_PLACE_H
#define DF_EXPERT_PLACE_H
#include "evidence/evidence.h"
#include "expert/expert.h"
#include "model/preprocess.h"
#include "vision/nms.h"

/* A box that a model gives as centre x, y, width, height, in shares of its input's sides. */
df_candidate df_candidate_centred(const float *box, double width, double height, double score,
                                  int label);
/* From what was found, in input pixels, to out->boxes: of those that overlap and have one label the
 * surest stays (the card's `iou`), at most `most`, cut at the image's edges; what has less than a
 * pixel left goes. labels: the name of each label, NULL for one that is dropped; they outlive
 * `out`. DF_NOMEM. */
df_status df_boxes_place(const df_card *card, df_candidate *found, int n, int most,
                         const char *const *labels, const df_placement *placement,
                         const df_image *image, df_arena *arena, df_percept *out, df_error *err);
#endif
