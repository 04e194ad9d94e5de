/* Images as pixels: 8-bit RGB, packed rows, upright (the EXIF orientation is applied), alpha
 * blended with white. */
#ifndef DF_IMAGE_IMAGE_H
#define DF_IMAGE_IMAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef struct {
    /* size of rgb, which may be smaller than the image in the file */
    int width, height;
    int full_width, full_height;             /* size of the upright image in the file */
    uint8_t *rgb;                            /* [height][width][3], owned */
} df_image;                                  /* all-zero is freeable */

typedef enum {
    DF_FORMAT_UNKNOWN,
    DF_FORMAT_JPEG,
    DF_FORMAT_PNG,
    DF_FORMAT_WEBP,
    DF_FORMAT_GIF,
    DF_FORMAT_BMP,
    DF_FORMAT_TIFF,
    DF_FORMAT_AVIF,
    DF_FORMAT_HEIC
} df_image_format;
typedef struct {
    df_image_format format;
    int width, height, orientation;
} df_image_info; /* upright size; EXIF 1..8 */

/* Reads the header; decodes no pixel. DF_FORMAT when bytes are no known image or the header is
 * cut. */
df_status df_image_probe(const uint8_t *bytes, size_t size, df_image_info *out, df_error *err);
/* Recognises the format by the first bytes, of which 32 are enough. DF_FORMAT_UNKNOWN when they are
 * no known image. */
df_image_format df_image_sniff(const uint8_t *bytes, size_t size);
/* Whether the file ends before its own structure says that it should. It explains to the user why a
 * decode failed. */
bool df_image_is_cut(const uint8_t *bytes, size_t size);
const char *df_image_format_name(df_image_format format); /* "jpeg" */

/* Decodes so that the long side is at most max_side (0: full size). A JPEG is first reduced by DCT
 * scaling. Truncated data fails. A header that claims more than 268,435,456 pixels is refused
 * before any allocation. On error *out is unchanged. */
df_status df_image_decode(const uint8_t *bytes, size_t size, int max_side, df_image *out,
                          df_error *err);
/* By how much (1, 2, 4, 8) a JPEG's sides can be divided while it is decoded so that the shorter
 * side has at least `edge` pixels left; 1 for other formats. Such a decode costs a fraction, and
 * nothing is resampled. */
int df_image_reduction(const df_image_info *info, int edge);
/* reduction: as returned by df_image_reduction. Above 1 only for JPEG, else DF_FORMAT. */
df_status df_image_decode_reduced(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                                  df_error *err);
/* Antialiased separable resize by a triangle filter, which widens when shrinking. out is
 * allocated. */
df_status df_image_resize(const df_image *in, int width, int height, df_image *out, df_error *err);
/* A rectangle of an image, in its pixels, and the size to which it is resized. Pixels around the
 * rectangle count at its borders: the result is the same as resizing the whole image and cropping
 * afterwards. bicubic: the cubic filter with a = -0.5, else the triangle; both as in Pillow. */
typedef struct {
    double x0, y0, width, height;
    int to_width, to_height;
    bool bicubic;
} df_image_cut;
df_status df_image_cut_out(const df_image *in, const df_image_cut *cut, df_image *out,
                           df_error *err);
/* Copies the box [x0, x1) x [y0, y1), clamped to the image. DF_FORMAT when no pixel is left. out is
 * allocated. */
df_status df_image_crop(const df_image *in, int x0, int y0, int x1, int y1, df_image *out,
                        df_error *err);
df_status df_image_encode_jpeg(const df_image *in, int quality, uint8_t **bytes, size_t *size,
                               df_error *err); /* the caller frees *bytes */
/* What may be sent of an image: longest side in pixels, JPEG quality, size in bytes. */
typedef struct {
    int side, quality;
    size_t bytes;
} df_jpeg_budget;
/* Copies a JPEG that needs no decoding: upright, grey or three colours of 8 bits, complete, within
 * the budget. Leaves out everything but the picture: EXIF with its GPS position, XMP, comments,
 * colour profiles (our decoder ignores them too), trailers. False: it must be decoded and encoded
 * instead. The caller frees *jpeg. */
bool df_image_copy_jpeg(const uint8_t *bytes, size_t size, const df_jpeg_budget *budget,
                        uint8_t **jpeg, size_t *jpeg_size);
/* Encodes within the budget: shrinks to its side, then lowers the quality, then the size, until the
 * bytes fit. At 28 pixels and quality 50 it gives up and returns what it has. The caller frees
 * *jpeg. */
df_status df_image_encode_within(const df_image *in, const df_jpeg_budget *budget, uint8_t **jpeg,
                                 size_t *size, df_error *err);
/* 64-bit difference hash (dHash) of the 9 x 8 grey thumbnail. Errors: DF_NOMEM. */
df_status df_image_dhash(const df_image *in, uint64_t *out, df_error *err);
void df_image_free(df_image *image);
#endif
