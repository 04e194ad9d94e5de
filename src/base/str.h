/* A growing string that ends with a NUL. A failed append sets `failed`, and later appends do
 * nothing, so one check at the end is enough. */
#ifndef DF_BASE_STR_H
#define DF_BASE_STR_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* All-zero is the empty string; data may be NULL. */
typedef struct {
    char *data;
    size_t size, capacity;
    bool failed;
} df_str;

void df_str_append(df_str *s, const char *text);
void df_str_append_n(df_str *s, const char *bytes, size_t n);
void df_str_printf(df_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void df_str_vprintf(df_str *s, const char *fmt, va_list args);
void df_str_clear(df_str *s);                                        /* keeps the memory */
const char *df_str_text(const df_str *s);                            /* never NULL */
void df_str_free(df_str *s);

/* Length in bytes of the well-formed UTF-8 character at text (RFC 3629: no overlong forms, no
 * surrogates), 0 when there is none. */
size_t df_utf8_length(const char *text, size_t n);
/* The code point of a character; length: as returned by df_utf8_length, not 0. */
unsigned df_utf8_code(const char *text, size_t length);
/* Appends text as valid UTF-8, at most max_bytes, cut between characters. Bad bytes become U+FFFD;
 * runs of spaces, control characters and line breaks become one space. Everything that comes from
 * the web passes through here once, at ingest or read. */
void df_str_append_clean(df_str *s, const char *text, size_t n, size_t max_bytes);
/* Copies text into out so that it may be shown in one line of a terminal. A control character (also
 * a line break), a mark that is invisible or reorders others, and a byte that is not UTF-8 are
 * written as \n, \x1b, \u202e. size > 0: bytes of out, which always ends with a NUL; it gets as
 * many whole characters as fit. Returns the number of bytes of text that were taken. */
size_t df_printable(const char *text, size_t n, char *out, size_t size);
/* Whether df_printable would change nothing. */
bool df_str_is_printable(const char *text, size_t n);
/* Whether the text is well-formed UTF-8 without control characters, as for a line of text, a table
 * or the words of a URL. */
bool df_str_is_plain(const char *text, size_t n);
#endif
