/* Growing strings, and the handling of UTF-8 and of text that must be printable. */
#include "base/str.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `more` bytes and a NUL. False: out of memory, now or before. */
static bool reserve(df_str *s, size_t more)
{
    assert(s->data ? s->size < s->capacity : s->size == 0);
    if (s->failed || more > SIZE_MAX / 2 - s->size - 1) {
        s->failed = true;
        return false;
    }
    size_t need = s->size + more + 1;
    if (need <= s->capacity)
        return true;
    size_t capacity = s->capacity ? s->capacity : 64;
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(s->data, capacity);
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->capacity = capacity;
    return true;
}

void df_str_append_n(df_str *s, const char *bytes, size_t n)
{
    if (!reserve(s, n))
        return;
    if (n)
        memcpy(s->data + s->size, bytes, n);
    s->size += n;
    s->data[s->size] = '\0';
}

void df_str_append(df_str *s, const char *text)
{
    df_str_append_n(s, text, strlen(text));
}

void df_str_vprintf(df_str *s, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0)
        s->failed = true;
    else if (reserve(s, (size_t)n)) {
        vsnprintf(s->data + s->size, (size_t)n + 1, fmt, again);
        s->size += (size_t)n;
    }
    va_end(again);
}

void df_str_printf(df_str *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    df_str_vprintf(s, fmt, args);
    va_end(args);
}

void df_str_clear(df_str *s)
{
    s->size = 0;
    if (s->data)
        s->data[0] = '\0';
}

const char *df_str_text(const df_str *s)
{
    return s->data ? s->data : "";
}

void df_str_free(df_str *s)
{
    free(s->data);
    *s = (df_str){0};
}

size_t df_utf8_length(const char *text, size_t n)
{
    if (n == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)text;
    unsigned char c = p[0];
    size_t length = c < 0x80                 ? 1
                    : c >= 0xC2 && c <= 0xDF ? 2
                    : (c & 0xF0) == 0xE0     ? 3
                    : c >= 0xF0 && c <= 0xF4 ? 4
                                             : 0;
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
        return 0;
    return length;
}

unsigned df_utf8_code(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned code = length == 1 ? p[0] : p[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3Fu);
    return code;
}

bool df_str_is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t length = df_utf8_length(text + i, n - i);
        if (length == 0 || (unsigned char)text[i] < ' ' || text[i] == 0x7F)
            return false;
        i += length;
    }
    return true;
}

/* Whether a character is a C1 control, or a mark that breaks or reorders what a reader sees. */
static bool invisible(const unsigned char *p, size_t length)
{
    if (length == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (length != 3 || p[0] != 0xE2)
        return length == 3 && p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF;
    if (p[1] == 0x80)
        return (p[2] >= 0x8B && p[2] <= 0x8F) || (p[2] >= 0xA8 && p[2] <= 0xAE);
    return p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
}

/* What is printed for the character of `length` bytes at p (0: a byte that is no character). NULL:
 * the character itself. */
static const char *escape(const char *p, size_t length, char buffer[8])
{
    const unsigned char c = (unsigned char)*p;
    if (length > 1 ? !invisible((const unsigned char *)p, length)
                   : length == 1 && c >= ' ' && c != 0x7F)
        return NULL;
    if (c == '\n' || c == '\t')
        return c == '\n' ? "\\n" : "\\t";
    if (length > 1)
        snprintf(buffer, 8, "\\u%04x", df_utf8_code(p, length) & 0xFFFFu);
    else
        snprintf(buffer, 8, "\\x%02x", c);
    return buffer;
}

size_t df_printable(const char *text, size_t n, char *out, size_t size)
{
    size_t taken = 0, written = 0;
    while (taken < n) {
        const size_t length = df_utf8_length(text + taken, n - taken);
        char buffer[8];
        const char *instead = escape(text + taken, length, buffer);
        const size_t more = instead ? strlen(instead) : length;
        if (more >= size - written)
            break;
        memcpy(out + written, instead ? instead : text + taken, more);
        written += more;
        taken += length ? length : 1;
    }
    out[written] = '\0';
    return taken;
}

bool df_str_is_printable(const char *text, size_t n)
{
    char buffer[8];
    size_t length = 1;
    for (size_t i = 0; i < n; i += length) {
        length = df_utf8_length(text + i, n - i);
        if (escape(text + i, length, buffer))
            return false;
    }
    return true;
}

void df_str_append_clean(df_str *s, const char *text, size_t n, size_t max_bytes)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t start = s->size;
    bool space = false;
    for (size_t i = 0; i < n;) {
        size_t length = df_utf8_length(text + i, n - i);
        bool blank = length == 1 && (p[i] <= ' ' || p[i] == 0x7F);
        if (blank || (length && invisible(p + i, length))) {
            space = true;
            i += length;
            continue;
        }
        const char *bytes = length ? text + i : "\xEF\xBF\xBD";
        size_t size = length ? length : 3, gap = space && s->size > start ? 1 : 0;
        if (s->size - start + size + gap > max_bytes)
            break;
        df_str_append_n(s, " ", gap);
        df_str_append_n(s, bytes, size);
        if (s->failed)
            return;
        space = false;
        i += length ? length : 1;
    }
}
