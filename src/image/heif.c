/* Decodes HEIC and AVIF. libheif applies the file's own rotation, mirror and crop. */
#include <stdlib.h>
#include <string.h>
#include <libheif/heif.h>
#include "image/codec.h"

static df_status check(struct heif_error error, df_error *err)
{
    if (error.code == heif_error_Ok)
        return DF_OK;
    return df_fail(err, DF_FORMAT, "heif: %s", error.message ? error.message : "cannot decode");
}

/* Copies libheif's rows, which may be padded. */
static df_status copy_pixels(const struct heif_image *from, bool alpha, df_image *out,
                             df_error *err)
{
    int stride = 0;
    const uint8_t *plane = heif_image_get_plane_readonly(from, heif_channel_interleaved, &stride);
    int width = heif_image_get_width(from, heif_channel_interleaved);
    int height = heif_image_get_height(from, heif_channel_interleaved);
    size_t pixel = alpha ? 4 : 3;
    DF_TRY(df_image_check_size(width, height, err));
    if (!plane || stride < 0 || (size_t)stride < (size_t)width * pixel)
        return df_fail(err, DF_FORMAT, "heif: no pixels");
    size_t row_size = (size_t)width * pixel;
    uint8_t *pixels = malloc(row_size * (size_t)height);
    if (!pixels)
        return df_no_memory(err, "heif of %d x %d pixels", width, height);
    for (int y = 0; y < height; y++)
        memcpy(pixels + (size_t)y * row_size, plane + (size_t)y * (size_t)stride, row_size);
    if (alpha)
        return df_image_from_rgba(pixels, width, height, out, err);
    *out = (df_image){width, height, width, height, pixels};
    return DF_OK;
}

/* Decodes the primary image of the file. */
static df_status decode_primary(struct heif_context *ctx, const uint8_t *bytes, size_t size,
                                df_image *out, df_error *err)
{
    struct heif_image_handle *handle = NULL;
    struct heif_image *image = NULL;
    heif_context_set_maximum_image_size_limit(ctx, 32768);
    /* no threads of libheif: the caller has its own */
    heif_context_set_max_decoding_threads(ctx, 0);
    df_status status =
        check(heif_context_read_from_memory_without_copy(ctx, bytes, size, NULL), err);
    if (status == DF_OK)
        status = check(heif_context_get_primary_image_handle(ctx, &handle), err);
    if (status != DF_OK)
        goto out;
    status = df_image_check_size(heif_image_handle_get_width(handle),
                                 heif_image_handle_get_height(handle), err);
    if (status != DF_OK)
        goto out;
    bool alpha = heif_image_handle_has_alpha_channel(handle);
    enum heif_chroma chroma = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
    status = check(heif_decode_image(handle, &image, heif_colorspace_RGB, chroma, NULL), err);
    if (status == DF_OK)
        status = copy_pixels(image, alpha, out, err);
out:
    heif_image_release(image);
    heif_image_handle_release(handle);
    return status;
}

df_status df_heif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    struct heif_context *ctx = heif_context_alloc();
    if (!ctx)
        return df_no_memory(err, "heif");
    df_status status = decode_primary(ctx, bytes, size, out, err);
    heif_context_free(ctx);
    return status;
}
