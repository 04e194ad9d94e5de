/* The only file that knows jansson. Integers are read as reals, so that a record with a 30-digit
 * number is not lost. */
#include "io/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992.0         /* 2^53: up to here every whole number is a double */
#define SIZE_MAX_BYTES ((size_t)1 << 30)

static const json_t *in(const df_json *v)
{
    return (const json_t *)v;
}

static const df_json *out_of(const json_t *v)
{
    return (const df_json *)v;
}

df_status df_json_parse(df_json **out, const char *text, size_t size, const char *name,
                        df_error *err)
{
    if (size > SIZE_MAX_BYTES)
        return df_fail(err, DF_FORMAT, "%s: JSON larger than 1 GiB", name);
    json_error_t why;
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    json_t *root = json_loadb(text, size, flags, &why);
    if (!root) /* without memory for a token jansson says that the token is wrong */
        root = json_loadb(text, size, flags, &why);
    if (!root && json_error_code(&why) == json_error_out_of_memory)
        return df_no_memory(err, "%s", name);
    if (!root)
        return df_fail(err, DF_FORMAT, "%s: line %d is not JSON: %s", name, why.line, why.text);
    *out = (df_json *)root;
    return DF_OK;
}

void df_json_close(df_json *root)
{
    json_decref((json_t *)root);
}

df_json_type df_json_kind(const df_json *v)
{
    if (!v)
        return DF_JSON_NULL;
    switch (json_typeof(in(v))) {
    case JSON_OBJECT:
        return DF_JSON_OBJECT;
    case JSON_ARRAY:
        return DF_JSON_LIST;
    case JSON_STRING:
        return DF_JSON_TEXT;
    case JSON_INTEGER:
    case JSON_REAL:
        return DF_JSON_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return DF_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return DF_JSON_NULL;
}

const df_json *df_json_member(const df_json *object, const char *key)
{
    return out_of(json_object_get(in(object), key));
}

size_t df_json_count(const df_json *v)
{
    return df_json_kind(v) == DF_JSON_LIST ? json_array_size(in(v)) : json_object_size(in(v));
}

const df_json *df_json_item(const df_json *list, size_t i)
{
    return out_of(json_array_get(in(list), i));
}

const df_json *df_json_next(const df_json *object, void **iter, const char **key)
{
    /* jansson's iterators do not take const, but change nothing */
    json_t *o = (json_t *)(uintptr_t)object;
    *iter = *iter ? json_object_iter_next(o, *iter) : json_object_iter(o);
    if (!*iter)
        return NULL;
    *key = json_object_iter_key(*iter);
    return out_of(json_object_iter_value(*iter));
}

const char *df_json_text(const df_json *v)
{
    return json_string_value(in(v));
}

double df_json_real(const df_json *v, double missing)
{
    return df_json_kind(v) == DF_JSON_NUMBER ? json_number_value(in(v)) : missing;
}

int64_t df_json_int(const df_json *v, int64_t missing)
{
    double f = df_json_real(v, 0.5);
    return f == floor(f) && fabs(f) <= EXACT_MAX ? (int64_t)f : missing;
}

bool df_json_bool(const df_json *v, bool missing)
{
    return df_json_kind(v) == DF_JSON_BOOL ? json_is_true(in(v)) : missing;
}

df_json *df_json_new_object(void)
{
    return (df_json *)json_object();
}

df_json *df_json_new_text(const char *text)
{
    return (df_json *)json_string(text);
}

bool df_json_set(df_json *object, const char *key, df_json *value)
{
    return json_object_set_new((json_t *)object, key, (json_t *)value) == 0;
}

df_json *df_json_edit(df_json *object, const char *key)
{
    return (df_json *)json_object_get((json_t *)object, key);
}

bool df_json_remove(df_json *object, const char *key)
{
    return json_object_del((json_t *)object, key) == 0;
}

/* Prints a tree. Whole numbers are printed as such, though they were read as reals. */
static char *dump(const json_t *v, size_t flags);

char *df_json_pretty(const df_json *v)
{
    return dump(in(v), JSON_INDENT(2) | JSON_SORT_KEYS);
}

static bool whole_numbers(json_t *v);

static json_t *whole_number(json_t *v)
{
    const bool whole = json_is_real(v) && df_json_int(out_of(v), INT64_MIN) != INT64_MIN;
    if (whole)
        return json_integer((json_int_t)json_real_value(v));
    return whole_numbers(v) ? json_incref(v) : NULL;
}

/* Those inside of an object or a list. False: out of memory. */
static bool whole_numbers(json_t *v)
{
    const char *key;
    void *tmp;
    size_t i;
    json_t *child;
    bool ok = true;
    json_object_foreach_safe(v, tmp, key, child) ok =
        ok && json_object_set_new(v, key, whole_number(child)) == 0;
    json_array_foreach(v, i, child) ok = ok && json_array_set_new(v, i, whole_number(child)) == 0;
    return ok;
}

/* A copy that lacks something is none: jansson does not always say that it had no memory. */
static char *dump(const json_t *v, size_t flags)
{
    json_t *copy = json_deep_copy(v);
    const bool ok = copy && json_equal(v, copy) && whole_numbers(copy);
    char *text = ok ? json_dumps(copy, flags) : NULL;
    json_decref(copy);
    return text;
}

/* ---- text ---- */

/* The escape for the character at p; NULL: none is needed. "</script>" and "<!--" must not come out
 * of a value that is pasted into a page, and U+2028 ends a line in old JavaScript. */
static const char *escape(const char *p, size_t length, size_t rest, char buffer[8])
{
    const unsigned char c = (unsigned char)*p;
    if (c == '"')
        return "\\\"";
    if (c == '\\')
        return "\\\\";
    if (c == '\n')
        return "\\n";
    if (c < 0x20 || c == 0x7F ||
        (c == '<' && (rest < 2 || p[1] == '/' || p[1] == '!' || p[1] == 's' || p[1] == 'S'))) {
        snprintf(buffer, 8, "\\u%04x", c);
        return buffer;
    }
    if (length == 3 && memcmp(p, "\xE2\x80", 2) == 0 && (p[2] == '\xA8' || p[2] == '\xA9'))
        return p[2] == '\xA8' ? "\\u2028" : "\\u2029";
    return NULL;
}

void df_json_append_text_n(df_str *out, const char *text, size_t n)
{
    size_t plain = 0; /* start of the part that is copied unchanged */
    df_str_append(out, "\"");
    for (size_t i = 0; i < n;) {
        size_t length = df_utf8_length(text + i, n - i);
        char buffer[8];
        const char *instead = length ? escape(text + i, length, n - i, buffer) : "\xEF\xBF\xBD";
        if (instead) {
            df_str_append_n(out, text + plain, i - plain);
            df_str_append(out, instead);
        }
        i += length ? length : 1;
        if (instead)
            plain = i;
    }
    df_str_append_n(out, text + plain, n - plain);
    df_str_append(out, "\"");
}

void df_json_append_text(df_str *out, const char *text)
{
    df_json_append_text_n(out, text, strlen(text));
}

void df_json_append_real(df_str *out, double v)
{
    char text[40];
    if (!isfinite(v)) {
        df_str_append(out, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    df_str_append(out, text);
}

/* Appends a list or an object on one line. */
static void append_container(df_str *out, const df_json *v)
{
    bool object = df_json_kind(v) == DF_JSON_OBJECT;
    void *iter = NULL;
    const char *key = NULL;
    df_str_append(out, object ? "{" : "[");
    for (size_t i = 0, n = df_json_count(v); i < n; i++) {
        const df_json *child = object ? df_json_next(v, &iter, &key) : df_json_item(v, i);
        if (i)
            df_str_append(out, ", ");
        if (object) {
            df_json_append_text(out, key);
            df_str_append(out, ": ");
        }
        df_json_append(out, child);
    }
    df_str_append(out, object ? "}" : "]");
}

void df_json_append(df_str *out, const df_json *v)
{
    switch (df_json_kind(v)) {
    case DF_JSON_NULL:
        df_str_append(out, "null");
        break;
    case DF_JSON_BOOL:
        df_str_append(out, df_json_bool(v, false) ? "true" : "false");
        break;
    case DF_JSON_NUMBER:
        df_json_append_real(out, df_json_real(v, 0));
        break;
    case DF_JSON_TEXT:
        df_json_append_text_n(out, df_json_text(v), json_string_length(in(v)));
        break;
    case DF_JSON_LIST:
    case DF_JSON_OBJECT:
        append_container(out, v);
        break;
    }
}
