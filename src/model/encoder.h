/* An image encoder turns pixels into one vector, as its card says (task `embed`, fields output and
 * pooling). */
#ifndef DF_MODEL_ENCODER_H
#define DF_MODEL_ENCODER_H
#include "image/image.h"
#include "model/card.h"

typedef struct df_encoder df_encoder;        /* shared by threads */
/* Opens the card with a verified hash and runs the model on a grey picture, so that a card that
 * does not fit the model fails here. runtime: NULL for the CPU. df_encoder_close frees *out; NULL
 * is fine. */
df_status df_encoder_open(df_encoder **out, const char *models, const char *name,
                          const df_onnx_options *runtime, df_error *err);
void df_encoder_close(df_encoder *e);
int df_encoder_dim(const df_encoder *e);
int df_encoder_edge(const df_encoder *e);    /* df_preprocess_edge of its card */
/* *vector: [dim] as the model gives it, not normalised, in the arena. DF_FORMAT: the model has no
 * answer (NaN). */
df_status df_encoder_run(df_encoder *e, const df_image *image, df_arena *arena,
                         const float **vector, df_error *err);
#endif
