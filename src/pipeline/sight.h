/* What the pixel stages see of one image: its bytes read and decoded, or the reason why there is
 * nothing to see. */
#ifndef DF_PIPELINE_SIGHT_H
#define DF_PIPELINE_SIGHT_H
#include "stage/stage.h"

enum { DF_SIGHT_SIDE_PX = 2048 };

/* One image's bytes, and the pictures that were decoded from them so far. All-zero is empty and
 * freeable. */
typedef struct {
    const uint8_t *bytes;
    size_t size;
    uint8_t *owned;                          /* NULL: the bytes are the caller's */
    df_image_info info;
    /* [0] whole, its long side at most DF_SIGHT_SIDE_PX; [k] by 2^k */
    df_image pictures[4];
    df_error detail;
} df_pixels;

/* Reads the bytes of the sight's row. A broken image is no error, here and below: sight->image
 * stays NULL, problem and detail say why, the latter from `pixels`, which outlives the sight.
 * Errors name the picture: DF_IO when it can't be read now (df_source_read), DF_NOMEM. */
df_status df_sight_load(df_sight *sight, const df_dataset *ds, df_pixels *pixels, df_error *err);
/* The same of bytes in memory, which are borrowed. */
void df_sight_take(df_sight *sight, const uint8_t *bytes, size_t size, df_pixels *pixels);
/* Sets sight->image to the picture for a stage that asks for `edge` (df_pixel_ops), which is
 * decoded when it is the first. */
df_status df_sight_show(df_sight *sight, df_pixels *pixels, int edge, df_error *err);
/* what a user calls the picture, for messages */
const char *df_sight_path(const df_sight *sight);
void df_pixels_free(df_pixels *pixels);
/* Later stages see these rows of the image: at most one table of each type. */
void df_sight_add(df_sight *sight, df_image_rows rows);
#endif
