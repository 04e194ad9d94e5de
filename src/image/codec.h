/* What the image files share: header readers, and one decoder for each format. */
#ifndef DF_IMAGE_CODEC_H
#define DF_IMAGE_CODEC_H
#include "image/image.h"

#define DF_IMAGE_PIXELS_MAX 268435456
#define DF_IMAGE_SIDE_MAX                                                                          \
    100000 /* one row of 268 million pixels would need gigabytes to resize                         \
            */

/* Big- and little-endian readers. The caller has checked the bounds. */
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

/* Size and orientation tags of a TIFF header, which is also the body of an EXIF block. A tag that
 * is absent is 0, the orientation 1. */
typedef struct {
    uint32_t width, height;
    int orientation;
} df_tiff_tags;
/* False when the bytes are no TIFF header or it is cut; *out is then unchanged. */
bool df_tiff_tags_read(const uint8_t *bytes, size_t size, df_tiff_tags *out);
/* Whether strips or tiles reach beyond the end of the file. */
bool df_tiff_is_cut(const uint8_t *bytes, size_t size);
/* Upright size of the primary item of a HEIF or AVIF file. False: not found. */
bool df_heif_size_read(const uint8_t *bytes, size_t size, uint32_t *width, uint32_t *height);

/* Fails on a side below 1 or above DF_IMAGE_SIDE_MAX, and on more than DF_IMAGE_PIXELS_MAX
 * pixels. */
df_status df_image_check_size(int64_t width, int64_t height, df_error *err);
/* Pixels are not initialised; the full size is the same. df_image_free frees them. */
df_status df_image_alloc(int64_t width, int64_t height, df_image *out, df_error *err);
/* Blends rgba with white, in place. Takes over rgba, which is from malloc; on failure it is
 * freed. */
df_status df_image_from_rgba(uint8_t *rgba, int width, int height, df_image *out, df_error *err);

/* Decoders. They give pixels as stored, without the EXIF orientation (libheif applies its own). A
 * JPEG's sides are divided by 1, 2, 4 or 8, rounded up; full_width and full_height are the file's.
 * Whatever a library reports, "out of memory" included, is DF_FORMAT, since a file can claim any
 * size. DF_NOMEM means that a malloc of ours failed, for a size within the limits. */
df_status df_jpeg_decode(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                         df_error *err);
df_status df_png_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_webp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_gif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_bmp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_tiff_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
df_status df_heif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err);
#endif
