#include "pipeline/one.h"
#include "evidence/evidence_hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tables/gather.h"
#include "pipeline/pass.h"
#include "pipeline/sight.h"
#include "stage/caption/caption.h"
#include "stage/caption/image.h"
#include "stage/fuse/fuse.h"
#include "tables/ingest.h"

enum { ALT_TEXT_MAX = 2000 };

/* A pixel stage, and its rows of one image. */
typedef struct {
    const df_stage *stage;
    void *state;
    df_table *table;
} eye;

struct df_one {
    const df_config *config;
    df_run run;
    char *models;
    eye eyes[DF_PASS_STAGES_MAX];
    int n_eyes;
    df_fuser fuser;
    df_engine *engine;
};

/* ---- open ---- */

static const void *config_of(const df_one *one, const char *stage)
{
    int i = df_config_find(one->config, stage);
    return i < 0 ? NULL : one->config->configs[i];
}

static bool is_evidence(const df_stage *stage, const df_stage *fuse)
{
    for (const char *const *r = fuse->reads; r && *r; r++)
        if (strcmp(*r, stage->name) == 0)
            return true;
    return false;
}

/* The pixel stages that `fuse` reads, but none that decides: the caller wants this image
 * captioned. */
static df_status open_eyes(df_one *one, df_error *err)
{
    for (int i = 0; i < one->config->n_stages; i++) {
        const df_stage *stage = one->config->stages[i];
        if (!stage->pixels || stage->table->decides || df_config_skips(one->config, stage->name) ||
            !is_evidence(stage, one->config->stages[df_config_find(one->config, "fuse")]))
            continue;
        if (one->n_eyes == DF_PASS_STAGES_MAX)
            return df_fail(err, DF_CONFIG, "more than %d pixel stages", DF_PASS_STAGES_MAX);
        eye *e = &one->eyes[one->n_eyes];
        df_error why = {""};
        df_status status =
            stage->pixels->open(&e->state, NULL, one->config->configs[i], &one->run, &why);
        DF_TRY(df_stage_failed(stage, status, &why, err));
        e->stage = stage;
        one->n_eyes++;
    }
    return DF_OK;
}

df_status df_one_open(df_one **out, const df_config *config, const atomic_bool *stop, df_error *err)
{
    df_one *one = calloc(1, sizeof *one);
    if (!one)
        return df_no_memory(err, "open the experts");
    one->config = config;
    one->models = df_config_models(config);
    one->run = (df_run){.n_threads = 1,
                        .models = one->models,
                        .runtime = df_config_runtime(config),
                        .share = df_config_share(config),
                        .stop = (atomic_bool *)(uintptr_t)stop};
    df_status status =
        !one->models ? df_no_memory(err, "open the experts")
        : !config_of(one, "fuse") || !config_of(one, "caption")
            ? df_fail(err, DF_CONFIG, "no captions without the stages fuse and caption")
            : DF_OK;
    if (status == DF_OK)
        status =
            df_fuser_init(&one->fuser, config_of(one, "fuse"), one->run.share, one->models, err);
    if (status == DF_OK)
        status = df_caption_engine_open(&one->engine, config_of(one, "caption"),
                                        df_config_threads(config), stop, err);
    if (status == DF_OK)
        status = open_eyes(one, err);
    if (status == DF_OK)
        *out = one;
    else
        df_one_close(one);
    return status;
}

void df_one_close(df_one *one)
{
    if (!one)
        return;
    for (int i = 0; i < one->n_eyes; i++)
        one->eyes[i].stage->pixels->close(one->eyes[i].state);
    df_fuser_free(&one->fuser);
    if (one->engine)
        one->engine->ops->close(one->engine);
    free(one->models);
    free(one);
}

/* ---- one image ---- */

/* The row that ingest would have written; what it can't know is null. */
static df_status ingest_row(df_table **out, const df_image *image, const char *alt_text,
                            df_error *err)
{
    const df_value values[DF_INGEST_COLUMNS] = {[DF_INGEST_ROW] = DF_INT(0),
                                                [DF_INGEST_PATH] = DF_TEXT("image"),
                                                [DF_INGEST_WIDTH] = DF_INT(image->full_width),
                                                [DF_INGEST_HEIGHT] = DF_INT(image->full_height),
                                                [DF_INGEST_ALT_TEXT] = DF_TEXT(alt_text)};
    df_table *t;
    DF_TRY(df_table_create(&t, df_ingest_table.columns, err));
    df_status status = df_table_append(t, values, err);
    if (status == DF_OK)
        *out = t;
    else
        df_table_close(t);
    return status;
}

static df_status perceive(df_one *one, df_sight *sight, df_arena *arena, df_error *err)
{
    for (int i = 0; i < one->n_eyes; i++) {
        eye *e = &one->eyes[i];
        df_error why = {""};
        df_status status = df_table_create(&e->table, df_stage_columns(e->stage), &why);
        if (status == DF_OK)
            status = e->stage->pixels->perceive(e->state, sight, arena, e->table, &why);
        if (status == DF_OK)
            df_sight_add(sight,
                         (df_image_rows){e->stage->table, e->table, 0, df_table_rows(e->table)});
        DF_TRY(df_stage_failed(e->stage, status, &why, err));
    }
    return DF_OK;
}

static df_table *table_of(const df_one *one, const char *stage)
{
    for (int i = 0; i < one->n_eyes; i++)
        if (strcmp(one->eyes[i].stage->name, stage) == 0)
            return one->eyes[i].table;
    return NULL;
}

/* Fuses the evidence of the image, fills the prompt, and has the engine write the caption. */
static df_status write_caption(df_one *one, const df_evidence *raw, const df_image *image,
                               df_arena *arena, char **caption, df_error *err)
{
    df_fused fused;
    df_str prompt = {0};
    char key[DF_HASH_HEX];
    DF_TRY(df_fuse(&one->fuser.how, raw, arena, &fused, err));
    DF_TRY(df_evidence_hash(&fused.told, key, err));
    df_status status = df_prompt_fill(one->fuser.prompt, &fused.told, &prompt, err);
    df_caption_request request = {
        .key = key, .prompt = df_str_text(&prompt), .evidence = &fused.told, .image = image};
    df_caption answer = {0};
    uint8_t *jpeg = NULL;
    if (status == DF_OK && one->engine->ops->needs_jpeg)
        status = df_caption_image_encode(config_of(one, "caption"), image, &jpeg,
                                         &request.jpeg_size, err);
    request.jpeg = jpeg;
    if (status == DF_OK)
        status = one->engine->ops->caption(one->engine, &request, arena, &answer, err);
    if (status == DF_OK && !answer.text)
        status = df_fail(err, DF_REMOTE, "%.500s",
                         answer.error ? answer.error : "the engine wrote no caption");
    if (status == DF_OK)
        status = df_arena_check(arena, "caption", err);
    if (status == DF_OK && !(*caption = strdup(answer.text)))
        status = df_no_memory(err, "caption");
    df_str_free(&prompt);
    free(jpeg);
    return status;
}

static df_status look_and_write(df_one *one, df_sight *sight, df_table *ingest, df_arena *arena,
                                char **caption, df_error *err)
{
    sight->ingest = ingest;
    DF_TRY(perceive(one, sight, arena, err));
    const df_evidence_tables tables = {.ingest = ingest,
                                       .tag = table_of(one, "tag"),
                                       .detect = table_of(one, "detect"),
                                       .read = table_of(one, "read"),
                                       .look = table_of(one, "look")};
    df_evidence *evidence;
    int64_t n;
    DF_TRY(df_evidence_gather(&tables, arena, &evidence, &n, err));
    return write_caption(one, &evidence[0], sight->image, arena, caption, err);
}

df_status df_one_caption(df_one *one, const void *bytes, size_t size, const char *alt_text,
                         char **caption, df_error *err)
{
    df_sight sight = {0};
    df_pixels pixels = {0};
    df_table *ingest = NULL;
    df_arena arena = {0};
    df_str alt = {0};
    if (alt_text)
        df_str_append_clean(&alt, alt_text, strlen(alt_text), ALT_TEXT_MAX);
    df_sight_take(&sight, bytes, size, &pixels);
    df_status status = alt.failed ? df_no_memory(err, "caption")
                                  : df_sight_show(&sight, &pixels, DF_EDGE_WHOLE, err);
    if (status == DF_OK && !sight.image)
        status = df_fail(err, DF_FORMAT, "%s image: %.400s", sight.problem, sight.detail);
    if (status == DF_OK)
        status = ingest_row(&ingest, sight.image, alt.size ? alt.data : NULL, err);
    if (status == DF_OK)
        status = look_and_write(one, &sight, ingest, &arena, caption, err);
    for (int i = 0; i < one->n_eyes; i++) {
        df_table_close(one->eyes[i].table);
        one->eyes[i].table = NULL;
    }
    df_table_close(ingest);
    df_pixels_free(&pixels);
    df_arena_reset(&arena);
    df_str_free(&alt);
    return status;
}
