/* Bilinear sampling of a parallelogram. */
#include "image/warp.h"

#include <math.h>
#include <string.h>
#include "image/codec.h"

static double clamp(double v, double last)
{
    return v > 0 ? v < last ? v : last : 0;  /* NaN becomes 0 */
}

/* The bilinear value at (x, y), in pixel centres; border pixels are repeated. */
static void sample(const df_image *in, double x, double y, uint8_t *out)
{
    x = clamp(x, in->width - 1);
    y = clamp(y, in->height - 1);
    int x0 = (int)x, y0 = (int)y;
    float fx = (float)(x - x0), fy = (float)(y - y0);
    size_t right = x0 + 1 < in->width ? 3 : 0,
           below = y0 + 1 < in->height ? (size_t)in->width * 3 : 0;
    const uint8_t *p = in->rgb + ((size_t)y0 * (size_t)in->width + (size_t)x0) * 3;
    for (int c = 0; c < 3; c++, p++) {
        float top = (float)p[0] + fx * (float)(p[right] - p[0]);
        float bottom = (float)p[below] + fx * (float)(p[below + right] - p[below]);
        out[c] = (uint8_t)(top + fy * (bottom - top) + 0.5f);
    }
}

df_status df_image_warp(const df_image *in, const df_frame *frame, int width, int height,
                        df_image *out, df_error *err)
{
    df_image straight = {0};
    DF_TRY(df_image_alloc(width, height, &straight, err));
    uint8_t *pixel = straight.rgb;
    for (int j = 0; j < height; j++) {
        double v = (j + 0.5) / height;
        for (int i = 0; i < width; i++, pixel += 3) {
            double u = (i + 0.5) / width;
            sample(in, frame->x + u * frame->across_x + v * frame->down_x - 0.5,
                   frame->y + u * frame->across_y + v * frame->down_y - 0.5, pixel);
        }
    }
    *out = straight;
    return DF_OK;
}

void df_image_rotate_180(df_image *image)
{
    size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t *a = image->rgb + i * 3, *b = image->rgb + (n - 1 - i) * 3, kept[3];
        memcpy(kept, a, 3);
        memcpy(a, b, 3);
        memcpy(b, kept, 3);
    }
}
