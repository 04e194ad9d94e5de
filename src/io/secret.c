/* Finds and overwrites secrets in text. */
#define _GNU_SOURCE                          /* memmem, strcasestr */
#include "io/secret.h"

#include <stdio.h>
#include <string.h>

/* Longer values are not hidden; no key is so long. */
enum { SECRET_MAX = 4096, SURE = 8, SURE_DIGITS = 12, LEAST = 5 };

void df_url_show(const char *url, size_t n, char out[DF_URL_SHOWN])
{
    size_t end = 0, host = 0;
    while (end < n && url[end] && url[end] != '?' && url[end] != '#')
        end++;
    const char *scheme = memmem(url, end, "://", 3);
    const size_t start = scheme ? (size_t)(scheme - url) + 3 : 0;
    host = start;
    for (size_t i = start; i < end && url[i] != '/'; i++)
        host = url[i] == '@' ? i + 1 : host;
    snprintf(out, DF_URL_SHOWN, "%.*s%.*s", (int)(start < 16 ? start : 16), url,
             (int)(end - host > 200 ? 200 : end - host), url + host);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a value is likely a secret. The password of a server at home ("none", "test") is also a
 * word of captions. */
static bool is_secret(const char *s, size_t n)
{
    size_t digits = 0;
    for (size_t i = 0; i < n; i++)
        digits += is_digit(s[i]);
    if (digits == n)
        return n >= SURE_DIGITS;
    return n >= SURE || (n >= LEAST && digits > 0);
}

static void hide(const char *secret, size_t n, char *text, size_t size)
{
    for (char *at = text, *end = text + size;
         n > 0 && (at = memmem(at, (size_t)(end - at), secret, n)) != NULL; at += n)
        memset(at, '*', n);
}

void df_secret_hide(const char *secret, size_t n, char *text, size_t size)
{
    char escaped[2 * SECRET_MAX];
    size_t m = 0;
    if (!is_secret(secret, n) || n > SECRET_MAX)
        return;
    hide(secret, n, text, size);
    for (size_t i = 0; i < n; i++) {
        if (secret[i] == '/')
            escaped[m++] = '\\';
        escaped[m++] = secret[i];
    }
    if (m > n)
        hide(escaped, m, text, size);
}

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

static void hide_decoded(const char *value, size_t n, char *text, size_t size)
{
    char decoded[SECRET_MAX];
    size_t m = 0;
    for (size_t i = 0; i < n && m < sizeof decoded; i++) {
        const bool coded =
            value[i] == '%' && i + 2 < n && hex_of(value[i + 1]) >= 0 && hex_of(value[i + 2]) >= 0;
        decoded[m++] =
            coded ? (char)(hex_of(value[i + 1]) * 16 + hex_of(value[i + 2])) : (char)value[i];
        i += coded ? 2 : 0;
    }
    if (m < n)
        df_secret_hide(decoded, m, text, size);
}

static bool is_harmless(const char *name, size_t n)
{
    static const char *const words[] = {"version", "model", "deployment", "region"};
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", (int)(n < sizeof copy ? n : sizeof copy - 1), name);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(copy, words[i]))
            return true;
    return false;
}

void df_secrets_hide_query(const char *url, char *text, size_t size)
{
    const char *at = strchr(url, '?');
    while (at && *at && *at != '#') {
        const char *name = at + 1;
        const size_t n = strcspn(name, "&#"), key = strcspn(name, "=&#");
        if (key < n && !is_harmless(name, key)) {
            df_secret_hide(name + key + 1, n - key - 1, text, size);
            hide_decoded(name + key + 1, n - key - 1, text, size);
        } else if (key == n) {
            df_secret_hide(name, n, text, size);
        }
        at = name + n;
    }
}
