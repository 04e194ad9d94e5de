/* A JPEG to send to others: the file's own picture without its metadata, or a new encoding within a
 * budget. */
#include <stdlib.h>
#include <string.h>
#include "image/codec.h"

enum { SCANS_MAX = 500, QUALITY_MIN = 50, QUALITY_STEP = 15, SIDE_MIN = 28 };
enum {
    APP0 = 0xE0,
    APP14 = 0xEE,
    APP15 = 0xEF,
    COM = 0xFE,
    SOI = 0xD8,
    EOI = 0xD9,
    SOS = 0xDA,
    TEM = 0x01
};

/* The copy so far, which is never longer than what was read. */
typedef struct {
    uint8_t *to;
    size_t n;
    int n_scans, n_frames;
} copy;

static void copy_bytes(copy *c, const uint8_t *from, size_t n)
{
    memcpy(c->to + c->n, from, n);
    c->n += n;
}

/* Whether a segment is metadata. The JFIF and Adobe segments say what the colours mean; the other
 * APPn segments and comments are not needed to decode the picture. */
static bool is_metadata(uint8_t marker, const uint8_t *body, size_t n)
{
    if (marker == APP0)
        return n < 5 || memcmp(body, "JFIF", 5) != 0;
    if (marker == APP14)
        return n < 12 || memcmp(body, "Adobe", 5) != 0;
    return (marker > APP0 && marker <= APP15) || marker == COM;
}

/* Whether a frame is baseline, extended or progressive Huffman, 8 bits, with one or three
 * components. */
static bool is_plain_frame(uint8_t marker, const uint8_t *body, size_t n)
{
    return marker >= 0xC0 && marker <= 0xC2 && n >= 6 && body[0] == 8 &&
           (body[5] == 1 || body[5] == 3);
}

static bool is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Size of the coded data at p: it ends at the next marker that is not a restart. */
static size_t coded_size(const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        const uint8_t *ff = memchr(p + at, 0xFF, n - at);
        if (!ff || (size_t)(ff - p) + 1 >= n)
            return n;
        at = (size_t)(ff - p);
        const uint8_t next = p[at + 1];
        if (next != 0 && next != 0xFF && (next < 0xD0 || next > 0xD7))
            return at;
        at += next == 0xFF ? 1 : 2;
    }
    return n;
}

/* Copies one marker segment at p, with the coded data after a start of scan. Returns its size; 0:
 * it is damaged or of an unsupported kind. */
static size_t copy_segment(copy *c, const uint8_t *p, size_t n)
{
    if (n < 4 || p[0] != 0xFF || p[1] < 0xC0 || (p[1] >= 0xD0 && p[1] <= EOI))
        return 0;
    const uint8_t marker = p[1];
    const size_t length = df_be16(p + 2);
    if (length < 2 || length > n - 2)
        return 0;
    if (is_frame(marker) && (!is_plain_frame(marker, p + 4, length - 2) || c->n_frames++ > 0))
        return 0;
    if (marker == SOS && (c->n_frames == 0 || c->n_scans++ >= SCANS_MAX))
        return 0;
    if (!is_metadata(marker, p + 4, length - 2))
        copy_bytes(c, p, 2 + length);
    if (marker != SOS)
        return 2 + length;
    const size_t coded = coded_size(p + 2 + length, n - 2 - length);
    copy_bytes(c, p + 2 + length, coded);
    return 2 + length + coded;
}

/* Copies segment by segment; true if the end marker was reached. */
static bool copy_picture(copy *c, const uint8_t *bytes, size_t size)
{
    copy_bytes(c, bytes, 2);
    for (size_t at = 2; at + 2 <= size;) {
        if (bytes[at] == 0xFF && bytes[at + 1] == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (bytes[at] == 0xFF && bytes[at + 1] == EOI) {
            copy_bytes(c, bytes + at, 2);
            return c->n_scans > 0;
        }
        const size_t taken = copy_segment(c, bytes + at, size - at);
        if (taken == 0)
            return false;
        at += taken;
    }
    return false;
}

bool df_image_copy_jpeg(const uint8_t *bytes, size_t size, const df_jpeg_budget *budget,
                        uint8_t **jpeg, size_t *jpeg_size)
{
    df_image_info info;
    if (df_image_probe(bytes, size, &info, NULL) != DF_OK || info.format != DF_FORMAT_JPEG ||
        info.orientation != 1)
        return false;
    if (info.width > budget->side || info.height > budget->side)
        return false;
    copy c = {.to = malloc(size)};
    if (!c.to || !copy_picture(&c, bytes, size) || c.n > budget->bytes) {
        free(c.to);
        return false;
    }
    *jpeg = c.to;
    *jpeg_size = c.n;
    return true;
}

/* Encodes the image, shrunk to a longest side of `side`. */
static df_status encode_shrunk(const df_image *in, int side, int quality, uint8_t **jpeg,
                               size_t *size, df_error *err)
{
    const int longer = in->width > in->height ? in->width : in->height;
    if (longer <= side)
        return df_image_encode_jpeg(in, quality, jpeg, size, err);
    df_image small = {0};
    const int w = (int)((int64_t)in->width * side / longer),
              h = (int)((int64_t)in->height * side / longer);
    DF_TRY(df_image_resize(in, w > 0 ? w : 1, h > 0 ? h : 1, &small, err));
    df_status status = df_image_encode_jpeg(&small, quality, jpeg, size, err);
    df_image_free(&small);
    return status;
}

df_status df_image_encode_within(const df_image *in, const df_jpeg_budget *budget, uint8_t **jpeg,
                                 size_t *size, df_error *err)
{
    const int longer = in->width > in->height ? in->width : in->height;
    int side = budget->side < longer ? budget->side : longer, quality = budget->quality;
    for (;;) {
        DF_TRY(encode_shrunk(in, side, quality, jpeg, size, err));
        if (*size <= budget->bytes || (side <= SIDE_MIN && quality <= QUALITY_MIN))
            return DF_OK;
        free(*jpeg);
        *jpeg = NULL;
        if (quality > QUALITY_MIN)
            quality = quality - QUALITY_STEP > QUALITY_MIN ? quality - QUALITY_STEP : QUALITY_MIN;
        else
            side = side * 3 / 4 > SIDE_MIN ? side * 3 / 4 : SIDE_MIN;
    }
}
