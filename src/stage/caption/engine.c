/* The engine that the configuration chooses. */
#include <string.h>

#include "stage/caption/caption.h"

df_engine_setup df_caption_engine_setup(const df_caption_config *k, int n_threads,
                                        const atomic_bool *stop)
{
    return (df_engine_setup){.shared = &k->shared,
                             .own = df_engine_settings_own(&k->engines, k->engine),
                             .n_threads = n_threads,
                             .stop = stop};
}

const df_openai_config *df_caption_openai(const df_caption_config *config)
{
    static const df_openai_config none = {0};
    const df_openai_config *own = df_engine_settings_own(&config->engines, df_engine_openai.name);
    return own ? own : &none;
}

df_status df_caption_engine_choose(const df_engine_ops **ops, const df_caption_config *k,
                                   df_error *err)
{
    df_str names = {0};
    *ops = df_engine_settings_ops(&k->engines, k->engine);
    if (*ops)
        return DF_OK;
    for (const df_engine_ops *const *e = k->engines.engines; *e; e++)
        df_str_printf(&names, "%s%s", names.size ? ", " : "", (*e)->name);
    df_fail(err, DF_CONFIG, "caption.engine: \"%s\" is none of %s", k->engine, df_str_text(&names));
    df_str_free(&names);
    return DF_CONFIG;
}

df_status df_caption_engine_open(df_engine **out, const df_caption_config *k, int n_threads,
                                 const atomic_bool *stop, df_error *err)
{
    const df_engine_ops *ops;
    DF_TRY(df_caption_engine_choose(&ops, k, err));
    const df_engine_setup setup = df_caption_engine_setup(k, n_threads, stop);
    return ops->open(out, &setup, err);
}
