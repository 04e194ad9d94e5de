#include "pipeline/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "io/yaml.h"

const df_option df_run_option_table[] = {
    {"threads", DF_OPT_INT, offsetof(df_run_options, threads), "0", 0, 1024,
     "threads to work with; 0: one per core"},
    {"models", DF_OPT_TEXT, offsetof(df_run_options, models), NULL, 0, 0,
     "folder of model cards and ONNX files; unset: `models` in the share folder"},
    {"share", DF_OPT_TEXT, offsetof(df_run_options, share), NULL, 0, 0,
     "folder of prompts, page assets and lexicon; unset: the one of this build"},
    {"provider", DF_OPT_TEXT, offsetof(df_run_options, provider), "cpu", 0, 0,
     "what models run on: cpu, cuda, tensorrt, openvino, coreml, ...; a device after a colon: "
     "cuda:1, openvino:GPU"},
    {"model_threads", DF_OPT_INT, offsetof(df_run_options, model_threads), "1", 1, 256,
     "threads for one call of a model; `threads` images are worked on at once anyway"},
    {"onnxruntime", DF_OPT_TEXT, offsetof(df_run_options, onnxruntime), NULL, 0, 0,
     "libonnxruntime.so with other providers; unset: the one of this build, which has the CPU's"},
    {"skip", DF_OPT_TEXT, offsetof(df_run_options, skip), NULL, 0, 0,
     "stages to leave out, separated by commas: detect,read"},
    {0},
};

static int count(const df_stage *const *stages)
{
    int n = 0;
    while (stages[n])
        n++;
    return n;
}

/* NULL: a stage without engines. */
static df_engine_settings *engines_of(const df_config *config, int i)
{
    const df_stage *stage = config->stages[i];
    return stage->engines ? (void *)((char *)config->configs[i] + stage->engines_at) : NULL;
}

static df_status init_stage(df_config *config, int i, df_error *err)
{
    const df_stage *stage = config->stages[i];
    config->configs[i] = calloc(1, stage->config_size ? stage->config_size : 1);
    if (!config->configs[i])
        return df_no_memory(err, "config");
    DF_TRY(df_options_defaults(stage->options, config->configs[i], err));
    return stage->engines ? df_engine_settings_init(engines_of(config, i), stage->engines, err)
                          : DF_OK;
}

df_status df_config_init(df_config *out, const df_stage *const *stages, df_error *err)
{
    *out = (df_config){.stages = stages, .n_stages = count(stages)};
    out->configs = calloc((size_t)out->n_stages + 1, sizeof *out->configs);
    if (!out->configs)
        return df_no_memory(err, "config");
    df_status status = df_options_defaults(df_run_option_table, &out->run, err);
    for (int i = 0; status == DF_OK && i < out->n_stages; i++)
        status = init_stage(out, i, err);
    if (status != DF_OK)
        df_config_free(out);
    return status;
}

void df_config_free(df_config *config)
{
    for (int i = 0; config->configs && i < config->n_stages && config->configs[i]; i++) {
        if (engines_of(config, i))
            df_engine_settings_free(engines_of(config, i));
        df_options_free(config->stages[i]->options, config->configs[i]);
        free(config->configs[i]);
    }
    free(config->configs);
    df_options_free(df_run_option_table, &config->run);
    df_renamed_free(&config->renamed);
    *config = (df_config){0};
}

int df_config_find(const df_config *config, const char *stage)
{
    for (int i = 0; i < config->n_stages; i++)
        if (strcmp(config->stages[i]->name, stage) == 0)
            return i;
    return -1;
}

static df_status unknown_section(const df_config *config, const char *section, df_error *err)
{
    df_str names = {0};
    for (int i = 0; i < config->n_stages; i++)
        if (engines_of(config, i) &&
            df_engine_settings_find(engines_of(config, i), section, strlen(section)) >= 0)
            return df_fail(err, DF_CONFIG, "%s: no such section; did you mean %s.%s?", section,
                           config->stages[i]->name, section);
    df_str_append(&names, "run");
    for (int i = 0; i < config->n_stages; i++)
        df_str_printf(&names, ", %s", config->stages[i]->name);
    df_fail(err, DF_CONFIG, "%s: no such section; there are: %s", section, df_str_text(&names));
    df_str_free(&names);
    return DF_CONFIG;
}

/* run.skip is checked as it is set: a misspelt name there would silently run what should be left
 * out. */
static df_status check_skip(const df_config *config, const char *list, df_error *err)
{
    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ", ");
        int i = 0;
        while (n && i < config->n_stages &&
               (strlen(config->stages[i]->name) != n || memcmp(config->stages[i]->name, p, n) != 0))
            i++;
        if (n && i == config->n_stages)
            return df_fail(err, DF_CONFIG, "run.skip: no stage is called \"%.*s\"", (int)n, p);
        p += n;
    }
    return DF_OK;
}

static df_status set_of_engine(df_config *config, int i, const char *key, const char *value,
                               df_error *err)
{
    const df_stage *stage = config->stages[i];
    const char *last = strrchr(key, '.') + 1;
    df_error why = {""};
    const df_status status =
        df_engine_settings_set(engines_of(config, i), stage->name, key, value, &why);
    const int engine = df_engine_settings_find(engines_of(config, i), key, strcspn(key, "."));
    if (status == DF_CONFIG && engine >= 0 && df_option_find(stage->options, last) &&
        !df_option_find(stage->engines[engine]->options, last))
        return df_fail(err, status, "%s.%s: no such option; did you mean %s.%s?", stage->name, key,
                       stage->name, last);
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
}

static df_status set_of_stage(df_config *config, int i, const char *key, const char *value,
                              df_error *err)
{
    const df_stage *stage = config->stages[i];
    DF_TRY(
        df_renamed_resolve(&config->renamed, stage->aliases, stage->name, key, value, &key, err));
    if (!key)
        return DF_OK;
    return stage->engines && strchr(key, '.')
               ? set_of_engine(config, i, key, value, err)
               : df_option_set(stage->options, config->configs[i], stage->name, key, value, err);
}

df_status df_config_set(df_config *config, const char *key, const char *value, df_error *err)
{
    const char *dot = strchr(key, '.');
    char section[64];
    if (!dot || (size_t)(dot - key) >= sizeof section || !dot[1])
        return df_fail(err, DF_CONFIG, "%s: a key is section.key, like filter.min_side", key);
    memcpy(section, key, (size_t)(dot - key));
    section[dot - key] = '\0';
    if (strcmp(section, "run") == 0) {
        if (strcmp(dot + 1, "skip") == 0)
            DF_TRY(check_skip(config, value, err));
        return df_option_set(df_run_option_table, &config->run, "run", dot + 1, value, err);
    }
    int i = df_config_find(config, section);
    if (i < 0)
        return unknown_section(config, section, err);
    return set_of_stage(config, i, dot + 1, value, err);
}

df_status df_config_load(df_config *config, const char *path, df_error *err)
{
    df_arena arena = {0};
    df_yaml_entry *entries = NULL;
    int n = 0;
    df_status status = df_yaml_read(path, &arena, &entries, &n, err);
    for (int i = 0; status == DF_OK && i < n; i++) {
        df_error why = {""};
        status = df_config_set(config, entries[i].key, entries[i].value, &why);
        if (status != DF_OK)
            df_fail(err, status, "%s:%d: %.400s", path, entries[i].line, why.message);
    }
    df_arena_reset(&arena);
    df_renamed_forget(&config->renamed);     /* the command line has the last word */
    return status;
}

bool df_config_skips(const df_config *config, const char *stage)
{
    size_t n = strlen(stage);
    for (const char *p = config->run.skip ? config->run.skip : ""; *p;) {
        p += strspn(p, ", ");
        size_t word = strcspn(p, ", ");
        if (word == n && memcmp(p, stage, n) == 0)
            return true;
        p += word;
    }
    return false;
}

int df_config_threads(const df_config *config)
{
    if (config->run.threads > 0)
        return (int)config->run.threads;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 1024 ? 1024 : (int)cores;
}

df_onnx_options df_config_runtime(const df_config *config)
{
    return (df_onnx_options){config->run.onnxruntime, config->run.provider,
                             (int)config->run.model_threads, df_config_threads(config)};
}

const char *df_config_share(const df_config *config)
{
    return config->run.share ? config->run.share : DF_SHARE;
}

char *df_config_models(const df_config *config)
{
    if (config->run.models)
        return strdup(config->run.models);
    df_str path = {0};
    df_str_printf(&path, "%s/models", df_config_share(config));
    if (path.failed)
        df_str_free(&path);
    return path.data;
}
