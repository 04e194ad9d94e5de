/* Decodes WebP; of an animation, its first frame. */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include "image/codec.h"

static df_status decode_rgba(const uint8_t *bytes, size_t size, int width, int height,
                             uint8_t **out, df_error *err)
{
    DF_TRY(df_image_check_size(width, height, err));
    size_t n = (size_t)width * (size_t)height * 4;
    uint8_t *rgba = malloc(n);
    if (!rgba)
        return df_no_memory(err, "webp of %d x %d pixels", width, height);
    if (!WebPDecodeRGBAInto(bytes, size, rgba, n, width * 4)) {
        free(rgba);
        return df_fail(err, DF_FORMAT, "webp: data is cut or damaged");
    }
    *out = rgba;
    return DF_OK;
}

/* Decodes the first frame of an animation onto a white canvas. */
static df_status decode_frame(const uint8_t *bytes, size_t size, int width, int height,
                              df_image *out, df_error *err)
{
    df_status status;
    uint8_t *rgba = NULL;
    df_image frame = {0}, canvas = {0};
    WebPIterator it = {0};
    WebPDemuxer *demuxer = WebPDemux(&(WebPData){bytes, size});
    if (!demuxer || !WebPDemuxGetFrame(demuxer, 1, &it)) {
        status = df_fail(err, DF_FORMAT, "webp: data is cut or damaged");
        goto out;
    }
    if (it.width > width - it.x_offset || it.height > height - it.y_offset) {
        status = df_fail(err, DF_FORMAT, "webp: frame lies outside its canvas");
        goto out;
    }
    status = decode_rgba(it.fragment.bytes, it.fragment.size, it.width, it.height, &rgba, err);
    if (status == DF_OK)
        status = df_image_from_rgba(rgba, it.width, it.height, &frame, err);
    if (status == DF_OK)
        status = df_image_alloc(width, height, &canvas, err);
    if (status != DF_OK)
        goto out;
    memset(canvas.rgb, 255, (size_t)width * (size_t)height * 3);
    for (int y = 0; y < it.height; y++) {
        size_t to = ((size_t)(it.y_offset + y) * (size_t)width + (size_t)it.x_offset) * 3;
        memcpy(canvas.rgb + to, frame.rgb + (size_t)y * (size_t)it.width * 3, (size_t)it.width * 3);
    }
    *out = canvas;
out:
    df_image_free(&frame);
    WebPDemuxReleaseIterator(&it);
    WebPDemuxDelete(demuxer);
    return status;
}

df_status df_webp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes, size, &features) != VP8_STATUS_OK)
        return df_fail(err, DF_FORMAT, "webp: data is cut or damaged");
    DF_TRY(df_image_check_size(features.width, features.height, err));
    if (features.has_animation)
        return decode_frame(bytes, size, features.width, features.height, out, err);
    if (features.has_alpha) {
        uint8_t *rgba;
        DF_TRY(decode_rgba(bytes, size, features.width, features.height, &rgba, err));
        return df_image_from_rgba(rgba, features.width, features.height, out, err);
    }
    df_image image = {0};
    DF_TRY(df_image_alloc(features.width, features.height, &image, err));
    if (!WebPDecodeRGBInto(bytes, size, image.rgb, (size_t)image.width * (size_t)image.height * 3,
                           image.width * 3)) {
        df_image_free(&image);
        return df_fail(err, DF_FORMAT, "webp: data is cut or damaged");
    }
    *out = image;
    return DF_OK;
}
