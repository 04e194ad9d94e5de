/* caption: an engine writes one dense caption per kept image, from its prompt, evidence and pixels
 * (paper section 3.2.2). */
#include "stage/caption/caption.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "engine/openai/access.h"
#include "stage/caption/estimate.h"
#include "stage/caption/record.h"
#include "stage/check/check.h"
#include "tables/caption.h"
#include "tables/fuse.h"

/* A part that has something to do. Its records are items [first, first + n) of the whole work. */
typedef struct {
    int part;
    int64_t first, n;
    /* records not asked for yet; without an answer; of those, that were put off */
    int64_t unasked, left, n_put_off;
    df_caption_part open;
    bool is_open;
} planned;

typedef struct {
    df_caption_work work;
    planned *plan;
    int n_plan;
    int64_t n_done, n_total;
    pthread_mutex_t lock;                    /* left, n_put_off, n_done, and progress */
    pthread_mutex_t opening;                 /* is_open and open, until a part is open */
} captioner;

/* ---- one part ---- */

static df_value known(int64_t count)
{
    return count < 0 ? DF_NULL : DF_INT(count);
}

/* Appends every attempt at a record to caption/attempts. */
static df_status append_attempts(df_table *t, const df_caption_record *r, df_error *err)
{
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && i < r->n_attempts; i++) {
        const df_caption_attempt *attempt = &r->attempts[i];
        const df_caption *a = &attempt->answer;
        df_value values[DF_CAPTION_ATTEMPTS_COLUMNS] = {
            [DF_CAPTION_ATTEMPTS_ROW] = DF_INT(r->row),
            [DF_CAPTION_ATTEMPTS_ATTEMPT] = DF_INT(i + 1),
            [DF_CAPTION_ATTEMPTS_CAPTION] = DF_TEXT(a->text),
            [DF_CAPTION_ATTEMPTS_ERROR] = DF_TEXT(a->error),
            [DF_CAPTION_ATTEMPTS_REASONS] =
                attempt->judged ? DF_TEXTS(attempt->reasons, attempt->n_reasons) : DF_NULL,
            [DF_CAPTION_ATTEMPTS_MODEL] = DF_TEXT(a->model),
            [DF_CAPTION_ATTEMPTS_FINISH] = DF_TEXT(a->finish),
            [DF_CAPTION_ATTEMPTS_PROMPT_TOKENS] = known(a->prompt_tokens),
            [DF_CAPTION_ATTEMPTS_CACHED_TOKENS] =
                DF_INT(a->cached_tokens > 0 ? a->cached_tokens : 0),
            [DF_CAPTION_ATTEMPTS_COMPLETION_TOKENS] = known(a->completion_tokens),
            [DF_CAPTION_ATTEMPTS_REQUESTS] = known(a->attempts),
            [DF_CAPTION_ATTEMPTS_MS] = DF_INT(a->ms),
            [DF_CAPTION_ATTEMPTS_SERVER] = DF_TEXT(a->server),
            [DF_CAPTION_ATTEMPTS_SHORTENED] = DF_INT(a->n_shortened)};
        status = df_table_append(t, values, err);
    }
    return status;
}

/* Every attempt of every record: of the engines that are asked. */
static df_status write_attempts(const captioner *c, int part, const df_caption_part *p,
                                df_error *err)
{
    df_table *t = NULL;
    if (!c->work.ops->remote)
        return DF_OK;
    df_status status = df_table_create(&t, df_caption_attempts_table.columns, err);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(p->fuse); i++)
        status = append_attempts(t, &p->records[i], err);
    if (status == DF_OK)
        status = df_dataset_write(c->work.ds, "caption/attempts", part, t, err);
    df_table_close(t);
    return status;
}

/* The part's own table last: where it is, the part is whole. */
static df_status write_part(const captioner *c, int part, const df_caption_part *p, df_error *err)
{
    df_table *t = NULL;
    DF_TRY(write_attempts(c, part, p, err));
    df_status status = df_table_create(&t, df_caption_table.columns, err);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(p->fuse); i++) {
        const df_caption_record *r = &p->records[i];
        const df_caption *a = &r->answer;
        df_value values[DF_CAPTION_COLUMNS] = {[DF_CAPTION_ROW] = DF_INT(r->row),
                                               [DF_CAPTION_CAPTION] = DF_TEXT(a->text),
                                               [DF_CAPTION_ERROR] = DF_TEXT(a->error),
                                               [DF_CAPTION_ENGINE] = DF_TEXT(r->engine),
                                               [DF_CAPTION_MODEL] = DF_TEXT(a->model),
                                               [DF_CAPTION_FINISH] = DF_TEXT(a->finish),
                                               [DF_CAPTION_PROMPT_TOKENS] = known(a->prompt_tokens),
                                               [DF_CAPTION_COMPLETION_TOKENS] =
                                                   known(a->completion_tokens),
                                               [DF_CAPTION_ATTEMPTS] = known(a->attempts),
                                               [DF_CAPTION_KEY] = DF_TEXT(r->key)};
        status = df_table_append(t, values, err);
    }
    if (status == DF_OK)
        status = df_dataset_write(c->work.ds, "caption", part, t, err);
    df_table_close(t);
    return status;
}

/* ---- the work, over the borders of parts: while the last answers of one are awaited, the next one
 * is begun ---- */

static df_status open_once(captioner *c, planned *p, df_error *err)
{
    df_status status = DF_OK;
    pthread_mutex_lock(&c->opening);
    if (!p->is_open) {
        status = df_caption_part_open(&p->open, &c->work, p->part, err);
        if (status == DF_OK && c->work.ops->remote)
            status = df_caption_journal_open(&p->open.journal, c->work.ds, p->part, err);
        if (status != DF_OK)
            df_caption_part_close(&p->open);
        p->is_open = status == DF_OK;
    }
    pthread_mutex_unlock(&c->opening);
    return status;
}

/* Whoever has a part's last answer writes it. */
static df_status finish(const captioner *c, planned *p, df_error *err)
{
    df_status status = write_part(c, p->part, &p->open, err);
    df_caption_part_close(&p->open);
    p->is_open = false;
    return status;
}

static planned *part_of(const captioner *c, int64_t item)
{
    int from = 0, to = c->n_plan; /* the last part that begins at or before the item */
    while (to - from > 1) {
        const int middle = from + (to - from) / 2;
        *(c->plan[middle].first <= item ? &from : &to) = middle;
    }
    return &c->plan[from];
}

static int at_once(const captioner *c)
{
    return c->work.engine->n_at_once > 0 ? c->work.engine->n_at_once : c->work.run->n_threads;
}

/* Asks for record i and counts what came of it; whoever has the last answer writes the part. */
static df_status answer_one(captioner *c, planned *p, int64_t i, df_vain vain, df_error *err)
{
    const df_caption_record *r = &p->open.records[i];
    const bool was_put_off = r->put_off;
    DF_TRY(df_caption_record_answer(&c->work, &p->open, i, vain, err));
    if (c->work.account)
        df_caption_account_tell(c->work.account, c->work.run);
    pthread_mutex_lock(&c->lock);
    p->n_put_off += r->put_off - was_put_off;
    if (!r->put_off) {
        p->left--;
        df_run_progress(c->work.run, "caption", ++c->n_done, c->n_total);
    }
    const bool last = p->left == 0;
    pthread_mutex_unlock(&c->lock);
    return last ? finish(c, p, err) : DF_OK;
}

/* The part's other records are through. Those that were put off are asked for again, where
 * others had answers since: the server works, so what it does not answer now is the
 * record's own failure. */
static df_status ask_part_again(captioner *c, planned *p, df_error *err)
{
    df_status status = DF_OK;
    for (int64_t i = 0; status == DF_OK && p->is_open && i < p->n; i++) {
        const df_caption_record *r = &p->open.records[i];
        if (r->put_off && df_caption_account_answers(c->work.account) > r->n_answers_then)
            status = answer_one(c, p, i, DF_VAIN_RECORD, err);
    }
    return status;
}

static df_status write_one(void *ctx, int64_t item, int thread, df_error *err)
{
    captioner *c = ctx;
    planned *p = part_of(c, item);
    (void)thread;
    DF_TRY(open_once(c, p, err));
    DF_TRY(answer_one(c, p, item - p->first, DF_VAIN_LATER, err));
    pthread_mutex_lock(&c->lock);
    const bool rest = --p->unasked == 0 && p->n_put_off > 0;
    pthread_mutex_unlock(&c->lock);
    return rest ? ask_part_again(c, p, err) : DF_OK;
}

/* ---- those that were put off, when nobody else is left ---- */

typedef struct {
    planned *part;
    int64_t i;
} late;
typedef struct {
    captioner *c;
    late *late;
    int64_t n;
    bool alone;
} latecomers;

/* Others were answered since, or in earlier runs that had no answer to this one: then it is the
 * record. So it is where it is the only one, and its server is there. Else nobody was answered at
 * all: it is the server. */
static df_status ask_late(void *ctx, int64_t item, int thread, df_error *err)
{
    const latecomers *l = ctx;
    const late *at = &l->late[item];
    const df_caption_record *r = &at->part->open.records[at->i];
    df_caption_account *account = l->c->work.account;
    (void)thread;
    const bool others = df_caption_account_answers(account) > r->n_answers_then ||
                        (r->failed_before && account->n_answers_before > 0);
    return answer_one(l->c, at->part, at->i, others || l->alone ? DF_VAIN_RECORD : DF_VAIN_STOP,
                      err);
}

/* Asks again for the records that were put off, when all others are done. */
static df_status ask_latecomers(captioner *c, df_error *err)
{
    latecomers l = {.c = c};
    for (int part = 0; part < c->n_plan; part++)
        l.n += c->plan[part].n_put_off;
    if (l.n == 0)
        return DF_OK;
    l.late = calloc((size_t)l.n, sizeof *l.late);
    if (!l.late)
        return df_no_memory(err, "caption");
    l.alone = l.n == 1;
    l.n = 0;
    for (int part = 0; part < c->n_plan; part++) {
        planned *p = &c->plan[part];
        for (int64_t i = 0; p->is_open && p->n_put_off > 0 && i < p->n; i++)
            if (p->open.records[i].put_off)
                l.late[l.n++] = (late){p, i};
    }
    df_status status = df_pool_run(at_once(c), l.n, ask_late, &l, err);
    free(l.late);
    return status;
}

/* ---- the stage ---- */

/* The parts to do. One without records is written at once. */
static df_status plan_work(captioner *c, df_error *err)
{
    const df_dataset *ds = c->work.ds;
    const int n_parts = df_dataset_parts(ds);
    c->plan = calloc((size_t)n_parts + 1, sizeof *c->plan);
    if (!c->plan)
        return df_no_memory(err, "caption");
    for (int part = 0; part < n_parts; part++) {
        df_table *fuse = NULL;
        if (!df_run_wants(c->work.run, part) || df_dataset_has_part(ds, "caption", part))
            continue;
        DF_TRY(df_dataset_read(ds, &df_fuse_table, part, &fuse, err));
        const int64_t n = df_table_rows(fuse);
        df_table_close(fuse);
        planned *p = &c->plan[c->n_plan];
        *p = (planned){.part = part, .first = c->n_total, .n = n, .unasked = n, .left = n};
        if (n == 0) {
            DF_TRY(open_once(c, p, err));
            DF_TRY(finish(c, p, err));
        } else {
            c->n_plan++;
            c->n_total += n;
        }
    }
    return DF_OK;
}

/* Asks for every record that is missing, over the borders of parts. */
static df_status do_work(captioner *c, df_error *err)
{
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->opening, NULL);
    df_status status = plan_work(c, err);
    if (status == DF_OK && c->n_plan > 0)
        status = df_pool_run(at_once(c), c->n_total, write_one, c, err);
    if (status == DF_OK)
        status = ask_latecomers(c, err);
    for (int i = 0; i < c->n_plan; i++)
        if (c->plan[i].is_open)
            df_caption_part_close(&c->plan[i].open);
    free(c->plan);
    pthread_mutex_destroy(&c->opening);
    pthread_mutex_destroy(&c->lock);
    return status;
}

/* `check`, where a caption is judged as soon as it comes: an engine that says the same every time
 * need not be. */
static const df_stage *caption_uses(const void *config)
{
    const df_caption_config *k = config;
    const df_engine_ops *ops = df_engine_settings_ops(&k->engines, k->engine);
    const bool judges =
        ops && ops->remote && (k->ask_again > 0 || strcmp(k->on_fail, "compose") == 0);
    return judges ? &df_stage_check : NULL;
}

static df_status open_judge(df_caption_work *w, df_nouns **nouns, df_error *err)
{
    const df_caption_config *k = w->config;
    if (!w->run->used)
        return DF_OK;
    DF_TRY(df_nouns_open(nouns, err));
    w->nouns = *nouns;
    w->limits = &((const df_check_config *)w->run->used)->limits;
    const df_engine_setup setup = {.shared = &k->shared, .stop = w->run->stop};
    return strcmp(k->on_fail, "compose") == 0 ? df_engine_compose.open(&w->composer, &setup, err)
                                              : DF_OK;
}

static void note_exposed_key(const df_caption_config *k, const df_run *run)
{
    const df_openai_config *o = df_caption_openai(k);
    if (strcmp(k->engine, df_engine_openai.name) == 0 && df_openai_key_exposed(o->api_key_file))
        df_run_note(run, "caption.openai.api_key_file: others can read %.300s: chmod 600 %.300s",
                    o->api_key_file, o->api_key_file);
}

/* Opens the engine, the judge and the account, and captions what is missing. */
static df_status caption_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const df_caption_config *k = config;
    df_nouns *nouns = NULL;
    captioner c = {.work = {.ds = ds, .config = k, .run = run}};
    note_exposed_key(k, run);
    DF_TRY(df_caption_engine_open(&c.work.engine, k, run->n_threads, run->stop, err));
    c.work.ops = c.work.engine->ops;
    df_caption_gates gates;
    c.work.gates = &gates;
    df_status status = df_caption_gates_init(&gates, k, run->n_threads, err);
    if (status != DF_OK) {
        c.work.ops->close(c.work.engine);
        return status;
    }
    df_caption_account account;
    status = open_judge(&c.work, &nouns, err);
    if (status == DF_OK && c.work.ops->remote) {
        status = df_caption_account_open(&account, ds, k, run, err);
        c.work.account = status == DF_OK ? &account : NULL;
    }
    if (status == DF_OK)
        status = do_work(&c, err);
    df_nouns_close(nouns);
    if (c.work.account)
        df_caption_account_close(c.work.account);
    if (c.work.composer)
        c.work.composer->ops->close(c.work.composer);
    df_caption_gates_free(&gates);
    c.work.ops->close(c.work.engine);
    return status;
}

/* The options of the engine, and its files: others, other captions. */
static df_status caption_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    (void)run;
    const df_caption_config *k = config;
    const df_engine_ops *ops;
    DF_TRY(df_caption_engine_choose(&ops, k, err));
    if (strcmp(k->on_fail, "keep") != 0 && strcmp(k->on_fail, "compose") != 0)
        return df_fail(err, DF_CONFIG, "caption.on_fail: \"%s\" is neither keep nor compose",
                       k->on_fail);
    df_engine_settings_describe(&k->engines, k->engine, out);
    const df_engine_setup setup = df_caption_engine_setup(k, 1, NULL);
    return ops->depends ? ops->depends(&setup, out, err) : DF_OK;
}

#define AT(field) offsetof(df_caption_config, field)
static const df_option options[] = {
    {"engine", DF_OPT_TEXT, AT(engine), "compose", 0, 0,
     "who writes: compose (built in, no model), openai (a server), llama (a GGUF model in this "
     "process), replay (a file)"},
    {"model", DF_OPT_TEXT, AT(shared.model), NULL, 0, 0,
     "model that writes: the name that a server knows it by; with llama a GGUF file"},
    {"max_tokens", DF_OPT_INT, AT(shared.max_tokens), "512", 1, 32768, "longest answer, tokens"},
    {"temperature", DF_OPT_REAL, AT(shared.temperature), "0.2", 0, 2,
     "sampling temperature; 0: always the likeliest"},
    {"top_p", DF_OPT_REAL, AT(shared.top_p), "1", 0, 1,
     "sample from the likeliest tokens that have this probability together; 1: from all"},
    {"top_k", DF_OPT_INT, AT(shared.top_k), "0", 0, 100000,
     "sample from so many of the likeliest tokens; 0: from all"},
    {"stop", DF_OPT_TEXT, AT(shared.stop_text), NULL, 0, 0, "text that ends the answer"},
    {"seed", DF_OPT_INT, AT(shared.seed), "0", 0, 2147483647, "sampling seed"},
    {"image_side", DF_OPT_INT, AT(shared.image_side), "1344", 28, 2048,
     "longest side of the picture that the model gets, pixels"},
    {"image_quality", DF_OPT_INT, AT(image_quality), "90", 1, 100,
     "quality of the JPEG that a server gets"},
    {"image_bytes", DF_OPT_INT, AT(image_bytes), "4194304", 10000, 20971520,
     "largest JPEG that a server gets, bytes; above it is encoded again, smaller"},
    {"ask_again", DF_OPT_INT, AT(ask_again), "0", 0, DF_TURNS_MAX,
     "times that a caption which fails `check` is asked again, told what was wrong: look at the "
     "verdicts of a first run before"},
    {"on_fail", DF_OPT_TEXT, AT(on_fail), "keep", 0, 0,
     "a caption that fails to the end: keep (the best attempt, with its verdict) or compose (the "
     "built-in engine writes it)"},
    {"budget", DF_OPT_REAL, AT(budget), "0", 0, 1e9,
     "dollars that the captions of this dataset may cost in all; no request is sent that could "
     "pass it, and what a server does not tell counts as the most it can be; 0: no limit"},
    {"prices", DF_OPT_TEXT, AT(prices), NULL, 0, 0,
     "YAML file of prices per million tokens; else share/prices.yaml"},
    {"in_flight_mib", DF_OPT_INT, AT(in_flight_mib), "128", 1, 1048576,
     "most memory for images and requests in flight, MiB"},
    {0},
};

/* They change how captions are asked for, not what they are. */
static const char *const aside[] = {"prices", "budget", "in_flight_mib", NULL};

/* Names of version 0.1. */
static const df_option_alias aliases[] = {
    {"url", "openai.url"},
    {"api_key_file", "openai.api_key_file"},
    {"ca_file", "openai.ca_file"},
    {"extra", "openai.extra"},
    {"concurrency", "openai.concurrency"},
    {"timeout_s", "openai.timeout_s"},
    {"retries", "openai.retries"},
    {"patience_s", "openai.patience_s"},
    {"batch_requests", "openai.batch_requests"},
    {"batch_mb", NULL}, /* the limit of OpenAI's API holds for all */
    {"mmproj", "llama.mmproj"},
    {"n_ctx", "llama.n_ctx"},
    {"sequences", "llama.sequences"},
    {"batched", "llama.batched"},
    {"gpu_layers", "llama.gpu_layers"},
    {"answers", "replay.answers"},
    {"in_flight_mb", "in_flight_mib"},
    {0},
};

const df_stage df_stage_caption = {
    .name = "caption",
    .summary = "write one dense caption per image",
    .reads = (const char *const[]){"ingest", "look", "fuse", NULL},
    .table = &df_caption_table,
    .options = options,
    .aside = aside,
    .aliases = aliases,
    .config_size = sizeof(df_caption_config),
    .engines = df_engines,
    .engines_at = AT(engines),
    .run = caption_run,
    .depends = caption_depends,
    .uses = caption_uses,
    .estimate = df_caption_estimate,
};
