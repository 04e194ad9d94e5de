#include "engine/openai/access.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "io/secret.h"

enum { KEY_BYTES_MAX = 4096 };

static bool take_tail(const char *text, size_t *n, const char *tail)
{
    const size_t size = strlen(tail);
    const bool is_there = *n >= size && memcmp(text + *n - size, tail, size) == 0;
    if (is_there)
        *n -= size;
    return is_there;
}

/* A name or password before the server's name; without a scheme any @ may be one. */
static bool has_name(const char *base, size_t n)
{
    const char *scheme = strstr(base, "://");
    const char *start = scheme && scheme < base + n ? scheme + 3 : base;
    size_t length = 0;
    while (start + length < base + n && (start == base || !strchr("/?#", start[length])))
        length++;
    return memchr(start, '@', length) != NULL;
}

/* Refuses an address that is no server, or has a name or password in it. */
static df_status check_address(const char *base, size_t n, df_error *err)
{
    char shown[DF_URL_SHOWN];
    /* it would be in the process list, the journal and messages */
    if (has_name(base, n))
        return df_fail(err, DF_CONFIG,
                       "caption.openai.url: no name or password in an address; the key comes from "
                       "OPENAI_API_KEY or "
                       "caption.openai.api_key_file");
    df_url_show(base, n, shown);
    return strncmp(base, "http://", 7) == 0 || strncmp(base, "https://", 8) == 0
               ? DF_OK
               : df_fail(err, DF_CONFIG,
                         "caption.openai.url: \"%s\" is no server, such as http://127.0.0.1:8080",
                         shown);
}

df_status df_openai_url(const char *base, size_t n, const char *tail, char **url, df_error *err)
{
    df_str text = {0};
    DF_TRY(check_address(base, n, err));
    size_t path = strcspn(base, "?#");
    path = path < n ? path : n;
    const size_t query = path < n && base[path] == '?' ? strcspn(base + path, "#") : 0;
    const char *rest = base + path;
    const size_t rest_size = query < n - path ? query : n - path;
    while (take_tail(base, &path, "/")) {}
    if (take_tail(base, &path, "/chat/completions"))
        df_str_append_n(&text, base, path);  /* what is before it is the server's own affair */
    else {
        take_tail(base, &path, "/v1");
        df_str_append_n(&text, base, path);
        df_str_append(&text, "/v1");
    }
    df_str_append(&text, tail);
    df_str_append_n(&text, rest, rest_size);
    *url = text.data;
    if (!text.failed)
        return DF_OK;
    df_str_free(&text);
    return df_no_memory(err, "caption.openai.url");
}

bool df_openai_key_exposed(const char *file)
{
    struct stat st;
    return file && *file && stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
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
    return *key || !there ? DF_OK : df_no_memory(err, "read the API key");
}
