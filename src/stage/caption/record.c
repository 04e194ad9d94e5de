#include "stage/caption/record.h"

#include <stdlib.h>

#include "judge/feedback.h"
#include "tables/fuse.h"
#include "tables/ingest.h"

/* Row and key of record i. */
static df_status name_record(const char *options, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    r->row = df_table_int(part->fuse, i, DF_FUSE_ROW);
    if (r->row < 0 || r->row >= df_table_rows(part->tables.ingest))
        return df_fail(err, DF_FORMAT, "fuse: row %lld is not in ingest", (long long)r->row);
    const df_table *ingest = part->tables.ingest;
    const char *image = df_table_text(ingest, r->row, DF_INGEST_HASH);
    df_caption_subject subject = {*image ? image : part->evidence[r->row].path,
                                  df_table_text(part->fuse, i, DF_FUSE_EVIDENCE_HASH),
                                  df_table_text(part->fuse, i, DF_FUSE_PROMPT)};
    return df_caption_key(options, &subject, r->key, err);
}

static df_status name_records(const df_caption_work *w, df_caption_part *part, df_error *err)
{
    df_str options = {0};
    df_caption_key_options(w->config, w->engine, &options);
    df_status status = options.failed ? df_no_memory(err, "caption") : DF_OK;
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(part->fuse); i++)
        status = name_record(df_str_text(&options), part, i, err);
    df_str_free(&options);
    return status;
}

df_status df_caption_part_open(df_caption_part *out, const df_caption_work *w, int part,
                               df_error *err)
{
    df_caption_part *p = out;
    int64_t n_evidence = 0;
    *p = (df_caption_part){0};
    DF_TRY(df_evidence_tables_open(&p->tables, w->ds, part, true, err));
    DF_TRY(df_dataset_read(w->ds, &df_fuse_table, part, &p->fuse, err));
    DF_TRY(df_evidence_gather(&p->tables, &p->arena, &p->evidence, &n_evidence, err));
    p->records = calloc((size_t)df_table_rows(p->fuse) + 1, sizeof *p->records);
    if (!p->records)
        return df_no_memory(err, "caption");
    return name_records(w, p, err);
}

void df_caption_part_close(df_caption_part *p)
{
    for (int64_t i = 0; p->records && i < df_table_rows(p->fuse); i++)
        df_arena_reset(&p->records[i].arena);
    free(p->records);
    df_table_close(p->fuse);
    df_evidence_tables_close(&p->tables);
    df_caption_journal_close(p->journal);
    df_arena_reset(&p->arena);
    *p = (df_caption_part){0};
}

static df_status refuse(df_caption_record *r, const char *why, df_error *err)
{
    const char *words = df_arena_strdup(&r->arena, why);
    r->answer = (df_caption){.error = words,
                             .model = "",
                             .finish = "",
                             .prompt_tokens = -1,
                             .completion_tokens = -1,
                             .attempts = 0};
    return words ? DF_OK : df_no_memory(err, "caption");
}

/* A record while it is being asked: its picture is read when it is first wanted. */
typedef struct {
    const df_caption_work *work;
    df_caption_part *part;
    df_caption_record *record;
    df_caption_request request;
    df_caption_image seen;
    bool loaded;
    df_turn turns[DF_TURNS_MAX];
    df_payer payer;
    df_tokens most;                          /* that the request at work can take */
    double held;                             /* dollars set aside for it */
    bool is_out;                             /* sent, and not booked yet */
    int64_t n_vain;                          /* requests of this key without a usable answer */
} asking;

/* ---- paying ---- */

static df_caption_entry entry_of(const asking *a)
{
    const char *model = a->work->config->shared.model;
    return (df_caption_entry){.key = a->request.key, .asked = model ? model : "", .most = a->most};
}

/* A request is in the journal before it is sent: a kill forgets none that was paid for. */
static df_status begin_request(void *ctx, df_error *err)
{
    asking *a = ctx;
    const df_caption_entry entry = entry_of(a);
    DF_TRY(df_caption_account_hold(a->work->account, a->most, &a->held, err));
    df_status status = df_caption_journal_send(a->part->journal, &entry, err);
    if (status != DF_OK)
        df_caption_account_release(a->work->account, a->held);
    a->is_out = status == DF_OK;
    return status;
}

static df_status end_request(void *ctx, df_request_end end, df_error *err)
{
    asking *a = ctx;
    const df_caption_entry entry = entry_of(a);
    if (end == DF_REQUEST_ANSWERED)
        return DF_OK;                        /* booked with the answer */
    a->is_out = false;
    a->n_vain++;
    if (end == DF_REQUEST_LOST) {
        df_caption_account_lose(a->work->account, a->held, a->most);
        return DF_OK;
    }
    df_caption_account_release(a->work->account, a->held);
    return df_caption_journal_refuse(a->part->journal, &entry, err);
}

/* The answer's cost, in the account and in the journal. */
static df_status pay(asking *a, df_status status, const df_caption *answer, df_error *err)
{
    const df_caption_entry entry = entry_of(a), local = {.key = a->request.key};
    const bool was_out = a->is_out, counts = answer->text || answer->completion_tokens >= 0;
    a->is_out = false;
    if (was_out && status != DF_OK)
        df_caption_account_lose(a->work->account, a->held, a->most);
    DF_TRY(status);
    if (!was_out && !counts)                 /* `counts` alone: by an engine that asks nobody */
        return DF_OK;
    if (a->work->account)
        df_caption_account_book(a->work->account, was_out ? a->held : 0, answer, a->most);
    return a->part->journal
               ? df_caption_journal_keep(a->part->journal, was_out ? &entry : &local, answer, err)
               : DF_OK;
}

/* Remembers a record that nobody answers, so that a later run asks for it last. A server that is
 * gone says nothing of it. */
static df_status remember(asking *a, df_status status, const df_caption *answer, df_error *err)
{
    const bool in_vain = status == DF_OK
                             ? answer->error && a->n_vain > 0 && !a->is_out
                             : status == DF_REMOTE && a->n_vain > a->work->engine->retries;
    return in_vain && a->part->journal
               ? df_caption_journal_fail(a->part->journal, a->request.key,
                                         status == DF_OK ? answer->error : NULL, err)
               : DF_OK;
}

/* ---- asking ---- */

/* Loads the picture of a record; one that cannot be read is the record's error. */
static df_status load(asking *a, df_error *err)
{
    const df_caption_work *w = a->work;
    const df_caption_place place = {w->ds, a->part->tables.ingest, a->record->row};
    df_error why = {""};
    df_status status = df_caption_image_load(w->gates, w->config, w->ops, &place, &a->seen, &why);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s: %.300s", a->part->evidence[a->record->row].path,
                       why.message);
    if (status != DF_OK)
        DF_TRY(refuse(a->record, why.message, err));
    a->loaded = true;
    a->request.image = a->seen.image.rgb ? &a->seen.image : NULL;
    a->request.jpeg = a->seen.jpeg;
    a->request.jpeg_size = a->seen.jpeg_size;
    return DF_OK;
}

/* Asks the engine once and pays for it. */
static df_status ask_engine(asking *a, df_caption *answer, df_error *err)
{
    const df_caption_work *w = a->work;
    df_caption_record *r = a->record;
    if (!a->loaded)
        DF_TRY(load(a, err));
    if (r->answer.error) {                   /* it has no picture */
        *answer = r->answer;
        return DF_OK;
    }
    a->n_vain = 0;
    if (w->account && a->part->journal) {
        a->most = df_caption_account_most(w->account, &a->request);
        a->request.payer = &a->payer;
    }
    df_error why = {""};
    df_status status = w->ops->caption(w->engine, &a->request, &r->arena, answer, &why);
    const df_status remembered = remember(a, status, answer, status == DF_OK ? &why : NULL);
    status = pay(a, status, answer, &why);
    status = status == DF_OK ? remembered : status;
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
}

/* The record's next attempt: known from before it was put off, from the journal, else from the
 * engine; or it is put off. */
static df_status attempt(asking *a, df_error *err)
{
    df_caption_record *r = a->record;
    df_caption_attempt *next = &r->attempts[r->n_attempts];
    const df_caption_journal *journal = a->part->journal;
    char key[DF_HASH_HEX];
    bool found = false;
    if (r->n_attempts < r->n_known) {
        r->n_attempts++;
        return DF_OK;
    }
    a->request.n_turns = r->n_attempts;
    a->request.key = r->key;
    if (r->n_attempts > 0) {
        DF_TRY(df_caption_key_again(r->key, a->turns, r->n_attempts, key, err));
        a->request.key = key;
    }
    if (journal)
        DF_TRY(df_caption_journal_find(journal, a->request.key, &r->arena, &next->answer, &found,
                                       err));
    r->failed_before = !found && journal && df_caption_journal_failed(journal, a->request.key);
    if (r->failed_before && a->request.vain == DF_VAIN_LATER)
        next->answer = (df_caption){.put_off = true};        /* it may only keep others waiting */
    else if (!found)
        DF_TRY(ask_engine(a, &next->answer, err));
    r->n_attempts++;
    return DF_OK;
}

/* Judges the newest attempt and prepares what is said of it when it failed. */
static df_status judge(asking *a, bool *failed, df_error *err)
{
    df_caption_record *r = a->record;
    const int newest = r->n_attempts - 1;
    df_caption_attempt *t = &r->attempts[newest];
    df_arena scratch = {0};                  /* a verdict is many times larger than its words */
    df_verdict verdict;
    *failed = false;
    if (!a->work->nouns || !t->answer.text)
        return DF_OK;
    const df_written written = {.text = t->answer.text, .finish = t->answer.finish};
    df_status status = df_verdict_make(a->work->nouns, &written, a->request.evidence,
                                       a->work->limits, &scratch, &verdict, err);
    if (status == DF_OK) {
        *failed = !verdict.pass;
        t->judged = true;
        t->n_reasons = verdict.n_findings;
        for (int i = 0; i < verdict.n_findings; i++)
            t->reasons[i] = verdict.findings[i].code;
        const char *reply = *failed ? df_feedback_text(&verdict, &r->arena) : "";
        if (newest < DF_TURNS_MAX)
            a->turns[newest] = (df_turn){t->answer.text, reply};
        status = reply ? DF_OK : df_no_memory(err, "caption");
    }
    df_arena_reset(&scratch);
    return status;
}

/* The attempt with the fewest reasons against it; of several the first, which the engine wrote with
 * the freest hand. */
static const df_caption_attempt *best_attempt(const df_caption_record *r)
{
    const df_caption_attempt *best = &r->attempts[0];
    for (int i = 1; i < r->n_attempts; i++) {
        const df_caption_attempt *t = &r->attempts[i];
        if (t->answer.text && (!best->answer.text || t->n_reasons < best->n_reasons))
            best = t;
    }
    return best;
}

static df_status settle(asking *a, df_error *err)
{
    df_caption_record *r = a->record;
    const df_caption_attempt *best = best_attempt(r);
    r->answer = best->answer;
    r->answer.attempts = r->n_attempts;
    if (!a->work->composer || (best->answer.text && best->n_reasons == 0))
        return DF_OK;
    a->request.key = r->key;
    DF_TRY(a->work->composer->ops->caption(a->work->composer, &a->request, &r->arena, &r->answer,
                                           err));
    r->answer.attempts = r->n_attempts;
    r->engine = a->work->composer->ops->name;
    return DF_OK;
}

/* As if the last attempt had not been made; the answers before it are paid for and stay. */
static void put_off(const df_caption_work *w, df_caption_record *r)
{
    r->put_off = true;
    r->n_answers_then = df_caption_account_answers(w->account);
    r->n_known = r->n_attempts - 1;
    r->n_attempts = 0;
}

/* Asks for a caption, and again while it fails `check`, as often as caption.ask_again allows. */
static df_status ask(const df_caption_work *w, df_caption_part *part, int64_t i, df_vain vain,
                     df_error *err)
{
    df_caption_record *r = &part->records[i];
    asking a = {.work = w, .part = part, .record = r};
    a.payer = (df_payer){.ctx = &a, .begin = begin_request, .end = end_request};
    a.request = (df_caption_request){.prompt = df_table_text(part->fuse, i, DF_FUSE_PROMPT),
                                     .evidence = &part->evidence[r->row],
                                     .turns = a.turns,
                                     .vain = vain};
    bool again = true;
    df_status status = DF_OK;
    for (int64_t n = 0; status == DF_OK && again && n <= w->config->ask_again; n++) {
        status = attempt(&a, err);
        if (status == DF_OK && r->attempts[n].answer.put_off)
            break;
        if (status == DF_OK)
            status = judge(&a, &again, err);
        if (w->account && status == DF_OK)
            df_caption_account_judged(w->account, again, n < w->config->ask_again);
    }
    df_caption_image_free(w->gates, &a.seen);
    DF_TRY(status);
    if (!r->attempts[r->n_attempts - 1].answer.put_off)
        return settle(&a, err);
    put_off(w, r);
    return DF_OK;
}

df_status df_caption_record_answer(const df_caption_work *w, df_caption_part *part, int64_t i,
                                   df_vain vain, df_error *err)
{
    df_caption_record *r = &part->records[i];
    const df_table *ingest = part->tables.ingest;
    const char *problem = df_table_text(ingest, r->row, DF_INGEST_PROBLEM);
    r->engine = w->ops->name;
    r->put_off = false;
    if (df_run_stopped(w->run))
        return df_stopped(err);
    if (*problem) /* kept for its vector, never seen */
        DF_TRY(refuse(r, problem, err));
    else
        DF_TRY(ask(w, part, i, vain, err));
    if (r->answer.error && !*problem)
        df_run_note(w->run, "caption: %s: %.300s", part->evidence[r->row].path, r->answer.error);
    return DF_OK;
}
