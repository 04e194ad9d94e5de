/* Pixels: 8-bit RGB, rows packed, upright (EXIF orientation applied), alpha laid on white. */
#ifndef DF_IMAGE_IMAGE_H
#define DF_IMAGE_IMAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef struct {
    /* of the pixels here, which may be smaller than the file's */
    int width, height;
    int full_width, full_height;             /* of the upright image in the file */
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

/* From the header alone, no pixel decoded. DF_FORMAT when bytes are no image we know or the header
 * is cut. */
df_status df_image_probe(const uint8_t *bytes, size_t size, df_image_info *out, df_error *err);
/* From the first bytes, 32 are enough: DF_FORMAT_UNKNOWN when they are no image we know. */
df_image_format df_image_sniff(const uint8_t *bytes, size_t size);
/* True when the file ends before its own structure says that it should: why a decode failed, for
 * the reader. */
bool df_image_is_cut(const uint8_t *bytes, size_t size);
const char *df_image_format_name(df_image_format format);            /* "jpeg" */

/* Decodes so that the long side is at most max_side (0: full size); JPEG by DCT scaling first.
 * Truncated data fails. Refuses above 268,435,456 pixels in the header before any allocation. */
df_status df_image_decode(const uint8_t *bytes, size_t size, int max_side, df_image *out,
                          df_error *err);
/* By how much (1, 2, 4, 8) a JPEG's sides can be divided while it is decoded, so that the shorter
 * has at least `edge` pixels left; 1 for other formats. Such a decode costs a fraction and nothing
 * is resampled. */
int df_image_reduction(const df_image_info *info, int edge);
/* reduction: of df_image_reduction. Above 1 only for JPEG, else DF_FORMAT. */
df_status df_image_decode_reduced(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                                  df_error *err);
/* Antialiased separable resize (triangle filter widened when shrinking). out is allocated. */
df_status df_image_resize(const df_image *in, int width, int height, df_image *out, df_error *err);
/* A part of an image, in its pixels, and the size that it becomes. What lies around the part counts
 * at its borders: the result is that of resizing the whole and cutting afterwards. bicubic: a =
 * -0.5, else the triangle; both as Pillow's. */
typedef struct {
    double x0, y0, width, height;
    int to_width, to_height;
    bool bicubic;
} df_image_cut;
df_status df_image_cut_out(const df_image *in, const df_image_cut *cut, df_image *out,
                           df_error *err);
/* Copies a box, clamped to the image. */
df_status df_image_crop(const df_image *in, int x0, int y0, int x1, int y1, df_image *out,
                        df_error *err);
df_status df_image_encode_jpeg(const df_image *in, int quality, uint8_t **bytes, size_t *size,
                               df_error *err); /* caller frees */
/* What may be sent of an image: longest side in pixels, JPEG quality, size. */
typedef struct {
    int side, quality;
    size_t bytes;
} df_jpeg_budget;
/* Copies a JPEG that needs no decoding: upright, grey or three colours of 8 bits, whole,
 * within the budget. Leaves out what is no picture: EXIF with its GPS, XMP, comments, colour
 * profiles (our decoder ignores them too), trailers. False: it must be decoded. *jpeg is
 * malloc'ed, caller frees. */
bool df_image_copy_jpeg(const uint8_t *bytes, size_t size, const df_jpeg_budget *budget,
                        uint8_t **jpeg, size_t *jpeg_size);
/* Encodes within the budget: shrunk to its side, then with less quality, then smaller, until the
 * bytes fit. Caller frees. */
df_status df_image_encode_within(const df_image *in, const df_jpeg_budget *budget, uint8_t **jpeg,
                                 size_t *size, df_error *err);
/* 64-bit difference hash of the 9x8 grey thumbnail. DF_NOMEM. */
df_status df_image_dhash(const df_image *in, uint64_t *out, df_error *err);
void df_image_free(df_image *image);
#endif
