/* Turns pixels into a model's input tensor, as its card says. */
#ifndef DF_MODEL_PREPROCESS_H
#define DF_MODEL_PREPROCESS_H
#include "image/image.h"
#include "model/card.h"
#include "model/onnx.h"

/* Where input pixels lie in the image: image_x = offset_x + scale_x * input_x, in pixels of the
 * upright full image; y likewise. */
typedef struct {
    double offset_x, offset_y, scale_x, scale_y;
} df_placement;
/* *input: [1, 3, h, w] or [1, h, w, 3], in the arena. placement may be NULL. */
df_status df_preprocess(const df_card *card, const df_image *image, df_arena *arena,
                        df_tensor *input, df_placement *placement, df_error *err);
/* The shorter edge, in pixels, beyond which a larger picture does not show in the input: twice the
 * input's own; INT_MAX where the input is as large as the picture. */
int df_preprocess_edge(const df_card *card);
#endif
