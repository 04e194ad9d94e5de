/* The difference hash of an image (dHash), for near-duplicates. */
#include "image/codec.h"

/* Bit 8y+x is set when the picture gets brighter from column x to x+1. */
df_status df_image_dhash(const df_image *in, uint64_t *out, df_error *err)
{
    df_image small = {0};
    DF_TRY(df_image_resize(in, 9, 8, &small, err));
    uint64_t hash = 0;
    for (int y = 0; y < 8; y++) {
        int previous = 0;
        for (int x = 0; x < 9; x++) {
            const uint8_t *p = small.rgb + (size_t)(9 * y + x) * 3;
            int grey = 299 * p[0] + 587 * p[1] + 114 * p[2];
            if (x > 0 && grey > previous)
                hash |= 1ull << (8 * y + x - 1);
            previous = grey;
        }
    }
    df_image_free(&small);
    *out = hash;
    return DF_OK;
}
