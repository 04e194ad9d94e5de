/* Headers of foreign images: an answer within bounds, or a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "image/image.h"

/* What is sent as it is: the same picture, no longer than it was, from its first marker to its
 * last. */
static void copy(const uint8_t *bytes, size_t size, const df_image_info *info)
{
    const df_jpeg_budget budget = {1 << 16, 90, 1 << 24};
    uint8_t *jpeg = NULL;
    size_t n = 0;
    df_image_info sent;
    if (!df_image_copy_jpeg(bytes, size, &budget, &jpeg, &n))
        return;
    if (n > size || jpeg[n - 2] != 0xFF || jpeg[n - 1] != 0xD9 ||
        df_image_probe(jpeg, n, &sent, NULL) != DF_OK || sent.width != info->width ||
        sent.height != info->height || sent.orientation != 1)
        abort();
    free(jpeg);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_image_info info;
    df_error err = {""};
    df_status status = df_image_probe(bytes, size, &info, &err);
    if (status == DF_OK && (info.width < 1 || info.height < 1 || info.orientation < 1 ||
                            info.orientation > 8 || info.format != df_image_sniff(bytes, size)))
        abort();
    if (status != DF_OK && !err.message[0])
        abort();
    if (status == DF_OK)
        copy(bytes, size, &info);
    df_image_is_cut(bytes, size);
    return 0;
}
