/* Prints foreign text safely. */
#include "put.h"

#include <stdarg.h>
#include <string.h>

void put_text(FILE *to, const char *text, size_t n)
{
    char block[512];
    while (n) {
        const size_t taken = df_printable(text, n, block, sizeof block);
        fputs(block, to);
        text += taken;
        n -= taken;
    }
}

/* Formats and prints. A line of usual length needs no memory, so that "out of memory" can be
 * printed as well. */
static void put_formatted(FILE *to, const char *fmt, va_list args)
{
    char line[4096] = "";
    df_str longer = {0};
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(line, sizeof line, fmt, args);
    if (n >= (int)sizeof line)
        df_str_vprintf(&longer, fmt, again);
    va_end(again);
    const bool whole = longer.size && !longer.failed;
    put_text(to, whole ? longer.data : line, whole ? longer.size : strlen(line));
    df_str_free(&longer);
}

void put_words(FILE *to, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_formatted(to, fmt, args);
    va_end(args);
}

void put_line(FILE *to, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_formatted(to, fmt, args);
    va_end(args);
    fputc('\n', to);
}

df_status put_json(df_str *json, df_error *err)
{
    const char *text = df_str_text(json);
    const size_t n = json->failed ? 0 : json->size;
    for (size_t i = 0; i < n;) {
        const size_t length = df_utf8_length(text + i, n - i), bytes = length ? length : 1;
        if (text[i] == '\n' || df_str_is_printable(text + i, bytes))
            fwrite(text + i, 1, bytes, stdout);
        else
            printf("\\u%04x", length ? df_utf8_code(text + i, length) : 0xFFFDu);
        i += bytes;
    }
    const bool failed = json->failed;
    df_str_free(json);
    if (failed)
        return df_no_memory(err, "print JSON");
    putchar('\n');
    return DF_OK;
}
