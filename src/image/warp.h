/* Cuts a rotated part out of an image and turns it straight. */
#ifndef DF_IMAGE_WARP_H
#define DF_IMAGE_WARP_H
#include "image/image.h"

/* A parallelogram in an image: its first corner, the edge along its top and the edge down its left
 * side. Pixel edges are at whole numbers. It may reach beyond the image; border pixels are then
 * repeated. */
typedef struct {
    double x, y, across_x, across_y, down_x, down_y;
} df_frame;

/* out (allocated, width x height) is what the frame shows, by bilinear sampling. The frame should
 * have about that size, since nothing is averaged when shrinking. */
df_status df_image_warp(const df_image *in, const df_frame *frame, int width, int height,
                        df_image *out, df_error *err);
/* Turns the image upside down, in place. */
void df_image_rotate_180(df_image *image);
#endif
