#include "io/json_fields.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

static const json_t *find(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        if (strcasecmp(key, name) == 0)
            return value;
    return NULL;
}

/* The text of a value; *ok is false when out of memory. */
static const char *text_of(const json_t *value, df_arena *arena, bool *ok)
{
    if (json_is_array(value))
        value = json_array_get(value, 0);
    const char *copy = NULL;
    if (json_is_string(value))
        copy = df_arena_strdup(arena, json_string_value(value));
    else if (json_is_integer(value))
        copy = df_arena_printf(arena, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        copy = df_arena_printf(arena, "%.17g", json_real_value(value));
    else
        return NULL;
    *ok &= copy != NULL;
    return copy;
}

df_status df_json_fields(const char *bytes, size_t size, df_arena *arena, df_json_field *fields, int n_fields, df_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(bytes, size, 0, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return df_fail(err, DF_FORMAT, "not a JSON object%s%s", root ? "" : ": ", root ? "" : why.text);
    }
    bool ok = true;
    for (int f = 0; f < n_fields; f++) {
        fields[f].text = NULL;
        for (const char *const *name = fields[f].names; *name && !fields[f].text; name++)
            fields[f].text = text_of(find(root, *name), arena, &ok);
    }
    json_decref(root);
    return ok ? DF_OK : df_fail(err, DF_NOMEM, "read JSON: out of memory");
}
