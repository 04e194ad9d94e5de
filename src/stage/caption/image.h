/* What an engine is shown of an image: its pixels, or a JPEG to send. Bytes held by all threads
 * together are bounded. */
#ifndef DF_STAGE_CAPTION_IMAGE_H
#define DF_STAGE_CAPTION_IMAGE_H
#include "base/gate.h"
#include "tables/source.h"
#include "engine/engine.h"
#include "image/image.h"
#include "stage/caption/caption.h"

/* Shared by threads. memory: bytes of images and requests in flight; decoders: as many at once as
 * there are processors. */
typedef struct {
    df_gate memory, decoders;
} df_caption_gates;
df_status df_caption_gates_init(df_caption_gates *g, const df_caption_config *config, int n_threads,
                                df_error *err);
void df_caption_gates_free(df_caption_gates *g);

/* All-zero is freeable. held: of g->memory, until it is freed. */
typedef struct {
    df_image image;
    uint8_t *jpeg;
    size_t jpeg_size;
    int64_t held;
} df_caption_image;
/* Where the image is. */
typedef struct {
    const df_dataset *ds;
    const df_table *ingest;
    int64_t row;
} df_caption_place;
/* Reads the image of a row of ingest as ops needs it: nothing, pixels, or a JPEG within config's
 * budget. Waits for memory before it reads. Errors as of df_source_read and df_image_decode;
 * df_is_of_one_image tells that record's own. */
df_status df_caption_image_load(df_caption_gates *g, const df_caption_config *config,
                                const df_engine_ops *ops, const df_caption_place *place,
                                df_caption_image *out, df_error *err);
void df_caption_image_free(df_caption_gates *g, df_caption_image *image);
/* The JPEG of an image that is decoded already. Caller frees. */
df_status df_caption_image_encode(const df_caption_config *config, const df_image *image,
                                  uint8_t **jpeg, size_t *size, df_error *err);
#endif
