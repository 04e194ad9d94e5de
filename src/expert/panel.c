/* Opens the experts of a list and asks them one after another. */
#include "expert/panel.h"
#include <string.h>
#include "expert/tiles.h"

enum { NAME_MAX_BYTES = 128 };

/* Called for every name of a list that is to be used. */
typedef df_status (*visit_fn)(void *ctx, const char *models, const char *name, df_error *err);

/* Takes the next name off *list; name is "" after the last. Spaces around a name are ignored. */
static df_status next_name(const char **list, char name[NAME_MAX_BYTES], df_error *err)
{
    *list += strspn(*list, ", ");
    size_t n = strcspn(*list, ", ");
    if (n >= NAME_MAX_BYTES)
        return df_fail(err, DF_CONFIG, "models: \"%.40s...\" is not the name of a model", *list);
    memcpy(name, *list, n);
    name[n] = '\0';
    *list += n;
    return DF_OK;
}

/* Visits the first name and all others that are installed; collects the missing ones. */
static df_status visit_names(const char *models, const char *list, visit_fn visit, void *ctx,
                             df_str *missing, df_error *err)
{
    char name[NAME_MAX_BYTES];
    for (bool first = true;; first = false) {
        DF_TRY(next_name(&list, name, err));
        if (!name[0])
            return DF_OK;
        if (first || df_card_installed(models, name))
            DF_TRY(visit(ctx, models, name, err));
        else if (missing)
            df_str_printf(missing, "%s%s", missing->size ? ", " : "", name);
    }
}

typedef struct {
    df_panel *panel;
    double threshold;
    const df_onnx_options *runtime;
} opening;

static df_status open_one(void *ctx, const char *models, const char *name, df_error *err)
{
    const opening *o = ctx;
    df_panel *panel = o->panel;
    if (panel->n_experts == DF_PANEL_MAX)
        return df_fail(err, DF_CONFIG, "models: more than %d", DF_PANEL_MAX);
    df_expert_handle *expert = NULL;
    DF_TRY(df_expert_open(&expert, models, &name, 1, o->runtime, err));
    if (o->threshold > 0)
        df_expert_set_threshold(expert, o->threshold);
    panel->experts[panel->n_experts++] = expert;
    return DF_OK;
}

df_status df_panel_init(df_panel *panel, const char *models, const char *names, double threshold,
                        const df_onnx_options *runtime, df_error *err)
{
    df_panel fresh = {0};
    opening o = {&fresh, threshold, runtime};
    df_status status = visit_names(models, names ? names : "", open_one, &o, &fresh.missing, err);
    if (status == DF_OK && fresh.missing.failed)
        status = df_no_memory(err, "open models");
    if (status != DF_OK) {
        df_panel_free(&fresh);
        return status;
    }
    *panel = fresh;
    return DF_OK;
}

void df_panel_free(df_panel *panel)
{
    for (int i = 0; i < panel->n_experts; i++)
        df_expert_close(panel->experts[i]);
    df_str_free(&panel->missing);
    *panel = (df_panel){0};
}

df_status df_panel_perceive(const df_panel *panel, const df_image *image, const df_queries *queries,
                            df_arena *arena, df_percept seen[DF_PANEL_MAX], df_error *err)
{
    for (int i = 0; i < panel->n_experts; i++) {
        df_error why;
        seen[i] = (df_percept){0};
        df_status status =
            df_expert_perceive(panel->experts[i], image, queries, arena, &seen[i], &why);
        if (status == DF_FORMAT)
            status = (seen[i].trouble = df_arena_strdup(arena, why.message)) ? DF_OK : DF_NOMEM;
        if (status != DF_OK)
            return df_fail(err, status, "%s", why.message);
        DF_TRY(df_tiles_perceive(panel->experts[i], image, queries, &panel->slicing, arena,
                                 &seen[i], err));
    }
    return DF_OK;
}

static df_status describe_one(void *ctx, const char *models, const char *name, df_error *err)
{
    return df_card_describe(models, name, ctx, err);
}

df_status df_panel_describe(const char *models, const char *names, df_str *out, df_error *err)
{
    return visit_names(models, names ? names : "", describe_one, out, NULL, err);
}
