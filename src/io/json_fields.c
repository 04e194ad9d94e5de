/* Looks up keys of a JSON object without regard to case. */
#include "io/json_fields.h"

#include <string.h>
#include <strings.h>

#include "io/json.h"

static const df_json *find_member(const df_json *object, const char *name)
{
    const char *key;
    void *iter = NULL;
    for (const df_json *v; (v = df_json_next(object, &iter, &key));)
        if (strcasecmp(key, name) == 0)
            return v;
    return NULL;
}

/* The text of a value, NULL when it has none. *ok is cleared when out of memory. */
static const char *text_of(const df_json *value, df_arena *arena, bool *ok)
{
    if (df_json_kind(value) == DF_JSON_LIST)
        value = df_json_item(value, 0);
    const char *copy = NULL;
    if (df_json_kind(value) == DF_JSON_TEXT)
        copy = df_arena_strdup(arena, df_json_text(value));
    else if (df_json_kind(value) == DF_JSON_NUMBER)
        copy = df_arena_printf(arena, "%.17g", df_json_real(value, 0));
    else
        return NULL;
    *ok &= copy != NULL;
    return copy;
}

df_status df_json_fields(const char *bytes, size_t size, const char *name, df_arena *arena,
                         df_json_field *fields, df_error *err)
{
    df_json *root = NULL;
    DF_TRY(df_json_parse(&root, bytes, size, name, err));
    if (df_json_kind(root) != DF_JSON_OBJECT) {
        df_json_close(root);
        return df_fail(err, DF_FORMAT, "%s: not a JSON object", name);
    }
    bool ok = true;
    for (df_json_field *f = fields; f->names; f++) {
        f->text = NULL;
        for (const char *const *key = f->names; *key && !f->text; key++)
            f->text = text_of(find_member(root, *key), arena, &ok);
    }
    df_json_close(root);
    return ok ? DF_OK : df_no_memory(err, "%s", name);
}
