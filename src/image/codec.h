/* What the image files share among themselves: header readers, one decoder per format. */
#ifndef DF_IMAGE_CODEC_H
#define DF_IMAGE_CODEC_H
#include "image/image.h"

#define DF_IMAGE_PIXELS_MAX 268435456
#define DF_IMAGE_SIDE_MAX                                                                          \
    100000 /* one row of 268 million pixels would need gigabytes to resize                         \
            */

/* A borrowed run of bytes; big- and little-endian readers assume that the caller checked the
 * bounds. */
static inline uint32_t df_be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}
static inline uint32_t df_be32(const uint8_t *p)
{
    return df_be16(p) << 16 | df_be16(p + 2);
}
static inline uint32_t df_le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}
static inline uint32_t df_le24(const uint8_t *p)
{
    return df_le16(p) | (uint32_t)p[2] << 16;
}
static inline uint32_t df_le32(const uint8_t *p)
{
    return df_le16(p) | df_le16(p + 2) << 16;
}

/* Size and orientation tags of a TIFF header, also the body of an EXIF block. Absent: 0,
 * orientation 1. */
typedef struct {
    uint32_t width, height;
    int orientation;
} df_tiff_tags;
bool df_tiff_tags_read(const uint8_t *bytes, size_t size, df_tiff_tags *out);
/* strips or tiles reach beyond the end */
bool df_tiff_is_cut(const uint8_t *bytes, size_t size);
/* Upright size of the primary item of a HEIF or AVIF file. */
bool df_heif_size_read(const uint8_t *bytes, size_t size, uint32_t *width, uint32_t *height);

/* Fails on a side below 1 or above DF_IMAGE_SIDE_MAX, and on more than DF_IMAGE_PIXELS_MAX pixels.
 * Sets the full size to the same. */
df_status df_image_check_size(int64_t width, int64_t height, df_error *err);
df_status df_image_alloc(int64_t width, int64_t height, df_image *out, df_error *err);
/* Takes rgba (malloc'ed, freed on failure), lays it on white in place. */
df_status df_image_from_rgba(uint8_t *rgba, int width, int height, df_image *out, df_error *err);

/* Pixels as stored (no orientation applied, but for HEIF). A JPEG's sides by 1, 2, 4 or 8, rounded
 * up; full_* are the file's. Whatever a library says of the picture, "out of memory" included, is
 * DF_FORMAT: a file can claim anything. DF_NOMEM: a malloc of our own failed, for a size within the
 * limits. */
df_status df_jpeg_decode(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                         df_error *err);
df_status df_png_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_webp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_gif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_bmp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_tiff_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_heif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
#endif
