/* Foreign images to pixels. Headers that ask for much are passed over: their cost is known, and
 * hides the rest. */
#include <stdint.h>
#include <stdlib.h>
#include "image/image.h"

enum { PIXELS_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
/* Every pixel must be there, and have been written. */
static void expect_whole(df_status status, df_image *image, const df_error *err)
{
    if ((status == DF_OK) != (image->rgb != NULL) || (status != DF_OK && !err->message[0]))
        abort();
    unsigned sum = 0;
    for (size_t i = 0; status == DF_OK && i < (size_t)image->width * (size_t)image->height * 3; i++)
        sum += image->rgb[i];
    volatile unsigned used = sum;
    (void)used;
    df_image_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_image_info info;
    df_image image = {0};
    df_error err = {""};
    const bool known = df_image_probe(bytes, size, &info, NULL) == DF_OK;
    if (known && (int64_t)info.width * info.height > PIXELS_MAX)
        return 0;
    df_status status = df_image_decode(bytes, size, size % 2 ? 64 : 0, &image, &err);
    expect_whole(status, &image, &err);
    const int reduction = known ? df_image_reduction(&info, 1) : 1;
    image = (df_image){0};
    err = (df_error){""};
    if (reduction > 1) {
        status = df_image_decode_reduced(bytes, size, reduction, &image, &err);
        expect_whole(status, &image, &err);
    }
    return 0;
}
