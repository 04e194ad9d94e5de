/* Foreign text made clean: plain, no longer than asked for, and clean text stays as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_str once = {0}, twice = {0};
    size_t limit = size ? bytes[0] : 0;
    df_str_append_clean(&once, (const char *)bytes, size, limit);
    df_str_append_clean(&twice, df_str_text(&once), once.size, limit);
    if (once.size > limit || !df_str_is_plain(df_str_text(&once), once.size) ||
        strlen(df_str_text(&once)) != once.size || strcmp(df_str_text(&once), df_str_text(&twice)) != 0)
        abort();
    df_str_free(&once);
    df_str_free(&twice);
    return 0;
}
