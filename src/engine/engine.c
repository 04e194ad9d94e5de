#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const df_engine_ops *const df_engines[] = {&df_engine_compose, &df_engine_openai, &df_engine_llama,
                                           &df_engine_replay, NULL};

df_status df_engine_settings_init(df_engine_settings *out, const df_engine_ops *const *engines,
                                  df_error *err)
{
    *out = (df_engine_settings){.engines = engines};
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && engines[i]; i++) {
        const size_t size = engines[i]->config_size;
        if (i == DF_ENGINES_MAX)
            status = df_fail(err, DF_CONFIG, "more than %d engines", DF_ENGINES_MAX);
        else if (!(out->own[i] = calloc(1, size ? size : 1)))
            status = df_no_memory(err, "options of engines");
        else
            status = df_options_defaults(engines[i]->options, out->own[i], err);
    }
    if (status != DF_OK)
        df_engine_settings_free(out);
    return status;
}

void df_engine_settings_free(df_engine_settings *settings)
{
    for (int i = 0; i < DF_ENGINES_MAX && settings->own[i]; i++) {
        df_options_free(settings->engines[i]->options, settings->own[i]);
        free(settings->own[i]);
    }
    *settings = (df_engine_settings){0};
}

int df_engine_settings_find(const df_engine_settings *settings, const char *name, size_t n)
{
    for (int i = 0; settings->engines[i]; i++)
        if (strlen(settings->engines[i]->name) == n &&
            memcmp(settings->engines[i]->name, name, n) == 0)
            return i;
    return -1;
}

static df_status no_such_engine(const df_engine_settings *settings, const char *section,
                                const char *name, df_error *err)
{
    df_str text = {0};
    for (int i = 0; settings->engines[i]; i++)
        if (df_option_is_like(name, settings->engines[i]->name))
            return df_fail(err, DF_CONFIG, "%s.%s: no such engine; did you mean %s.%s?", section,
                           name, section, settings->engines[i]->name);
    for (int i = 0; settings->engines[i]; i++)
        df_str_printf(&text, "%s%s", i ? ", " : "", settings->engines[i]->name);
    df_fail(err, DF_CONFIG, "%s.%s: no such engine; there are: %s", section, name,
            df_str_text(&text));
    df_str_free(&text);
    return DF_CONFIG;
}

df_status df_engine_settings_set(df_engine_settings *settings, const char *section, const char *key,
                                 const char *value, df_error *err)
{
    char name[64], inner[160];
    const size_t n = strcspn(key, ".");
    snprintf(name, sizeof name, "%.*s", (int)n, key);
    const int i = df_engine_settings_find(settings, name, strlen(name));
    if (i < 0)
        return no_such_engine(settings, section, name, err);
    snprintf(inner, sizeof inner, "%s.%s", section, name);
    return df_option_set(settings->engines[i]->options, settings->own[i], inner, key + n + 1, value,
                         err);
}

const df_engine_ops *df_engine_settings_ops(const df_engine_settings *settings, const char *name)
{
    const int i = df_engine_settings_find(settings, name, strlen(name));
    return i < 0 ? NULL : settings->engines[i];
}

const void *df_engine_settings_own(const df_engine_settings *settings, const char *name)
{
    const int i = df_engine_settings_find(settings, name, strlen(name));
    return i < 0 ? NULL : settings->own[i];
}

void df_engine_settings_describe(const df_engine_settings *settings, const char *name, df_str *out)
{
    const int i = df_engine_settings_find(settings, name, strlen(name));
    if (i >= 0)
        df_options_describe(settings->engines[i]->options, settings->own[i],
                            settings->engines[i]->aside, out);
}
