/* Size of a HEIF or AVIF image from its boxes, ISO/IEC 23008-12:
 *
 *     meta > pitm                     which item is the image
 *          > iprp > ipco > ispe, clap, irot ...    the properties, counted from 1
 *                 > ipma                which properties an item has, in order of use
 */
#include <string.h>
#include "image/codec.h"

typedef struct {
    const uint8_t *p;
    size_t n;
} span;

/* Takes the next box off *in. False at the end, or when its size does not fit. */
static bool next_box(span *in, char type[4], span *body)
{
    if (in->n < 8)
        return false;
    uint64_t size = df_be32(in->p);
    size_t head = 8;
    memcpy(type, in->p + 4, 4);
    if (size == 1) {
        if (in->n < 16)
            return false;
        size = (uint64_t)df_be32(in->p + 8) << 32 | df_be32(in->p + 12);
        head = 16;
    } else if (size == 0) {
        size = in->n;
    }
    if (size < head || size > in->n)
        return false;
    *body = (span){in->p + head, (size_t)size - head};
    in->p += size;
    in->n -= (size_t)size;
    return true;
}

static bool find_box(span in, const char *wanted, span *body)
{
    char type[4];
    while (next_box(&in, type, body))
        if (memcmp(type, wanted, 4) == 0)
            return true;
    return false;
}

static bool primary_item(span meta, uint32_t *id)
{
    span pitm;
    if (!find_box(meta, "pitm", &pitm) || pitm.n < 6)
        return false;
    if (pitm.p[0] > 0 && pitm.n < 8)
        return false;
    *id = pitm.p[0] == 0 ? df_be16(pitm.p + 4) : df_be32(pitm.p + 4);
    return true;
}

/* Applies a property of the image to its size: the size itself, a crop, a rotation. */
static void apply_property(span ipco, uint32_t index, uint32_t *width, uint32_t *height)
{
    char type[4] = {0};
    span body = {0};
    for (uint32_t i = 0; i < index; i++)
        if (!next_box(&ipco, type, &body))
            return;
    if (memcmp(type, "ispe", 4) == 0 && body.n >= 12) {
        *width = df_be32(body.p + 4);
        *height = df_be32(body.p + 8);
    } else if (memcmp(type, "clap", 4) == 0 && body.n >= 16 && df_be32(body.p + 4) &&
               df_be32(body.p + 12)) {
        /* clean aperture, a crop */
        *width = df_be32(body.p) / df_be32(body.p + 4);
        *height = df_be32(body.p + 8) / df_be32(body.p + 12);
    } else if (memcmp(type, "irot", 4) == 0 && body.n >= 1 && (body.p[0] & 1)) {
        uint32_t swap = *width;
        *width = *height;
        *height = swap;
    }
}

/* Walks through the associations of all items and applies those of the wanted one. */
static bool apply_item(span ipma, span ipco, uint32_t wanted, uint32_t *width, uint32_t *height)
{
    if (ipma.n < 8)
        return false;
    size_t id_size = ipma.p[0] < 1 ? 2 : 4;
    size_t index_size = ipma.p[3] & 1 ? 2 : 1;
    uint32_t n_items = df_be32(ipma.p + 4);
    size_t at = 8;
    for (uint32_t i = 0; i < n_items; i++) {
        if (ipma.n - at < id_size + 1)
            return false;
        uint32_t id = id_size == 2 ? df_be16(ipma.p + at) : df_be32(ipma.p + at);
        size_t n_properties = ipma.p[at + id_size];
        at += id_size + 1;
        if (ipma.n - at < n_properties * index_size)
            return false;
        for (size_t k = 0; k < n_properties && id == wanted; k++) {
            const uint8_t *index = ipma.p + at + k * index_size;
            apply_property(ipco, index_size == 2 ? df_be16(index) & 0x7FFF : index[0] & 0x7F, width,
                           height);
        }
        if (id == wanted)
            return true;
        at += n_properties * index_size;
    }
    return false;
}

bool df_heif_size_read(const uint8_t *bytes, size_t size, uint32_t *width, uint32_t *height)
{
    span meta, iprp, ipco, ipma;
    uint32_t id;
    if (!find_box((span){bytes, size}, "meta", &meta) || meta.n < 4)
        return false;
    meta = (span){meta.p + 4, meta.n - 4}; /* version and flags */
    if (!primary_item(meta, &id) || !find_box(meta, "iprp", &iprp) ||
        !find_box(iprp, "ipco", &ipco) || !find_box(iprp, "ipma", &ipma))
        return false;
    *width = *height = 0;
    return apply_item(ipma, ipco, id, width, height);
}
