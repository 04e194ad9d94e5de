/* The built-in engine: plain factual English from the evidence alone. It needs no model, so it
 * can't invent. */
#include "engine/compose/compose.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine.h"

typedef struct {
    df_engine base;
    df_nouns *nouns;
} compose_engine;

static void hash_region(df_str *s, const df_region *r)
{
    for (int i = 0; i < r->n_colours; i++)
        df_str_printf(s, "%s%.2f,", r->colours[i].name, r->colours[i].share);
}

/* Everything that a caption can depend on, in one number. */
static void take_seed(composer *c)
{
    const df_evidence *ev = c->ev;
    df_str s = {0};
    df_str_printf(&s, "%lld %lld %s\n", (long long)ev->width, (long long)ev->height, ev->alt_text);
    for (int i = 0; i < ev->n_tags; i++)
        df_str_printf(&s, "%s\n", ev->tags[i].label);
    for (int i = 0; i < ev->n_boxes; i++)
        df_str_printf(&s, "%s %.0f %.0f\n", ev->boxes[i].label, ev->boxes[i].x0, ev->boxes[i].y0);
    for (int i = 0; i < ev->n_lines; i++)
        df_str_printf(&s, "%s\n", ev->lines[i].text);
    hash_region(&s, &ev->whole);
    c->seed = df_hash_64(df_str_text(&s), s.size);
    c->now.failed |= s.failed;
    df_str_free(&s);
}

/* Text is promised, so it is written before the extras; the reader meets it where it belongs. */
static void compose_caption(composer *c, df_str *out)
{
    compose_scene(c);
    compose_texts(c);
    compose_others(c);
    compose_areas(c);
    compose_tone(c);
    for (int i = 0; i < N_SLOTS; i++) {
        if (c->slots[i].size && out->size)
            df_str_append(out, " ");
        df_str_append(out, df_str_text(&c->slots[i]));
        out->failed = out->failed || c->slots[i].failed;
    }
}

static df_status compose_open(df_engine **out, const df_engine_setup *setup, df_error *err)
{
    (void)setup;
    compose_engine *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "compose");
    e->base.ops = &df_engine_compose;
    df_status status = df_nouns_open(&e->nouns, err);
    if (status != DF_OK) {
        free(e);
        return status;
    }
    *out = &e->base;
    return DF_OK;
}

/* Writes the caption of one image. */
static df_status compose_run(df_engine *e, const df_caption_request *request, df_arena *arena,
                             df_caption *out, df_error *err)
{
    composer c = {.ev = request->evidence, .nouns = ((compose_engine *)e)->nouns, .arena = arena};
    take_seed(&c);
    df_str text = {0};
    bool ok = compose_plan(&c);
    if (ok)
        compose_caption(&c, &text);
    char *caption = ok && !text.failed && !c.now.failed && !arena->failed
                        ? df_arena_strdup(arena, df_str_text(&text))
                        : NULL;
    for (int i = 0; i < N_SLOTS; i++)
        df_str_free(&c.slots[i]);
    df_str_free(&c.now);
    df_str_free(&text);
    if (!caption)
        return df_no_memory(err, "compose %s", c.ev->path);
    *out = (df_caption){.text = caption,
                        .model = "compose-1",
                        .finish = "stop",
                        .prompt_tokens = -1,
                        .completion_tokens = -1,
                        .attempts = 1};
    if (!*caption)
        *out = (df_caption){.error = "no evidence to write from",
                            .model = "compose-1",
                            .finish = "",
                            .prompt_tokens = -1,
                            .completion_tokens = -1,
                            .attempts = 1};
    return DF_OK;
}

static void compose_close(df_engine *e)
{
    if (!e)
        return;
    df_nouns_close(((compose_engine *)e)->nouns);
    free(e);
}

const df_engine_ops df_engine_compose = {
    .name = "compose",
    .summary = "plain factual English from the evidence alone, without a model",
    .needs_pixels = false,
    .open = compose_open,
    .caption = compose_run,
    .close = compose_close,
};
