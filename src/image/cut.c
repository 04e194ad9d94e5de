/* Tells whether a file ends before its own structure says that it should. This is asked only after
 * a decode failed, to tell an incomplete download from bytes that never were an image. No pixel is
 * decoded. */
#include <string.h>
#include "image/codec.h"

/* Whether the end marker is missing. Anything may follow it, so the whole file is searched, from
 * its end. */
static bool lacks_marker(const uint8_t *p, size_t n, const char *marker, size_t length)
{
    for (size_t at = n; at >= length; at--)
        if (memcmp(p + at - length, marker, length) == 0)
            return false;
    return true;
}

static bool webp_is_cut(const uint8_t *p, size_t n)
{
    return n < 12 || df_le32(p + 4) > n - 8;
}

static bool bmp_is_cut(const uint8_t *p, size_t n)
{
    return n < 54 || df_le32(p + 2) > n;
}

/* Whether the top-level boxes do not end where the file ends. */
static bool heif_is_cut(const uint8_t *p, size_t n)
{
    size_t at = 0;
    while (n - at >= 16) {
        uint64_t size = df_be32(p + at);
        if (size == 1)
            size = (uint64_t)df_be32(p + at + 8) << 32 | df_be32(p + at + 12);
        if (size == 0)
            return false;
        if (size < 8 || size > n - at)
            return true;
        at += (size_t)size;
    }
    return at < n;
}

bool df_image_is_cut(const uint8_t *bytes, size_t size)
{
    switch (df_image_sniff(bytes, size)) {
    case DF_FORMAT_JPEG:
        return lacks_marker(bytes, size, "\xFF\xD9", 2);
    case DF_FORMAT_PNG:
        return lacks_marker(bytes, size, "IEND\xAE\x42\x60\x82", 8);
    case DF_FORMAT_GIF:
        return size < 14 || bytes[size - 1] != 0x3B;
    case DF_FORMAT_WEBP:
        return webp_is_cut(bytes, size);
    case DF_FORMAT_BMP:
        return bmp_is_cut(bytes, size);
    case DF_FORMAT_AVIF:
    case DF_FORMAT_HEIC:
        return heif_is_cut(bytes, size);
    case DF_FORMAT_TIFF:
        return df_tiff_is_cut(bytes, size);
    case DF_FORMAT_UNKNOWN:
        break;
    }
    return false;
}
