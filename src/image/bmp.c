/* Windows bitmaps as they occur among photos: 24 and 32 bits a pixel, uncompressed, either row
 * order. */
#include <limits.h>
#include "image/codec.h"

enum { BI_RGB = 0, BI_BITFIELDS = 3 };

/* Whether the pixels are plain 24 or 32 bits. Bit fields are accepted only if they describe what
 * 32-bit pixels are anyway: blue, green, red, unused. */
static bool is_plain(const uint8_t *p, size_t size, uint32_t compression, uint32_t bits)
{
    if (compression == BI_RGB)
        return bits == 24 || bits == 32;
    return compression == BI_BITFIELDS && bits == 32 && size >= 66 && df_le32(p + 54) == 0xFF0000 &&
           df_le32(p + 58) == 0xFF00 && df_le32(p + 62) == 0xFF;
}

df_status df_bmp_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    if (size < 54 || df_le32(bytes + 14) < 40)
        return df_fail(err, DF_FORMAT, "bmp: header kind not supported");
    uint32_t bits = df_le16(bytes + 28), height_field = df_le32(bytes + 22);
    if (!is_plain(bytes, size, df_le32(bytes + 30), bits))
        return df_fail(err, DF_FORMAT,
                       "bmp: only 24 and 32 bits without compression are supported");
    bool top_first = height_field > INT_MAX;
    int64_t width = df_le32(bytes + 18), height = top_first ? 0 - height_field : height_field;
    DF_TRY(df_image_check_size(width, height, err));

    size_t pixel = bits / 8, start = df_le32(bytes + 10);
    size_t row_size = ((size_t)width * pixel + 3) / 4 * 4;
    if (start < 54 || start > size || (size - start) / row_size < (size_t)height)
        return df_fail(err, DF_FORMAT, "bmp: data is cut");
    df_image image = {0};
    DF_TRY(df_image_alloc(width, height, &image, err));
    uint8_t *to = image.rgb;
    for (int64_t y = 0; y < height; y++) {
        const uint8_t *from = bytes + start + (size_t)(top_first ? y : height - 1 - y) * row_size;
        for (int64_t x = 0; x < width; x++, from += pixel, to += 3) {
            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
        }
    }
    *out = image;
    return DF_OK;
}
