/* caption: an engine writes one dense caption per kept image, from its prompt, evidence and pixels (paper section 3.2.2). */
#include "stage/caption.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/pool.h"
#include "dataset/gather.h"
#include "dataset/journal.h"
#include "dataset/source.h"
#include "io/json.h"
#include "stage/stage.h"

enum { DECODE_SIDE = 2048 };

/* One row of `fuse` on its way to a row of `caption`. */
typedef struct {
    int64_t row;                             /* of ingest */
    char key[DF_HASH_HEX];
    df_caption answer;                       /* text lives in the record's arena, or in the journal */
    df_arena arena;
} record;

typedef struct {
    df_dataset *ds;
    const df_caption_config *config;
    const df_run *run;
    const df_engine_ops *ops;
    df_engine *engine;
    int64_t n_done, n_total;
    pthread_mutex_t lock;                    /* n_done and progress */
    /* the part at work */
    df_evidence_tables tables;
    df_table *fuse;
    df_evidence *evidence;
    df_arena arena;                          /* evidence, and answers found in the journal */
    record *records;
    df_journal *journal;
    df_map journalled;                       /* key to journal line */
} captioner;

/* ---- keys and the journal ---- */

/* What a caption depends on: image, evidence, prompt, engine and those options that change its words. */
static void make_key(const captioner *c, int64_t i, record *r)
{
    const df_caption_config *k = c->config;
    const df_table *ingest = c->tables.ingest;
    const char *image = df_table_text(ingest, r->row, df_table_column(ingest, "hash"));
    df_str text = {0};
    df_str_printf(&text, "%s\n%s\n%s\n", *image ? image : c->evidence[r->row].path,
                  df_table_text(c->fuse, i, df_table_column(c->fuse, "evidence_hash")), k->engine);
    if (c->ops->remote)
        df_str_printf(&text, "%s\n%lld\n%lld\n%lld\n%lld\n%.17g\n", k->model ? k->model : "", (long long)k->max_tokens,
                      (long long)k->seed, (long long)k->image_side, (long long)k->image_quality, k->temperature);
    df_str_append(&text, df_table_text(c->fuse, i, df_table_column(c->fuse, "prompt")));
    df_hash_hex(df_str_text(&text), text.size, r->key);
    df_str_free(&text);
}

static df_status index_journal(captioner *c, int part, df_error *err)
{
    char *path = df_dataset_part_path(c->ds, "caption", part, "journal");
    df_status status = path ? df_journal_open(&c->journal, path, err) : df_fail(err, DF_NOMEM, "caption: out of memory");
    free(path);
    for (int64_t i = 0; status == DF_OK && i < df_journal_lines(c->journal); i++) {
        const char *line = df_journal_line(c->journal, i);
        df_json *root = NULL;
        if (df_json_parse(&root, line, strlen(line), "journal", NULL) != DF_OK)
            continue;                        /* asked again */
        const char *found = df_json_text(df_json_member(root, "key"));
        const char *key = found ? df_arena_strdup(&c->arena, found) : NULL;
        int64_t stored;
        if (key)
            status = df_map_put(&c->journalled, key, i, &stored, err);
        df_json_close(root);
    }
    return status;
}

static const char *member_text(const df_json *root, const char *key, df_arena *arena)
{
    const char *text = df_json_text(df_json_member(root, key));
    return df_arena_strdup(arena, text ? text : "");
}

static bool found_in_journal(const captioner *c, record *r)
{
    int64_t i = df_map_find(&c->journalled, r->key, -1);
    df_json *root = NULL;
    if (i < 0)
        return false;
    const char *line = df_journal_line(c->journal, i);
    if (df_json_parse(&root, line, strlen(line), "journal", NULL) != DF_OK)
        return false;
    r->answer = (df_caption){
        .text = member_text(root, "caption", &r->arena), .model = member_text(root, "model", &r->arena),
        .finish = member_text(root, "finish", &r->arena),
        .prompt_tokens = df_json_int(df_json_member(root, "prompt_tokens"), -1),
        .completion_tokens = df_json_int(df_json_member(root, "completion_tokens"), -1),
        .attempts = df_json_int(df_json_member(root, "attempts"), -1)};
    df_json_close(root);
    return r->answer.text && *r->answer.text && r->answer.model && r->answer.finish;
}

static df_status keep_in_journal(const captioner *c, const record *r, df_error *err)
{
    df_str line = {0};
    df_str_printf(&line, "{\"key\":\"%s\",\"caption\":", r->key);
    df_json_append_text(&line, r->answer.text);
    df_str_append(&line, ",\"model\":");
    df_json_append_text(&line, r->answer.model);
    df_str_append(&line, ",\"finish\":");
    df_json_append_text(&line, r->answer.finish);
    df_str_printf(&line, ",\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"attempts\":%lld}",
                  (long long)r->answer.prompt_tokens, (long long)r->answer.completion_tokens,
                  (long long)r->answer.attempts);
    df_status status = line.failed ? df_fail(err, DF_NOMEM, "caption: out of memory")
                                   : df_journal_append(c->journal, df_str_text(&line), err);
    df_str_free(&line);
    return status;
}

/* ---- one record ---- */

static void refuse(record *r, const char *why)
{
    const char *words = df_arena_strdup(&r->arena, why);
    r->answer = (df_caption){.error = words ? words : "out of memory", .model = "", .finish = "", .prompt_tokens = -1,
                             .completion_tokens = -1, .attempts = 0};
}

static df_status load_pixels(const captioner *c, record *r, df_image *image, df_error *err)
{
    df_error why = {""};
    uint8_t *bytes = NULL;
    size_t size = 0;
    df_status status = df_source_read(c->ds, c->tables.ingest, r->row, &bytes, &size, &why);
    if (status == DF_OK)
        status = df_image_decode(bytes, size, DECODE_SIDE, image, &why);
    free(bytes);
    if (status == DF_OK || status == DF_NOMEM)
        return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
    refuse(r, why.message);
    return DF_OK;
}

static df_status write_one(void *ctx, int64_t i, int thread, df_error *err)
{
    captioner *c = ctx;
    (void)thread;
    record *r = &c->records[i];
    df_image image = {0};
    const df_table *ingest = c->tables.ingest;
    const char *problem = df_table_text(ingest, r->row, df_table_column(ingest, "problem"));
    df_status status = df_run_stopped(c->run) ? df_fail(err, DF_STOPPED, "stopped") : DF_OK;
    if (status == DF_OK && !found_in_journal(c, r)) {
        const char *prompt = df_table_text(c->fuse, i, df_table_column(c->fuse, "prompt"));
        if (*problem)                        /* kept for its vector, never seen */
            refuse(r, problem);
        else if (c->ops->needs_pixels)
            status = load_pixels(c, r, &image, err);
        df_caption_request request = {r->key, prompt, &c->evidence[r->row], image.rgb ? &image : NULL};
        if (status == DF_OK && !r->answer.error)
            status = c->ops->caption(c->engine, &request, &r->arena, &r->answer, err);
        if (status == DF_OK && c->journal && r->answer.text)
            status = keep_in_journal(c, r, err);
    }
    df_image_free(&image);
    if (status != DF_OK)
        return status;
    if (r->answer.error && !*problem)
        df_run_note(c->run, "caption: %s: %.300s", c->evidence[r->row].path, r->answer.error);
    pthread_mutex_lock(&c->lock);
    df_run_progress(c->run, "caption", ++c->n_done, c->n_total);
    pthread_mutex_unlock(&c->lock);
    return DF_OK;
}

/* ---- one part ---- */

static const df_column columns[] = {
    {"row", DF_COLUMN_INT}, {"caption", DF_COLUMN_TEXT}, {"error", DF_COLUMN_TEXT}, {"engine", DF_COLUMN_TEXT},
    {"model", DF_COLUMN_TEXT}, {"finish", DF_COLUMN_TEXT}, {"prompt_tokens", DF_COLUMN_INT},
    {"completion_tokens", DF_COLUMN_INT}, {"attempts", DF_COLUMN_INT}, {"key", DF_COLUMN_TEXT}, {0},
};

static df_value known(int64_t count)
{
    return count < 0 ? DF_NULL : DF_INT(count);
}

static df_status write_part(captioner *c, int part, df_error *err)
{
    df_table *t = NULL;
    df_status status = df_table_create(&t, columns, err);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(c->fuse); i++) {
        const record *r = &c->records[i];
        const df_caption *a = &r->answer;
        df_value values[] = {DF_INT(r->row), DF_TEXT(a->text), DF_TEXT(a->error), DF_TEXT(c->config->engine),
                             DF_TEXT(a->model), DF_TEXT(a->finish), known(a->prompt_tokens),
                             known(a->completion_tokens), known(a->attempts), DF_TEXT(r->key)};
        status = df_table_append(t, values, err);
    }
    if (status == DF_OK)
        status = df_dataset_write(c->ds, "caption", part, t, err);
    df_table_close(t);
    return status;
}

static void close_part(captioner *c)
{
    for (int64_t i = 0; c->records && i < df_table_rows(c->fuse); i++)
        df_arena_reset(&c->records[i].arena);
    free(c->records);
    df_table_close(c->fuse);
    df_evidence_tables_close(&c->tables);
    df_map_free(&c->journalled);
    df_journal_close(c->journal);
    df_arena_reset(&c->arena);
    c->records = NULL;
    c->fuse = NULL;
    c->evidence = NULL;
    c->journal = NULL;
}

static df_status open_part(captioner *c, int part, df_error *err)
{
    int64_t n_evidence = 0;
    DF_TRY(df_evidence_tables_open(&c->tables, c->ds, part, true, err));
    DF_TRY(df_dataset_read(c->ds, "fuse", part, &c->fuse, err));
    DF_TRY(df_evidence_gather(&c->tables, &c->arena, &c->evidence, &n_evidence, err));
    c->records = calloc((size_t)df_table_rows(c->fuse) + 1, sizeof *c->records);
    if (!c->records)
        return df_fail(err, DF_NOMEM, "caption: out of memory");
    for (int64_t i = 0; i < df_table_rows(c->fuse); i++) {
        record *r = &c->records[i];
        r->row = df_table_int(c->fuse, i, df_table_column(c->fuse, "row"));
        if (r->row < 0 || r->row >= n_evidence)
            return df_fail(err, DF_FORMAT, "fuse part %d: row %lld is not in ingest", part, (long long)r->row);
        make_key(c, i, r);
    }
    return c->ops->remote ? index_journal(c, part, err) : DF_OK;
}

static df_status caption_part(captioner *c, int part, df_error *err)
{
    df_status status = open_part(c, part, err);
    if (status == DF_OK) {
        int64_t n = c->ops->remote ? c->config->concurrency : c->run->n_threads;
        status = df_pool_run((int)n, df_table_rows(c->fuse), write_one, c, err);
    }
    if (status == DF_OK)
        status = write_part(c, part, err);
    close_part(c);
    return status;
}

/* ---- the stage ---- */

static df_status count_work(captioner *c, df_error *err)
{
    int n_parts = df_dataset_parts(c->ds);
    for (int part = 0; part < n_parts; part++) {
        df_table *fuse = NULL;
        if (!df_run_wants(c->run, part) || df_dataset_has_part(c->ds, "caption", part))
            continue;
        DF_TRY(df_dataset_read(c->ds, "fuse", part, &fuse, err));
        c->n_total += df_table_rows(fuse);
        df_table_close(fuse);
    }
    return DF_OK;
}

static df_status make_folder(const df_dataset *ds, df_error *err)
{
    df_str folder = {0};
    df_str_printf(&folder, "%s/caption", df_dataset_folder(ds));
    df_status status = folder.failed ? df_fail(err, DF_NOMEM, "caption: out of memory")
                                     : df_file_mkdir(df_str_text(&folder), err);
    df_str_free(&folder);
    return status;
}

df_status df_caption_engine_open(df_engine **out, const df_caption_config *k, const atomic_bool *stop, df_error *err)
{
    const df_engine_ops *ops = df_engine_find(k->engine);
    if (!ops)
        return df_fail(err, DF_CONFIG, "caption.engine: \"%s\" is none of compose, openai, replay", k->engine);
    df_engine_config settings = {
        .url = k->url, .model = k->model, .api_key_file = k->api_key_file, .answers = k->answers,
        .max_tokens = k->max_tokens, .timeout_s = k->timeout_s, .retries = k->retries, .image_side = k->image_side,
        .image_quality = k->image_quality, .seed = k->seed, .temperature = k->temperature, .stop = stop};
    return ops->open(out, &settings, err);
}

static df_status caption_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const df_caption_config *k = config;
    captioner c = {.ds = ds, .config = k, .run = run};
    DF_TRY(df_caption_engine_open(&c.engine, k, run->stop, err));
    c.ops = c.engine->ops;
    pthread_mutex_init(&c.lock, NULL);
    df_status status = make_folder(ds, err);
    if (status == DF_OK)
        status = count_work(&c, err);
    int n_parts = df_dataset_parts(ds);
    for (int part = 0; status == DF_OK && part < n_parts; part++)
        if (df_run_wants(run, part) && !df_dataset_has_part(ds, "caption", part))
            status = caption_part(&c, part, err);
    pthread_mutex_destroy(&c.lock);
    c.ops->close(c.engine);
    return status;
}

/* Recorded answers are an input: other answers, other captions. */
static df_status caption_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const df_caption_config *k = config;
    (void)run;
    if (strcmp(k->engine, "replay") != 0 || !k->answers || !*k->answers)
        return DF_OK;
    char *text, hex[DF_HASH_HEX];
    size_t size;
    DF_TRY(df_file_read(k->answers, (size_t)1 << 30, &text, &size, err));
    df_hash_hex(text, size, hex);
    free(text);
    df_str_printf(out, "answers %s\n", hex);
    return DF_OK;
}

#define AT(field) offsetof(df_caption_config, field)
static const df_option options[] = {
    {"engine", DF_OPT_TEXT, AT(engine), "compose", 0, 0, "who writes: compose (built in, no model), openai (a server), replay (a file)"},
    {"url", DF_OPT_TEXT, AT(url), NULL, 0, 0, "openai: base URL of the server, such as http://127.0.0.1:8080"},
    {"model", DF_OPT_TEXT, AT(model), NULL, 0, 0, "openai: model name to ask for"},
    {"api_key_file", DF_OPT_TEXT, AT(api_key_file), NULL, 0, 0, "openai: file with the API key; else $OPENAI_API_KEY"},
    {"answers", DF_OPT_TEXT, AT(answers), NULL, 0, 0, "replay: JSONL with caption and path, image or key"},
    {"max_tokens", DF_OPT_INT, AT(max_tokens), "512", 1, 32768, "openai: longest answer"},
    {"temperature", DF_OPT_REAL, AT(temperature), "0.2", 0, 2, "openai: sampling temperature"},
    {"seed", DF_OPT_INT, AT(seed), "0", 0, 2147483647, "openai: sampling seed"},
    {"image_side", DF_OPT_INT, AT(image_side), "1344", 28, 2048, "openai: longest side of the JPEG sent, pixels"},
    {"image_quality", DF_OPT_INT, AT(image_quality), "90", 1, 100, "openai: quality of the JPEG sent"},
    {"concurrency", DF_OPT_INT, AT(concurrency), "8", 1, 256, "openai: requests in flight"},
    {"timeout_s", DF_OPT_INT, AT(timeout_s), "300", 1, 86400, "openai: longest wait for one answer, seconds"},
    {"retries", DF_OPT_INT, AT(retries), "6", 0, 100, "openai: further attempts at what may pass (429, 5xx, a broken connection)"},
    {0},
};

const df_stage df_stage_caption = {
    .name = "caption", .summary = "write one dense caption per image",
    .reads = (const char *const[]){"ingest", "look", "fuse", NULL},
    .columns = columns, .options = options, .config_size = sizeof(df_caption_config), .run = caption_run,
    .depends = caption_depends,
};
