#include "engine/openai_access.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

enum { KEY_BYTES_MAX = 4096 };

static bool take_tail(const char *text, size_t *n, const char *tail)
{
    const size_t size = strlen(tail);
    const bool is_there = *n >= size && memcmp(text + *n - size, tail, size) == 0;
    if (is_there)
        *n -= size;
    return is_there;
}

df_status df_openai_url(const char *base, size_t n, const char *tail, char **url, df_error *err)
{
    const int shown = (int)(n > 200 ? 200 : n);
    df_str text = {0};
    if (strncmp(base, "http://", 7) != 0 && strncmp(base, "https://", 8) != 0)
        return df_fail(err, DF_CONFIG, "caption.url: \"%.*s\" is no server, such as http://127.0.0.1:8080", shown, base);
    if (memchr(base, '@', n))                /* it would be in the process list, the journal and messages */
        return df_fail(err, DF_CONFIG,
                       "caption.url: no name or password in an address; the key comes from OPENAI_API_KEY or "
                       "caption.api_key_file");
    while (take_tail(base, &n, "/")) {}
    if (take_tail(base, &n, "/chat/completions"))
        df_str_append_n(&text, base, n);     /* what is before it is the server's own affair */
    else {
        take_tail(base, &n, "/v1");
        df_str_append_n(&text, base, n);
        df_str_append(&text, "/v1");
    }
    df_str_append(&text, tail);
    *url = text.data;
    if (!text.failed)
        return DF_OK;
    df_str_free(&text);
    return df_fail(err, DF_NOMEM, "caption.url: out of memory");
}

df_status df_openai_key_read(const char *file, char **key, df_error *err)
{
    const char *found = getenv("OPENAI_API_KEY");
    char *text = NULL;
    size_t size;
    *key = NULL;
    if (file && *file) {
        DF_TRY(df_file_read(file, KEY_BYTES_MAX, &text, &size, err));
        found = text;
    }
    const bool there = found && *found;
    *key = there ? strndup(found, strcspn(found, " \t\r\n")) : NULL;
    free(text);
    return *key || !there ? DF_OK : df_fail(err, DF_NOMEM, "read the API key: out of memory");
}
