/* Sets and prints options by their table. */
#include "base/option.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"

static void *field(const df_option *o, void *config)
{
    return (char *)config + o->offset;
}

static df_status set_int(const df_option *o, void *config, const char *section, const char *value,
                         df_error *err)
{
    char *end;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    if (end == value || *end || errno || (double)v < o->min || (double)v > o->max)
        return df_fail(err, DF_CONFIG, "%s.%s: \"%s\" is not a whole number from %.0f to %.0f",
                       section, o->name, value, o->min, o->max);
    *(int64_t *)field(o, config) = v;
    return DF_OK;
}

static df_status set_real(const df_option *o, void *config, const char *section, const char *value,
                          df_error *err)
{
    char *end;
    double v = strtod(value, &end);
    if (end == value || *end || !isfinite(v) || v < o->min || v > o->max)
        return df_fail(err, DF_CONFIG, "%s.%s: \"%s\" is not a number from %g to %g", section,
                       o->name, value, o->min, o->max);
    *(double *)field(o, config) = v;
    return DF_OK;
}

static df_status set_bool(const df_option *o, void *config, const char *section, const char *value,
                          df_error *err)
{
    bool yes = !strcasecmp(value, "true") || !strcasecmp(value, "yes") || !strcmp(value, "1");
    if (!yes && strcasecmp(value, "false") && strcasecmp(value, "no") && strcmp(value, "0"))
        return df_fail(err, DF_CONFIG, "%s.%s: \"%s\" is neither true nor false", section, o->name,
                       value);
    *(bool *)field(o, config) = yes;
    return DF_OK;
}

static df_status set_text(const df_option *o, void *config, const char *section, const char *value,
                          df_error *err)
{
    char **slot = field(o, config);
    char *copy = strdup(value);
    if (!copy)
        return df_no_memory(err, "%s.%s", section, o->name);
    free(*slot);
    *slot = copy;
    return DF_OK;
}

/* Parses a value by the option's type and stores it. */
static df_status set_value(const df_option *o, void *config, const char *section, const char *value,
                           df_error *err)
{
    switch (o->type) {
    case DF_OPT_INT:
        return set_int(o, config, section, value, err);
    case DF_OPT_REAL:
        return set_real(o, config, section, value, err);
    case DF_OPT_BOOL:
        return set_bool(o, config, section, value, err);
    case DF_OPT_TEXT:
    case DF_OPT_SECRET:
        break;
    }
    return set_text(o, config, section, value, err);
}

df_status df_options_defaults(const df_option *options, void *config, df_error *err)
{
    for (const df_option *o = options; o && o->name; o++)
        if (o->initial)
            DF_TRY(set_value(o, config, "default", o->initial, err));
    return DF_OK;
}

const df_option *df_option_find(const df_option *options, const char *name)
{
    for (const df_option *o = options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* Letters to change, add or leave out until one name is the other (Levenshtein's distance); what is
 * longer than a name can be is far away. */
static int distance(const char *a, const char *b)
{
    enum { NAME_MAX_BYTES = 64 };
    int row[NAME_MAX_BYTES];
    const int n = (int)strnlen(b, NAME_MAX_BYTES);
    if (n == NAME_MAX_BYTES || strnlen(a, NAME_MAX_BYTES) == NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int changed = diagonal + (a[i - 1] != b[j - 1]);
            const int other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < other ? changed : other;
        }
    }
    return row[n];
}

static int slips_allowed(const char *name)
{
    return (int)(strlen(name) + 2) / 3;
}

bool df_option_is_like(const char *name, const char *other)
{
    return distance(name, other) <= slips_allowed(name);
}

static const df_option *nearest(const df_option *options, const char *name)
{
    const df_option *best = NULL;
    int least = slips_allowed(name) + 1;
    for (const df_option *o = options; o && o->name; o++) {
        const int d = distance(name, o->name);
        if (d < least)
            least = d, best = o;
    }
    return best;
}

df_status df_option_set(const df_option *options, void *config, const char *section,
                        const char *key, const char *value, df_error *err)
{
    const df_option *o = df_option_find(options, key);
    if (o)
        return set_value(o, config, section, value, err);
    o = nearest(options, key);
    if (o)
        return df_fail(err, DF_CONFIG, "%s.%s: no such option; did you mean %s.%s?", section, key,
                       section, o->name);
    return df_fail(err, DF_CONFIG, "%s.%s: no such option; `densefusion %.*s --help` lists them",
                   section, key, (int)strcspn(section, "."), section);
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void describe_secret(const char *name, const char *text, df_str *out)
{
    char hex[DF_HASH_HEX] = "";
    if (text && *text)
        df_hash_hex(text, strlen(text), hex);
    df_str_printf(out, "%s=%s\n", name, hex);
}

void df_options_describe(const df_option *options, const void *config, const char *const *aside,
                         df_str *out)
{
    for (const df_option *o = options; o && o->name; o++) {
        const void *at = (const char *)config + o->offset;
        if (is_listed(aside, o->name))
            continue;
        switch (o->type) {
        case DF_OPT_INT:
            df_str_printf(out, "%s=%lld\n", o->name, (long long)*(const int64_t *)at);
            break;
        case DF_OPT_REAL:
            df_str_printf(out, "%s=%.17g\n", o->name, *(const double *)at);
            break;
        case DF_OPT_BOOL:
            df_str_printf(out, "%s=%s\n", o->name, *(const bool *)at ? "true" : "false");
            break;
        case DF_OPT_TEXT: {
            const char *text = *(char *const *)at;
            df_str_printf(out, "%s=%s\n", o->name, text ? text : "");
            break;
        }
        case DF_OPT_SECRET:
            describe_secret(o->name, *(char *const *)at, out);
            break;
        }
    }
}

void df_options_free(const df_option *options, void *config)
{
    for (const df_option *o = options; config && o && o->name; o++)
        if (o->type == DF_OPT_TEXT || o->type == DF_OPT_SECRET) {
            char **slot = field(o, config);
            free(*slot);
            *slot = NULL;
        }
}
