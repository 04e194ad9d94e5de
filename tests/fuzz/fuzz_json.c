/* JSON by others: what is read can be written, and read again to the same words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "io/json.h"
#include "io/json_fields.h"

static void fields(const char *text, size_t size)
{
    static const char *const names[] = {"caption", "text", NULL}, *const urls[] = {"url", NULL};
    df_json_field wanted[] = {{names, NULL}, {urls, NULL}, {NULL, NULL}};
    df_arena arena = {0};
    df_error err = {""};
    if (df_json_fields(text, size, "in", &arena, wanted, &err) != DF_OK && !err.message[0])
        abort();
    for (int i = 0; i < 2; i++)
        if (wanted[i].text && strlen(wanted[i].text) > size)
            abort();
    df_arena_reset(&arena);
}

static void again(const df_json *root)
{
    df_json *copy = NULL;
    df_str once = {0}, twice = {0};
    df_json_append(&once, root);
    if (once.failed || df_json_parse(&copy, df_str_text(&once), once.size, "again", NULL) != DF_OK)
        abort();
    df_json_append(&twice, copy);
    if (twice.failed || strcmp(df_str_text(&once), df_str_text(&twice)) != 0)
        abort();
    free(df_json_pretty(copy));
    df_json_close(copy);
    df_str_free(&once);
    df_str_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_json *root = NULL;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    if (df_json_parse(&root, text, size, "in", NULL) == DF_OK)
        again(root);
    df_json_close(root);
    fields(text, size);
    free(text);
    return 0;
}
