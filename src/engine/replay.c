/* The `replay` engine: captions written earlier, found by the image's path or by
 * the record's key. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "engine/engine.h"
#include "io/json.h"

#define ANSWERS_BYTES_MAX ((size_t)1 << 30)

typedef struct {
    char *answers;
} replay_config;
static const df_option options[] = {
    {"answers", DF_OPT_TEXT, offsetof(replay_config, answers), NULL, 0, 0,
     "JSONL with caption and path, image or key"},
    {0},
};
static const char *const aside[] = {"answers", NULL};        /* what is in it counts */

typedef struct {
    char *path, *key, *caption;
} answer;
typedef struct {
    df_engine base;
    char *file;
    answer *answers;
    int64_t n_answers;
    df_map by_name;                          /* paths and keys, to the index in answers */
} replay;

static void replay_close(df_engine *e)
{
    replay *r = (replay *)e;
    if (!r)
        return;
    for (int64_t i = 0; i < r->n_answers; i++) {
        free(r->answers[i].path);
        free(r->answers[i].key);
        free(r->answers[i].caption);
    }
    free(r->answers);
    df_map_free(&r->by_name);
    free(r->file);
    free(r);
}

static char *copy_member(const df_json *object, const char *key, bool *failed)
{
    const char *text = df_json_text(df_json_member(object, key));
    char *copy = text ? strdup(text) : NULL;
    *failed |= text && !copy;
    return copy;
}

/* Reads one recorded answer, which is found by path or by key. */
static df_status add_line(replay *r, const char *line, size_t size, int64_t number, df_error *err)
{
    char name[400];
    snprintf(name, sizeof name, "%.300s line %lld", r->file, (long long)number);
    df_json *root = NULL;
    DF_TRY(df_json_parse(&root, line, size, name, err));
    bool failed = false;
    answer *a = &r->answers[r->n_answers++];
    *a = (answer){copy_member(root, "path", &failed), copy_member(root, "key", &failed),
                  copy_member(root, "caption", &failed)};
    if (!a->path)
        /* a captions.jsonl of ours is a file of answers too */
        a->path = copy_member(root, "image", &failed);
    df_json_close(root);
    if (failed)
        return df_no_memory(err, "%s", name);
    if (!a->caption || (!a->path && !a->key))
        return df_fail(err, DF_FORMAT,
                       "%s: needs \"caption\" and one of \"path\", \"image\", \"key\"", name);
    int64_t first;
    if (a->path)
        DF_TRY(df_map_put(&r->by_name, a->path, r->n_answers - 1, &first, err));
    return a->key ? df_map_put(&r->by_name, a->key, r->n_answers - 1, &first, err) : DF_OK;
}

/* Reads the file of recorded answers. */
static df_status read_answers(replay *r, df_error *err)
{
    char *text;
    size_t size, n = 1;
    DF_TRY(df_file_read(r->file, ANSWERS_BYTES_MAX, &text, &size, err));
    for (size_t i = 0; i < size; i++)
        n += text[i] == '\n';
    r->answers = calloc(n, sizeof *r->answers);
    df_status status = r->answers ? DF_OK : df_no_memory(err, "read %s", r->file);
    int64_t number = 1;
    for (char *line = text; status == DF_OK && line < text + size; number++) {
        size_t length = strcspn(line, "\n");
        if (length > 0)
            status = add_line(r, line, length, number, err);
        line += length + 1;
    }
    free(text);
    return status;
}

/* Opens the file of caption.replay.answers. */
static df_status replay_open(df_engine **out, const df_engine_setup *setup, df_error *err)
{
    const replay_config *config = setup->own;
    if (!config->answers || !*config->answers)
        return df_fail(err, DF_CONFIG,
                       "caption.replay.answers: the replay engine needs a JSONL file of captions");
    replay *r = calloc(1, sizeof *r);
    if (!r)
        return df_no_memory(err, "open %s", config->answers);
    r->base.ops = &df_engine_replay;
    r->file = strdup(config->answers);
    df_status status =
        r->file ? read_answers(r, err) : df_no_memory(err, "open %s", config->answers);
    if (status == DF_OK)
        *out = &r->base;
    else
        replay_close(&r->base);
    return status;
}

/* Gives the answer that was recorded for the image. */
static df_status replay_caption(df_engine *e, const df_caption_request *request, df_arena *arena,
                                df_caption *out, df_error *err)
{
    const replay *r = (const replay *)e;
    (void)arena;
    (void)err;
    int64_t i = df_map_find(&r->by_name, request->key, -1);
    if (i < 0)
        i = df_map_find(&r->by_name, request->evidence->path, -1);
    *out = (df_caption){
        .model = "", .finish = "", .prompt_tokens = -1, .completion_tokens = -1, .attempts = 1};
    if (i < 0)
        out->error = "no recorded answer for this image";
    else
        out->text = r->answers[i].caption;
    return DF_OK;
}

static df_status replay_depends(const df_engine_setup *setup, df_str *out, df_error *err)
{
    const replay_config *config = setup->own;
    char *text, hex[DF_HASH_HEX];
    size_t size;
    if (!config->answers || !*config->answers)
        return DF_OK;
    DF_TRY(df_file_read(config->answers, ANSWERS_BYTES_MAX, &text, &size, err));
    df_hash_hex(text, size, hex);
    free(text);
    df_str_printf(out, "answers %s\n", hex);
    return DF_OK;
}

const df_engine_ops df_engine_replay = {
    .name = "replay",
    .summary = "captions from a file, by path or key",
    .options = options,
    .aside = aside,
    .config_size = sizeof(replay_config),
    .open = replay_open,
    .depends = replay_depends,
    .caption = replay_caption,
    .close = replay_close,
};
