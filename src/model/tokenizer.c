/* Loads the tokenizer library and calls it. */
#include "model/tokenizer.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* TOKENS_MIN: the first token, a word, the last token */
enum { FILE_BYTES_MAX = 64 << 20, TEXT_BYTES_MAX = 4096, TOKENS_MIN = 3 };

/* The functions of tools/tokenizer/lib.rs. */
typedef struct {
    void *(*open)(const unsigned char *json, size_t size, size_t max_tokens, char *error,
                  size_t error_size);
    intptr_t (*encode)(const void *tokens, const unsigned char *text, size_t size, uint32_t *ids,
                       size_t room);
    void (*close)(void *tokens);
} library;

struct df_tokenizer {
    /* of the shared library; the system counts its users */
    void *handle;
    library lib;
    void *tokens;
    char *path;
    int max_tokens;
};

/* Copies a function's address from a data pointer, which POSIX allows and ISO C does not. False:
 * the library has no such function. */
static bool load_function(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static df_status load_library(df_tokenizer *t, df_error *err)
{
    t->handle = dlopen(DF_TOKENIZER, RTLD_NOW | RTLD_LOCAL);
    if (!t->handle)
        t->handle = dlopen("libdf_tokenizer.so", RTLD_NOW | RTLD_LOCAL);
    if (t->handle && load_function(t->handle, "df_tokens_open", &t->lib.open) &&
        load_function(t->handle, "df_tokens_encode", &t->lib.encode) &&
        load_function(t->handle, "df_tokens_close", &t->lib.close))
        return DF_OK;
    return df_fail(err, DF_MODEL,
                   "%s: reading it needs a library that is not installed; run `make tokenizer`",
                   t->path);
}

static df_status read_file(df_tokenizer *t, df_error *err)
{
    char why[256] = "", *json;
    size_t size;
    DF_TRY(df_file_read(t->path, FILE_BYTES_MAX, &json, &size, err));
    t->tokens =
        t->lib.open((const unsigned char *)json, size, (size_t)t->max_tokens, why, sizeof why);
    free(json);
    return t->tokens ? DF_OK
                     : df_fail(err, DF_CONFIG, "%s: this is no tokenizer.json: %.*s", t->path,
                               (int)strcspn(why, "\n"), why);
}

df_status df_tokenizer_open(df_tokenizer **out, const char *path, int max_tokens, df_error *err)
{
    if (max_tokens < TOKENS_MIN || max_tokens > DF_TOKENS_MAX)
        return df_fail(err, DF_CONFIG, "%s: texts of %d tokens; %d to %d are supported", path,
                       max_tokens, TOKENS_MIN, DF_TOKENS_MAX);
    df_tokenizer *t = calloc(1, sizeof *t);
    if (t)
        t->path = strdup(path);
    df_status status = t && t->path ? DF_OK : df_no_memory(err, "open %s", path);
    if (status == DF_OK)
        status = load_library(t, err);
    if (status == DF_OK)
        t->max_tokens = max_tokens, status = read_file(t, err);
    if (status == DF_OK)
        *out = t;
    else
        df_tokenizer_close(t);
    return status;
}

void df_tokenizer_close(df_tokenizer *t)
{
    if (!t)
        return;
    if (t->tokens)
        t->lib.close(t->tokens);
    if (t->handle)
        dlclose(t->handle);
    free(t->path);
    free(t);
}

df_status df_tokenizer_encode(const df_tokenizer *t, const char *text, uint32_t *ids, int *n,
                              df_error *err)
{
    const size_t size = strlen(text);
    if (size > TEXT_BYTES_MAX)
        return df_fail(err, DF_FORMAT, "%s: a text of %zu bytes; at most %d are supported", t->path,
                       size, TEXT_BYTES_MAX);
    const intptr_t count =
        t->lib.encode(t->tokens, (const unsigned char *)text, size, ids, (size_t)t->max_tokens);
    if (count < 1)
        return df_fail(err, DF_FORMAT, "%s: no tokens for \"%.60s\"", t->path, text);
    *n = (int)count;
    return DF_OK;
}
