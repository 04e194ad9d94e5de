/* Headers of foreign images: an answer within bounds, or a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_image_info info;
    df_error err = {""};
    df_status status = df_image_probe(bytes, size, &info, &err);
    if (status == DF_OK && (info.width < 1 || info.height < 1 || info.orientation < 1 || info.orientation > 8 ||
                            info.format != df_image_sniff(bytes, size)))
        abort();
    if (status != DF_OK && !err.message[0])
        abort();
    df_image_is_cut(bytes, size);
    return 0;
}
