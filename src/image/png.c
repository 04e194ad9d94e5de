/* Decodes PNG by libspng. */
#include <stdlib.h>
#include <spng.h>
#include "image/codec.h"

enum { CHUNK_MAX = 16 << 20, CHUNK_CACHE_MAX = 64 << 20 };
/* our own code; libspng's "out of memory" may be caused by what the file claims */
enum { NO_MEMORY = -1 };

static bool has_alpha(spng_ctx *ctx, const struct spng_ihdr *ihdr)
{
    struct spng_trns trns;
    return ihdr->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
           ihdr->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA || spng_get_trns(ctx, &trns) == 0;
}

/* Decodes all pixels; a code of libspng. */
static int decode_pixels(spng_ctx *ctx, const uint8_t *bytes, size_t size, struct spng_ihdr *ihdr,
                         bool *alpha, uint8_t **pixels)
{
    int code = spng_set_image_limits(ctx, DF_IMAGE_PIXELS_MAX, DF_IMAGE_PIXELS_MAX);
    if (!code)
        code = spng_set_chunk_limits(ctx, CHUNK_MAX, CHUNK_CACHE_MAX);
    if (!code)
        code = spng_set_crc_action(ctx, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
    if (!code)
        code = spng_set_png_buffer(ctx, bytes, size);
    if (!code)
        code = spng_get_ihdr(ctx, ihdr);
    if (!code && df_image_check_size(ihdr->width, ihdr->height, NULL) != DF_OK)
        code = SPNG_EUSER_WIDTH;
    if (code)
        return code;
    *alpha = has_alpha(ctx, ihdr);
    size_t n = (size_t)ihdr->width * ihdr->height * (*alpha ? 4 : 3);
    *pixels = malloc(n);
    if (!*pixels)
        return NO_MEMORY;
    code = spng_decode_image(ctx, *pixels, n, *alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8,
                             SPNG_DECODE_TRNS);
    if (code)
        return code;
    /* fails for a file that is cut after the pixels */
    int tail = spng_decode_chunks(ctx);
    return tail == SPNG_IO_EOF || tail == SPNG_IO_ERROR ? tail : 0;
}

df_status df_png_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    struct spng_ihdr ihdr = {0};
    bool alpha = false;
    uint8_t *pixels = NULL;
    spng_ctx *ctx = spng_ctx_new(0);
    int code = ctx ? decode_pixels(ctx, bytes, size, &ihdr, &alpha, &pixels) : NO_MEMORY;
    spng_ctx_free(ctx);
    if (code) {
        free(pixels);
        if (code == SPNG_IO_EOF || code == SPNG_IO_ERROR)
            return df_fail(err, DF_FORMAT, "png: data is cut");
        if (code == NO_MEMORY)
            return df_no_memory(err, "png of %u x %u pixels", ihdr.width, ihdr.height);
        return df_fail(err, DF_FORMAT, "png: %s", spng_strerror(code));
    }
    int width = (int)ihdr.width, height = (int)ihdr.height;
    if (alpha)
        return df_image_from_rgba(pixels, width, height, out, err);
    *out = (df_image){width, height, width, height, pixels};
    return DF_OK;
}
