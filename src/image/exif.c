/* Reads the first directory of a TIFF file, which is also what an EXIF block holds (TIFF 6.0,
 * section 2). */
#include "image/codec.h"

enum {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_STRIP_OFFSETS = 273,
    TAG_ORIENTATION = 274,
    TAG_STRIP_SIZES = 279,
    TAG_TILE_OFFSETS = 324,
    TAG_TILE_SIZES = 325,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    ENTRY_SIZE = 12
};

typedef struct {
    const uint8_t *bytes;
    size_t size;
    bool big;
} tiff_view;

static uint32_t read16(const tiff_view *t, size_t at)
{
    return t->big ? df_be16(t->bytes + at) : df_le16(t->bytes + at);
}

static uint32_t read32(const tiff_view *t, size_t at)
{
    return t->big ? df_be32(t->bytes + at) : df_le32(t->bytes + at);
}

static uint32_t entry_value(const tiff_view *t, size_t at)
{
    uint32_t type = read16(t, at + 2);
    if (read32(t, at + 4) != 1)
        return 0;
    return type == TYPE_SHORT ? read16(t, at + 8) : type == TYPE_LONG ? read32(t, at + 8) : 0;
}

bool df_tiff_tags_read(const uint8_t *bytes, size_t size, df_tiff_tags *out)
{
    if (size < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M'))
        return false;
    tiff_view t = {bytes, size, bytes[0] == 'M'};
    size_t at = read32(&t, 4);
    if (read16(&t, 2) != 42 || at > size || size - at < 2)
        return false;
    size_t n_entries = read16(&t, at);
    at += 2;

    df_tiff_tags tags = {0, 0, 1};
    for (size_t i = 0; i < n_entries; i++, at += ENTRY_SIZE) {
        if (size - at < ENTRY_SIZE)
            return false;
        uint32_t value = entry_value(&t, at);
        switch (read16(&t, at)) {
        case TAG_WIDTH:
            tags.width = value;
            break;
        case TAG_HEIGHT:
            tags.height = value;
            break;
        case TAG_ORIENTATION:
            if (value >= 1 && value <= 8)
                tags.orientation = (int)value;
            break;
        default:
            break;
        }
    }
    *out = tags;
    return true;
}

/* Offset of a tag's entry in the first directory; 0 when there is none or the directory is cut. */
static size_t find_entry(const tiff_view *t, uint32_t tag)
{
    size_t at = read32(t, 4);
    if (at > t->size || t->size - at < 2)
        return 0;
    size_t n_entries = read16(t, at);
    at += 2;
    for (size_t i = 0; i < n_entries && t->size - at >= ENTRY_SIZE; i++, at += ENTRY_SIZE)
        if (read16(t, at) == tag)
            return at;
    return 0;
}

/* Value i of an entry that holds a list of numbers; the size of the file when the list itself is
 * cut. */
static uint64_t list_value(const tiff_view *t, size_t entry, uint32_t i)
{
    size_t width = read16(t, entry + 2) == TYPE_SHORT ? 2 : 4;
    uint64_t n = read32(t, entry + 4), at = n * width <= 4 ? entry + 8 : read32(t, entry + 8);
    at += (uint64_t)i * width;
    if (i >= n || at + width > t->size)
        return t->size;
    return width == 2 ? read16(t, (size_t)at) : read32(t, (size_t)at);
}

bool df_tiff_is_cut(const uint8_t *bytes, size_t size)
{
    df_tiff_tags tags;
    if (size < 8)
        return true;
    tiff_view t = {bytes, size, bytes[0] == 'M'};
    size_t offsets = find_entry(&t, TAG_STRIP_OFFSETS), sizes = find_entry(&t, TAG_STRIP_SIZES);
    if (!offsets) {
        offsets = find_entry(&t, TAG_TILE_OFFSETS);
        sizes = find_entry(&t, TAG_TILE_SIZES);
    }
    if (!offsets || !sizes)
        return !df_tiff_tags_read(bytes, size, &tags);
    uint32_t n = read32(&t, offsets + 4);
    for (uint32_t i = 0; i < n; i++)
        if (list_value(&t, offsets, i) + list_value(&t, sizes, i) > size)
            return true;
    return false;
}
