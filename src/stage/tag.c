/* tag: what kinds of things and scenes the image shows, as whole-image classifiers say. */
#include <stdlib.h>
#include "expert/panel.h"
#include "stage/import/import.h"
#include "tables/tag.h"
#include "tables/tables.h"

typedef struct {
    char *models, *from;
    double threshold;
} tag_config;
typedef struct {
    df_panel panel;
    df_evidence_import *imported;
    const df_run *run;
} tag_state;

static const df_option options[] = {
    {"models", DF_OPT_TEXT, offsetof(tag_config, models), "efficientnet-lite2", 0, 0,
     "classifiers, joined by commas; the first must be installed, others are used when they are; "
     "empty: none"},
    {"threshold", DF_OPT_REAL, offsetof(tag_config, threshold), "0", 0, 1,
     "least probability of a tag; 0: what each model's card says"},
    DF_IMPORT_OPTION(tag_config),
    {0},
};

static void tag_close(void *state)
{
    tag_state *s = state;
    if (s) {
        df_panel_free(&s->panel);
        df_evidence_import_close(s->imported);
    }
    free(s);
}

/* Opens the taggers, and the tags that a user brings. */
static df_status tag_open(void **state, const df_dataset *ds, const void *config, const df_run *run,
                          df_error *err)
{
    const tag_config *c = config;
    tag_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, NULL);
    s->run = run;
    df_status status =
        df_panel_init(&s->panel, run->models, c->models, c->threshold, &run->runtime, err);
    if (status == DF_OK)
        status = df_import_open(&s->imported, ds, "tag", c->from, run, err);
    if (status != DF_OK) {
        tag_close(s);
        return status;
    }
    if (s->panel.missing.size)
        df_run_note(run, "tag: %s not installed, going on without", df_str_text(&s->panel.missing));
    *state = s;
    return DF_OK;
}

typedef struct {
    df_tag tag;
    const char *source;
} sourced_tag;

static int by_falling_score(const void *a, const void *b)
{
    const sourced_tag *x = a, *y = b;
    if (x->tag.score != y->tag.score)
        return x->tag.score < y->tag.score ? 1 : -1;
    return x->tag.item - y->tag.item;        /* order of models, then of their answers */
}

/* Appends the tags of all models by falling score. */
static df_status append(const df_percept *seen, const char *const *sources, int n_models,
                        int64_t row, df_arena *arena, df_table *out, df_error *err)
{
    size_t n = 0;
    for (int m = 0; m < n_models; m++)
        n += (size_t)seen[m].n_tags;
    sourced_tag *all = df_arena_alloc(arena, n + 1, sizeof *all);
    if (!all)
        return df_no_memory(err, NULL);
    n = 0;
    for (int m = 0; m < n_models; m++)
        for (int i = 0; i < seen[m].n_tags; i++, n++) {
            all[n] = (sourced_tag){seen[m].tags[i], sources[m]};
            all[n].tag.item = (int)n;
        }
    qsort(all, n, sizeof *all, by_falling_score);
    for (size_t i = 0; i < n; i++)
        DF_TRY(df_table_append(
            out,
            (const df_value[DF_TAG_COLUMNS]){[DF_TAG_ROW] = DF_INT(row),
                                             [DF_TAG_TAG] = DF_TEXT(all[i].tag.label),
                                             [DF_TAG_SCORE] = DF_REAL(all[i].tag.score),
                                             [DF_TAG_SOURCE] = DF_TEXT(all[i].source)},
            err));
    return DF_OK;
}

static df_status perceive(const tag_state *s, df_sight *sight, df_arena *arena, df_table *out,
                          df_error *err)
{
    df_percept seen[DF_PANEL_MAX];
    const char *sources[DF_PANEL_MAX];
    DF_TRY(df_panel_perceive(&s->panel, sight->image, NULL, arena, seen, err));
    for (int i = 0; i < s->panel.n_experts; i++)
        if (seen[i].trouble)
            df_run_note(s->run, "tag: part %d row %lld: %s", sight->part, (long long)sight->row,
                        seen[i].trouble);
    for (int i = 0; i < s->panel.n_experts; i++)
        sources[i] = df_expert_card(s->panel.experts[i], 0)->name;
    return append(seen, sources, s->panel.n_experts, sight->row, arena, out, err);
}

static bool tag_looks(const void *state)
{
    return ((const tag_state *)state)->panel.n_experts > 0;
}

static df_status tag_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                              df_error *err)
{
    const tag_state *s = state;
    if (sight->image && tag_looks(s))
        DF_TRY(perceive(s, sight, arena, out, err));
    return df_evidence_import_append(s->imported, sight->part, sight->row, out, err);
}

static df_status tag_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    DF_TRY(df_onnx_describe(&run->runtime, out, err));
    DF_TRY(df_import_describe("tag", ((const tag_config *)config)->from, out, err));
    return df_panel_describe(run->models, ((const tag_config *)config)->models, out, err);
}

static const df_pixel_ops tag_pixels = {.open = tag_open,
                                        .perceive = tag_perceive,
                                        .close = tag_close,
                                        .blind = true,
                                        .looks = tag_looks};

const df_stage df_stage_tag = {
    .name = "tag",
    .summary = "kinds of things and scenes in the image, by whole-image classifiers",
    .reads = (const char *const[]){"ingest", DF_DECIDERS, NULL},
    .table = &df_tag_table,
    .options = options,
    .config_size = sizeof(tag_config),
    .pixels = &tag_pixels,
    .depends = tag_depends,
};
