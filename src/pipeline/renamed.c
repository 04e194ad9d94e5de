#include "pipeline/renamed.h"

#include <stdlib.h>
#include <string.h>

static const df_option_alias *find_alias(const df_option_alias *aliases, const char *key)
{
    for (const df_option_alias *a = aliases; a && a->old; a++)
        if (strcmp(a->old, key) == 0 || (a->now && strcmp(a->now, key) == 0))
            return a;
    return NULL;
}

/* NULL: out of memory. */
static df_renamed_option *option_of(df_renamed *r, const df_option_alias *alias)
{
    for (int i = 0; i < r->n; i++)
        if (r->options[i].alias == alias)
            return &r->options[i];
    df_renamed_option *more = realloc(r->options, ((size_t)r->n + 1) * sizeof *more);
    if (!more)
        return NULL;
    r->options = more;
    r->options[r->n] = (df_renamed_option){.alias = alias};
    return &r->options[r->n++];
}

static void note(df_renamed *r, df_renamed_option *o, const char *section)
{
    if (o->noted)
        return;
    o->noted = true;
    if (o->alias->now)
        df_str_printf(&r->notes,
                      "%s.%s is now called %s.%s; the next version knows that name alone\n",
                      section, o->alias->old, section, o->alias->now);
    else
        df_str_printf(&r->notes, "%s.%s is gone and has no effect\n", section, o->alias->old);
}

df_status df_renamed_resolve(df_renamed *r, const df_option_alias *aliases, const char *section,
                             const char *key, const char *value, const char **now, df_error *err)
{
    const df_option_alias *alias = find_alias(aliases, key);
    *now = key;
    if (!alias)
        return DF_OK;
    const bool by_old = strcmp(alias->old, key) == 0;
    df_renamed_option *o = option_of(r, alias);
    char *copy = o ? strdup(value) : NULL;
    if (!copy)
        return df_no_memory(err, "%s.%s", section, key);
    const bool differs = o->value && o->by_old != by_old && strcmp(o->value, value) != 0;
    free(o->value);
    o->value = copy;
    o->by_old = by_old;
    if (differs)
        return df_fail(
            err, DF_CONFIG,
            "%s.%s is the old name of %s.%s: both are set, to different values; keep the "
            "new one",
            section, alias->old, section, alias->now);
    *now = alias->now;
    if (by_old)
        note(r, o, section);
    return r->notes.failed ? df_no_memory(err, "%s.%s", section, key) : DF_OK;
}

void df_renamed_forget(df_renamed *r)
{
    for (int i = 0; i < r->n; i++) {
        free(r->options[i].value);
        r->options[i].value = NULL;
    }
}

void df_renamed_free(df_renamed *r)
{
    df_renamed_forget(r);
    free(r->options);
    df_str_free(&r->notes);
    *r = (df_renamed){0};
}
