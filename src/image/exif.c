/* The first directory of a TIFF file, which is also what an EXIF block holds. TIFF 6.0, section 2. */
#include "image/codec.h"

enum { TAG_WIDTH = 256, TAG_HEIGHT = 257, TAG_ORIENTATION = 274, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_SIZE = 12 };

typedef struct { const uint8_t *bytes; size_t size; bool big; } tiff_view;

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
        case TAG_WIDTH: tags.width = value; break;
        case TAG_HEIGHT: tags.height = value; break;
        case TAG_ORIENTATION:
            if (value >= 1 && value <= 8)
                tags.orientation = (int)value;
            break;
        default: break;
        }
    }
    *out = tags;
    return true;
}
