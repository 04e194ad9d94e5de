/* Reads format, size and orientation from the header alone. Every read follows a bounds check,
 * since the bytes come from the web. */
#include <limits.h>
#include <string.h>
#include "image/codec.h"

typedef struct {
    uint32_t width, height;
    int orientation;
} header;

static bool starts(const uint8_t *p, size_t n, size_t at, const char *magic, size_t length)
{
    return n >= at + length && memcmp(p + at, magic, length) == 0;
}

/* Whether a marker is a start of frame: C0..CF except C4 (Huffman tables), C8 (reserved) and CC
 * (arithmetic conditioning). */
static bool is_sof(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Reads size and orientation from the markers of a JPEG. */
static bool probe_jpeg(const uint8_t *p, size_t n, header *out)
{
    size_t at = 2;
    while (at + 2 <= n) {
        /* fill bytes and stray bytes */
        if (p[at] != 0xFF || p[at + 1] == 0xFF || p[at + 1] == 0) {
            at++;
            continue;
        }
        uint8_t marker = p[at + 1];
        at += 2;
        /* markers without a length */
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8))
            continue;
        if (marker == 0xD9 || marker == 0xDA || n - at < 2)
            return false;
        size_t length = df_be16(p + at);
        if (length < 2 || n - at < length)
            return false;
        const uint8_t *body = p + at + 2;
        if (is_sof(marker)) {
            if (length < 8)
                return false;
            out->height = df_be16(body + 1);
            out->width = df_be16(body + 3);
            return true;
        }
        df_tiff_tags tags;
        if (marker == 0xE1 && length > 8 && memcmp(body, "Exif\0", 6) == 0 &&
            df_tiff_tags_read(body + 6, length - 8, &tags))
            out->orientation = tags.orientation;
        at += length;
    }
    return false;
}

static bool probe_png(const uint8_t *p, size_t n, header *out)
{
    if (n < 29 || df_be32(p + 8) != 13 || memcmp(p + 12, "IHDR", 4) != 0)
        return false;
    out->width = df_be32(p + 16);
    out->height = df_be32(p + 20);
    return true;
}

/* Reads the size from any of the three kinds of WebP. */
static bool probe_webp(const uint8_t *p, size_t n, header *out)
{
    if (n < 30)
        return false;
    if (memcmp(p + 12, "VP8X", 4) == 0) {
        out->width = df_le24(p + 24) + 1;
        out->height = df_le24(p + 27) + 1;
        return true;
    }
    if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2F) {
        uint32_t bits = df_le32(p + 21);
        out->width = (bits & 0x3FFF) + 1;
        out->height = (bits >> 14 & 0x3FFF) + 1;
        return true;
    }
    if (memcmp(p + 12, "VP8 ", 4) == 0 && memcmp(p + 23, "\x9D\x01\x2A", 3) == 0) {
        out->width = df_le16(p + 26) & 0x3FFF;
        out->height = df_le16(p + 28) & 0x3FFF;
        return true;
    }
    return false;
}

static bool probe_gif(const uint8_t *p, size_t n, header *out)
{
    if (n < 13)
        return false;
    out->width = df_le16(p + 6);
    out->height = df_le16(p + 8);
    return true;
}

static bool probe_bmp(const uint8_t *p, size_t n, header *out)
{
    if (n < 30)
        return false;
    if (df_le32(p + 14) == 12) {                                             /* OS/2 header */
        out->width = df_le16(p + 18);
        out->height = df_le16(p + 20);
        return true;
    }
    out->width = df_le32(p + 18);
    uint32_t height = df_le32(p + 22);
    /* a negative height means that the top row comes first */
    out->height = height > INT_MAX ? 0 - height : height;
    return df_le32(p + 14) >= 40;
}

static bool probe_tiff(const uint8_t *p, size_t n, header *out)
{
    df_tiff_tags tags;
    if (!df_tiff_tags_read(p, n, &tags))
        return false;
    *out = (header){tags.width, tags.height, tags.orientation};
    return true;
}

static bool probe_heif(const uint8_t *p, size_t n, header *out)
{
    return df_heif_size_read(p, n, &out->width, &out->height);
}

static bool is_brand(const uint8_t *brand, const char *const *list)
{
    for (; *list; list++)
        if (memcmp(brand, *list, 4) == 0)
            return true;
    return false;
}

/* AVIF if any brand of the ftyp box says so, since files of both codecs may have the neutral major
 * brand mif1. */
static df_image_format heif_format(const uint8_t *p, size_t n)
{
    static const char *const avif[] = {"avif", "avis", NULL};
    static const char *const heic[] = {"heic", "heix", "heim", "heis", "hevc",
                                       "hevx", "mif1", "msf1", NULL};
    df_image_format format = DF_FORMAT_UNKNOWN;
    size_t end = df_be32(p);
    if (end > n)
        end = n;
    for (size_t at = 8; at + 4 <= end; at += 4) {
        if (at == 12) /* the minor version is no brand */
            continue;
        if (is_brand(p + at, avif))
            return DF_FORMAT_AVIF;
        if (is_brand(p + at, heic))
            format = DF_FORMAT_HEIC;
    }
    return format;
}

df_image_format df_image_sniff(const uint8_t *p, size_t n)
{
    if (!p)
        return DF_FORMAT_UNKNOWN;
    if (starts(p, n, 0, "\xFF\xD8\xFF", 3))
        return DF_FORMAT_JPEG;
    if (starts(p, n, 0, "\x89PNG\r\n\x1A\n", 8))
        return DF_FORMAT_PNG;
    if (starts(p, n, 0, "RIFF", 4) && starts(p, n, 8, "WEBP", 4))
        return DF_FORMAT_WEBP;
    if (starts(p, n, 0, "GIF87a", 6) || starts(p, n, 0, "GIF89a", 6))
        return DF_FORMAT_GIF;
    if (starts(p, n, 0, "II*\0", 4) || starts(p, n, 0, "MM\0*", 4))
        return DF_FORMAT_TIFF;
    if (starts(p, n, 4, "ftyp", 4))
        return heif_format(p, n);
    if (starts(p, n, 0, "BM", 2) && n >= 18 && df_le32(p + 14) >= 12 && df_le32(p + 14) <= 124)
        return DF_FORMAT_BMP;
    return DF_FORMAT_UNKNOWN;
}

static bool (*const probes[])(const uint8_t *, size_t, header *) = {
    [DF_FORMAT_JPEG] = probe_jpeg, [DF_FORMAT_PNG] = probe_png,   [DF_FORMAT_WEBP] = probe_webp,
    [DF_FORMAT_GIF] = probe_gif,   [DF_FORMAT_BMP] = probe_bmp,   [DF_FORMAT_TIFF] = probe_tiff,
    [DF_FORMAT_AVIF] = probe_heif, [DF_FORMAT_HEIC] = probe_heif,
};

df_status df_image_probe(const uint8_t *bytes, size_t size, df_image_info *out, df_error *err)
{
    df_image_format format = df_image_sniff(bytes, size);
    if (format == DF_FORMAT_UNKNOWN)
        return df_fail(err, DF_FORMAT, "not an image in a known format");
    header h = {0, 0, 1};
    if (!probes[format](bytes, size, &h))
        return df_fail(err, DF_FORMAT, "%s header is cut or damaged", df_image_format_name(format));
    if (h.width < 1 || h.height < 1 || h.width > INT_MAX || h.height > INT_MAX)
        return df_fail(err, DF_FORMAT, "%s header says %u x %u pixels",
                       df_image_format_name(format), h.width, h.height);
    bool sideways = h.orientation >= 5;
    *out = (df_image_info){
        .format = format,
        .orientation = h.orientation,
        .width = (int)(sideways ? h.height : h.width),
        .height = (int)(sideways ? h.width : h.height),
    };
    return DF_OK;
}

const char *df_image_format_name(df_image_format format)
{
    static const char *const names[] = {
        [DF_FORMAT_UNKNOWN] = "unknown", [DF_FORMAT_JPEG] = "jpeg", [DF_FORMAT_PNG] = "png",
        [DF_FORMAT_WEBP] = "webp",       [DF_FORMAT_GIF] = "gif",   [DF_FORMAT_BMP] = "bmp",
        [DF_FORMAT_TIFF] = "tiff",       [DF_FORMAT_AVIF] = "avif", [DF_FORMAT_HEIC] = "heic",
    };
    return (size_t)format < sizeof names / sizeof *names ? names[format] : "unknown";
}
