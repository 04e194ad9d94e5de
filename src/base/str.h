/* A growing, NUL-terminated string. A failed append sets `failed` and later appends do nothing:
 * check once at the end. */
#ifndef DF_BASE_STR_H
#define DF_BASE_STR_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* all-zero is the empty string, data may be NULL */
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

/* Bytes of the well-formed UTF-8 character at text (RFC 3629: no overlong forms, no surrogates), 0
 * when it is not one. */
size_t df_utf8_length(const char *text, size_t n);
/* Its code point; length: what df_utf8_length gave, not 0. */
unsigned df_utf8_code(const char *text, size_t length);
/* Copies text into out as valid UTF-8 (bad bytes become U+FFFD), control characters and line breaks
 * become spaces, at most max_bytes, cut at a character. Everything that comes from the web passes
 * through here once, at ingest or read. */
void df_str_append_clean(df_str *s, const char *text, size_t n, size_t max_bytes);
/* Copies text into out as it may stand in one line of a terminal: a control character (a line break
 * too), a mark that is not seen or that reorders others, and a byte that is no UTF-8 are written as
 * \n, \x1b, \u202e. All else stays. size > 0: bytes of out, which always ends with a NUL; as many
 * whole characters as fit. Returns the bytes of text that were taken. */
size_t df_printable(const char *text, size_t n, char *out, size_t size);
/* df_printable would change nothing */
bool df_str_is_printable(const char *text, size_t n);
/* Well-formed UTF-8 without control characters: fit for one line of text, a table,
 * a URL's words. */
bool df_str_is_plain(const char *text, size_t n);
#endif
