/* Decodes the first image of a TIFF by libtiff, from memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include "image/codec.h"

enum { ALLOCATION_MAX = 1 << 30 };

typedef struct {
    const uint8_t *bytes;
    uint64_t size, at;
    char message[256];
} source;

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t n)
{
    source *s = handle;
    if (n <= 0 || s->at >= s->size)
        return 0;
    uint64_t take = s->size - s->at < (uint64_t)n ? s->size - s->at : (uint64_t)n;
    memcpy(to, s->bytes + s->at, (size_t)take);
    s->at += take;
    return (tmsize_t)take;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t n)
{
    (void)handle, (void)from, (void)n;
    return 0;
}

static toff_t seek_bytes(thandle_t handle, toff_t offset, int whence)
{
    source *s = handle;
    s->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? s->at + offset : s->size + offset;
    return s->at;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t source_size(thandle_t handle)
{
    return ((source *)handle)->size;
}

/* Keeps the first message, which names the cause; later ones name its effects. */
__attribute__((format(printf, 4, 0))) static int keep_message(TIFF *tiff, void *user,
                                                              const char *module, const char *fmt,
                                                              va_list args)
{
    (void)tiff, (void)module;
    source *s = user;
    if (!s->message[0])
        vsnprintf(s->message, sizeof s->message, fmt, args);
    return 1;
}

static int drop_message(TIFF *tiff, void *user, const char *module, const char *fmt, va_list args)
{
    (void)tiff, (void)user, (void)module, (void)fmt, (void)args;
    return 1;
}

static TIFF *open_source(source *s)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, ALLOCATION_MAX);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, s);
    TIFFOpenOptionsSetWarningHandlerExtR(options, drop_message, NULL);
    TIFF *tiff = TIFFClientOpenExt("image", "rm", s, read_bytes, write_nothing, seek_bytes,
                                   close_nothing, source_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* Reads packed 32-bit pixels in stored order, with premultiplied alpha, as libtiff gives them. */
static df_status read_pixels(TIFF *tiff, source *s, uint32_t **out, int *width, int *height,
                             df_error *err)
{
    TIFFRGBAImage reader;
    char reason[1024] = "";
    if (!TIFFRGBAImageBegin(&reader, tiff, 1, reason))
        return df_fail(err, DF_FORMAT, "tiff: %s", reason[0] ? reason : s->message);
    df_status status = df_image_check_size(reader.width, reader.height, err);
    uint32_t *raster = NULL;
    if (status == DF_OK) {
        raster = calloc((size_t)reader.width * reader.height, sizeof *raster);
        if (!raster)
            status = df_no_memory(err, "tiff of %u x %u pixels", reader.width, reader.height);
    }
    /* in stored order: our own code turns it upright */
    reader.req_orientation = reader.orientation;
    if (status == DF_OK && !TIFFRGBAImageGet(&reader, raster, reader.width, reader.height))
        status = df_fail(err, DF_FORMAT, "tiff: %s",
                         s->message[0] ? s->message : "data is cut or damaged");
    *width = (int)reader.width;
    *height = (int)reader.height;
    TIFFRGBAImageEnd(&reader);
    if (status != DF_OK) {
        free(raster);
        return status;
    }
    *out = raster;
    return DF_OK;
}

df_status df_tiff_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    source s = {.bytes = bytes, .size = size};
    uint32_t *raster = NULL;
    int width = 0, height = 0;
    TIFF *tiff = open_source(&s);
    if (!tiff)
        return df_fail(err, DF_FORMAT, "tiff: %s", s.message[0] ? s.message : "cannot open");
    df_status status = read_pixels(tiff, &s, &raster, &width, &height, err);
    TIFFClose(tiff);
    df_image image = {0};
    if (status == DF_OK)
        status = df_image_alloc(width, height, &image, err);
    for (size_t i = 0; status == DF_OK && i < (size_t)width * (size_t)height; i++) {
        unsigned white = 255 - TIFFGetA(raster[i]);
        unsigned r = TIFFGetR(raster[i]) + white, g = TIFFGetG(raster[i]) + white,
                 b = TIFFGetB(raster[i]) + white;
        image.rgb[3 * i] = (uint8_t)(r > 255 ? 255 : r);
        image.rgb[3 * i + 1] = (uint8_t)(g > 255 ? 255 : g);
        image.rgb[3 * i + 2] = (uint8_t)(b > 255 ? 255 : b);
    }
    free(raster);
    if (status == DF_OK)
        *out = image;
    return status;
}
