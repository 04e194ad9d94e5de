#include "engine/engine.h"

#include <string.h>

const df_engine_ops *const df_engines[] = {&df_engine_compose, &df_engine_openai, &df_engine_llama,
                                           &df_engine_replay, NULL};

const df_engine_ops *df_engine_find(const char *name)
{
    for (const df_engine_ops *const *e = df_engines; *e; e++)
        if (strcmp((*e)->name, name) == 0)
            return *e;
    return NULL;
}
