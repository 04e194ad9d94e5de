/* Foreign text made clean: plain, no longer than asked for, and clean text stays as it is. Foreign
 * text made printable: all of it, whatever the room at a time, and what is printable stays as it
 * is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"

static void print_in_pieces(const char *text, size_t n, size_t room)
{
    char out[300];
    for (size_t at = 0; at < n;) {
        const size_t taken = df_printable(text + at, n - at, out, room);
        if (taken == 0 || taken > n - at || strlen(out) >= room ||
            !df_str_is_printable(out, strlen(out)) ||
            (df_str_is_printable(text + at, taken) && memcmp(out, text + at, taken) != 0))
            abort();
        at += taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_str once = {0}, twice = {0};
    size_t limit = size ? bytes[0] : 0;
    df_str_append_clean(&once, (const char *)bytes, size, limit);
    df_str_append_clean(&twice, df_str_text(&once), once.size, limit);
    if (once.size > limit || !df_str_is_plain(df_str_text(&once), once.size) ||
        strlen(df_str_text(&once)) != once.size ||
        strcmp(df_str_text(&once), df_str_text(&twice)) != 0)
        abort();
    /* the longest escape, and a NUL */
    print_in_pieces((const char *)bytes, size, 7 + limit);
    df_str_free(&once);
    df_str_free(&twice);
    return 0;
}
