/* Limits, allocation, alpha and cropping of images. */
#include <stdlib.h>
#include <string.h>
#include "image/codec.h"

df_status df_image_check_size(int64_t width, int64_t height, df_error *err)
{
    if (width < 1 || height < 1)
        return df_fail(err, DF_FORMAT, "image of %lld x %lld pixels", (long long)width,
                       (long long)height);
    if (width > DF_IMAGE_SIDE_MAX || height > DF_IMAGE_SIDE_MAX)
        return df_fail(err, DF_FORMAT,
                       "image of %lld x %lld pixels: a side is above the limit of %d",
                       (long long)width, (long long)height, DF_IMAGE_SIDE_MAX);
    if (width > DF_IMAGE_PIXELS_MAX / height)
        return df_fail(err, DF_FORMAT, "image of %lld x %lld pixels is above the limit of %d",
                       (long long)width, (long long)height, DF_IMAGE_PIXELS_MAX);
    return DF_OK;
}

df_status df_image_alloc(int64_t width, int64_t height, df_image *out, df_error *err)
{
    DF_TRY(df_image_check_size(width, height, err));
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
    if (!rgb)
        return df_no_memory(err, "image of %d x %d pixels", (int)width, (int)height);
    *out = (df_image){(int)width, (int)height, (int)width, (int)height, rgb};
    return DF_OK;
}

df_status df_image_from_rgba(uint8_t *rgba, int width, int height, df_image *out, df_error *err)
{
    df_status status = df_image_check_size(width, height, err);
    if (status != DF_OK) {
        free(rgba);
        return status;
    }
    size_t n = (size_t)width * (size_t)height;
    /* the write position never overtakes the read position */
    for (size_t i = 0; i < n; i++) {
        unsigned alpha = rgba[4 * i + 3];
        for (size_t c = 0; c < 3; c++) {
            unsigned over = rgba[4 * i + c] * alpha + 255 * (255 - alpha);
            rgba[3 * i + c] = (uint8_t)((over + 127) / 255);
        }
    }
    uint8_t *rgb = realloc(rgba, n * 3);
    *out = (df_image){width, height, width, height, rgb ? rgb : rgba};
    return DF_OK;
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

df_status df_image_crop(const df_image *in, int x0, int y0, int x1, int y1, df_image *out,
                        df_error *err)
{
    x0 = clamp(x0, 0, in->width);
    x1 = clamp(x1, 0, in->width);
    y0 = clamp(y0, 0, in->height);
    y1 = clamp(y1, 0, in->height);
    if (x0 >= x1 || y0 >= y1)
        return df_fail(err, DF_FORMAT, "crop box %d %d %d %d holds no pixel of %d x %d", x0, y0, x1,
                       y1, in->width, in->height);

    df_image box = {0};
    DF_TRY(df_image_alloc(x1 - x0, y1 - y0, &box, err));
    size_t row_size = (size_t)box.width * 3;
    for (int y = 0; y < box.height; y++) {
        size_t from = ((size_t)(y0 + y) * (size_t)in->width + (size_t)x0) * 3;
        memcpy(box.rgb + (size_t)y * row_size, in->rgb + from, row_size);
    }
    *out = box;
    return DF_OK;
}

void df_image_free(df_image *image)
{
    if (!image)
        return;
    free(image->rgb);
    *image = (df_image){0};
}
