/* Joins lines into paragraphs by the last and the first characters of neighbouring lines. */
#include "evidence/paragraph.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* The code point at p, and its length in bytes. An invalid byte stands for itself. */
static uint32_t character(const char *p, size_t *bytes)
{
    const unsigned char *u = (const unsigned char *)p;
    const size_t n = df_utf8_length(p, strnlen(p, 4));
    *bytes = n > 0 ? n : 1;
    switch (n) {
    case 2:
        return (uint32_t)(u[0] & 31) << 6 | (u[1] & 63);
    case 3:
        return (uint32_t)(u[0] & 15) << 12 | (uint32_t)(u[1] & 63) << 6 | (u[2] & 63);
    case 4:
        return (uint32_t)(u[0] & 7) << 18 | (uint32_t)(u[1] & 63) << 12 |
               (uint32_t)(u[2] & 63) << 6 | (u[3] & 63);
    default:
        return u[0];
    }
}

/* Start of the character before p; p > text. */
static const char *back(const char *text, const char *p)
{
    const char *q = p - 1;
    while (q > text && p - q < 4 && ((unsigned char)*q & 0xC0) == 0x80)
        q--;
    return q;
}

static uint32_t last_character(const char *text)
{
    size_t bytes;
    const char *end = text + strlen(text);
    return end > text ? character(back(text, end), &bytes) : 0;
}

/* Whether c belongs to a script without spaces between words, or to its punctuation. */
static bool is_spaceless(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x0E00, 0x0EFF}, {0x0F00, 0x109F}, {0x1780, 0x17FF}, {0x2E80, 0x312F},   {0x3190, 0x9FFF},
        {0xF900, 0xFAFF}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}, {0x20000, 0x3FFFF},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

static bool is_letter(uint32_t c)
{
    return c < 0x80 ? isalpha((int)c) != 0
                    : c >= 0xC0 && (c < 0x2000 || c > 0x2BFF) && !is_spaceless(c);
}

/* Lower case in Latin, Greek and Cyrillic. */
static bool is_lower(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0xFF && c != 0xF7) ||
           (c >= 0x3AC && c <= 0x3CE) || (c >= 0x430 && c <= 0x45F) ||
           (c >= 0x100 && c <= 0x17F && (c & 1) == 1);
}

static bool is_hyphen(uint32_t c)
{
    return c == '-' || c == 0xAD || c == 0x2010;
}

df_join df_lines_join(const char *line, const char *next)
{
    size_t bytes;
    const char *end = line + strlen(line);
    const uint32_t last = last_character(line), first = character(next, &bytes);
    if (is_spaceless(last) && is_spaceless(first))
        return DF_JOIN_CLOSE;
    if (!is_hyphen(last))
        return DF_JOIN_SPACE;
    const char *hyphen = back(line, end), *before = hyphen > line ? back(line, hyphen) : NULL;
    const uint32_t c = before ? character(before, &bytes) : ' ';
    if (!is_letter(c))
        return c >= '0' && c <= '9' ? DF_JOIN_CLOSE : DF_JOIN_SPACE;
    const uint32_t earlier = before > line ? character(back(line, before), &bytes) : ' ';
    return is_lower(first) && is_lower(c) && is_letter(earlier) ? DF_JOIN_WORD : DF_JOIN_CLOSE;
}

int df_paragraph_end(const df_line *lines, int n, int from)
{
    int end = from + 1;
    while (end < n && lines[end].paragraph == lines[from].paragraph)
        end++;
    return end;
}

/* Bytes of `text` that fit into `room` without cutting a character in two. */
static size_t fitting(const char *text, size_t size, size_t room)
{
    if (size <= room)
        return size;
    while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
        room--;
    return room;
}

/* Skips spaces before *text; returns its length without the spaces after it. */
static size_t trim(const char **text)
{
    *text += strspn(*text, " ");
    size_t size = strlen(*text);
    while (size > 0 && (*text)[size - 1] == ' ')
        size--;
    return size;
}

void df_paragraph_append(const df_line *lines, int n, size_t max_bytes, df_str *out)
{
    size_t used = 0;
    bool space = false;
    for (int i = 0; i < n && used < max_bytes; i++) {
        const char *text = lines[i].text;
        size_t size = trim(&text);
        if (size == 0)
            continue;
        df_str_append(out, space ? " " : "");
        used += space;
        df_join how = i + 1 < n ? df_lines_join(text, lines[i + 1].text) : DF_JOIN_CLOSE;
        if (how == DF_JOIN_WORD && lines[i + 1].item - lines[i].item > 1)
            how = DF_JOIN_SPACE;
        if (how == DF_JOIN_WORD)
            size = (size_t)(back(text, text + size) - text);
        const size_t fits = fitting(text, size, max_bytes - used);
        df_str_append_n(out, text, fits);
        used += fits;
        if (fits < size)
            return;
        space = how == DF_JOIN_SPACE;
    }
}

/* 1 when most letters of the text belong to scripts without spaces, 0 when they belong to scripts
 * with spaces, -1 when there are no letters. */
static int script_of(const char *text)
{
    int without = 0, with = 0;
    size_t bytes;
    for (const char *p = text; *p; p += bytes) {
        const uint32_t c = character(p, &bytes);
        without += is_spaceless(c) && c > 0x303F && !(c >= 0xFF00 && c <= 0xFF0F);
        with += is_letter(c);
    }
    return without == 0 && with == 0 ? -1 : without > with;
}

bool df_same_script(const char *a, const char *b)
{
    const int x = script_of(a), y = script_of(b);
    return x < 0 || y < 0 || x == y;
}

bool df_ends_sentence(const char *text)
{
    const char *end = text + strlen(text);
    size_t bytes;
    while (end > text) {
        const char *at = back(text, end);
        const uint32_t c = character(at, &bytes);
        if (c == '"' || c == '\'' || c == ')' || c == ']' || (c >= 0x2018 && c <= 0x201F) ||
            c == ' ') {
            end = at;
            continue;
        }
        return strchr(".!?:;", (int)(c < 0x80 ? c : 'x')) || c == 0x2026 || c == 0x3002 ||
               c == 0xFF01 || c == 0xFF1F || c == 0xFF0E || c == 0xFF1A || c == 0xFF1B;
    }
    return false;
}

bool df_begins_item(const char *text)
{
    size_t bytes;
    const uint32_t c = character(text, &bytes);
    if (c == 0x2022 || c == 0xB7 || c == 0x25CF || c == 0x25AA || c == 0x25A0 || c == 0x2013 ||
        c == '*' || (c == '-' && text[1] == ' '))
        return text[bytes] != '\0';
    const size_t digits = strspn(text, "0123456789");
    const size_t mark = digits > 0 ? digits : isalpha((unsigned char)text[0]) != 0;
    if (mark < 1 || mark > 2 || text[mark] == '\0' || text[mark + 1] == '\0')
        return false;
    return text[mark] == ')' ||
           (digits > 0 && text[mark] == '.' && !isdigit((unsigned char)text[mark + 1]));
}
