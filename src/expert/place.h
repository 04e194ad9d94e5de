/* From a model's input to the image. */
#ifndef DF_EXPERT_PLACE_H
#define DF_EXPERT_PLACE_H
#include "algo/evidence.h"
#include "algo/nms.h"
#include "model/preprocess.h"

/* Sets the box's corners, cut at the image's edges, from those in input pixels. False when less than a pixel is left. */
bool df_box_place(df_box *box, const df_candidate *in_input, const df_placement *placement, const df_image *image);
#endif
