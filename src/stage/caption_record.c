#include "stage/caption_record.h"

#include <stdlib.h>

#include "algo/again.h"

/* Row and key of record i. */
static df_status name_record(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    r->row = df_table_int(part->fuse, i, df_table_column(part->fuse, "row"));
    if (r->row < 0 || r->row >= df_table_rows(part->tables.ingest))
        return df_fail(err, DF_FORMAT, "fuse: row %lld is not in ingest", (long long)r->row);
    const df_table *ingest = part->tables.ingest;
    const char *image = df_table_text(ingest, r->row, df_table_column(ingest, "hash"));
    df_caption_subject subject = {*image ? image : part->evidence[r->row].path,
                                  df_table_text(part->fuse, i, df_table_column(part->fuse, "evidence_hash")),
                                  df_table_text(part->fuse, i, df_table_column(part->fuse, "prompt"))};
    df_caption_key(w->config, w->engine, &subject, r->key);
    return DF_OK;
}

df_status df_caption_part_open(df_caption_part *out, const df_caption_work *w, int part, df_error *err)
{
    df_caption_part *p = out;
    int64_t n_evidence = 0;
    *p = (df_caption_part){0};
    DF_TRY(df_evidence_tables_open(&p->tables, w->ds, part, true, err));
    DF_TRY(df_dataset_read(w->ds, "fuse", part, &p->fuse, err));
    DF_TRY(df_evidence_gather(&p->tables, &p->arena, &p->evidence, &n_evidence, err));
    p->records = calloc((size_t)df_table_rows(p->fuse) + 1, sizeof *p->records);
    if (!p->records)
        return df_fail(err, DF_NOMEM, "caption: out of memory");
    for (int64_t i = 0; i < df_table_rows(p->fuse); i++)
        DF_TRY(name_record(w, p, i, err));
    return DF_OK;
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
    r->answer = (df_caption){.error = words, .model = "", .finish = "", .prompt_tokens = -1,
                             .completion_tokens = -1, .attempts = 0};
    return words ? DF_OK : df_fail(err, DF_NOMEM, "caption: out of memory");
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
} asking;

static bool is_paid(const df_caption *answer)
{
    return answer->text || answer->completion_tokens >= 0;
}

static df_status load(asking *a, df_error *err)
{
    const df_caption_work *w = a->work;
    const df_caption_place place = {w->ds, a->part->tables.ingest, a->record->row};
    df_error why = {""};
    df_status status = df_caption_image_load(w->gates, w->config, w->ops, &place, &a->seen, &why);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s: %.300s", a->part->evidence[a->record->row].path, why.message);
    if (status != DF_OK)
        DF_TRY(refuse(a->record, why.message, err));
    a->loaded = true;
    a->request.image = a->seen.image.rgb ? &a->seen.image : NULL;
    a->request.jpeg = a->seen.jpeg;
    a->request.jpeg_size = a->seen.jpeg_size;
    return DF_OK;
}

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
    double held = 0;
    if (w->account)
        DF_TRY(df_caption_account_hold(w->account, &a->request, &held, err));
    df_status status = w->ops->caption(w->engine, &a->request, &r->arena, answer, err);
    if (w->account)
        df_caption_account_book(w->account, held, status == DF_OK ? answer : NULL);
    DF_TRY(status);
    return a->part->journal && is_paid(answer) ? df_caption_journal_keep(a->part->journal, a->request.key, answer, err)
                                               : DF_OK;
}

/* The record's next attempt: from the journal, else from the engine. */
static df_status attempt(asking *a, df_error *err)
{
    df_caption_record *r = a->record;
    df_caption_attempt *next = &r->attempts[r->n_attempts];
    char key[DF_HASH_HEX];
    a->request.n_turns = r->n_attempts;
    a->request.key = r->key;
    if (r->n_attempts > 0) {
        df_caption_key_again(r->key, a->turns, r->n_attempts, key);
        a->request.key = key;
    }
    if (!a->part->journal || !df_caption_journal_find(a->part->journal, a->request.key, &r->arena, &next->answer))
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
    df_status status = df_verdict_make(a->work->nouns, &written, a->request.evidence, a->work->limits, &scratch,
                                       &verdict, err);
    if (status == DF_OK) {
        *failed = !verdict.pass;
        t->n_reasons = verdict.n_findings;
        t->reasons = df_arena_strdup(&r->arena, verdict.reasons);
        const char *reply = *failed ? df_again_text(&verdict, &r->arena) : "";
        if (newest < DF_TURNS_MAX)
            a->turns[newest] = (df_turn){t->answer.text, reply};
        status = t->reasons && reply ? DF_OK : df_fail(err, DF_NOMEM, "caption: out of memory");
    }
    df_arena_reset(&scratch);
    return status;
}

/* The attempt with the fewest reasons against it; of several the first, which the engine wrote with the freest hand. */
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
    DF_TRY(a->work->composer->ops->caption(a->work->composer, &a->request, &r->arena, &r->answer, err));
    r->answer.attempts = r->n_attempts;
    r->engine = a->work->composer->ops->name;
    return DF_OK;
}

static df_status ask(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    asking a = {.work = w, .part = part, .record = r};
    a.request = (df_caption_request){
        .prompt = df_table_text(part->fuse, i, df_table_column(part->fuse, "prompt")),
        .evidence = &part->evidence[r->row], .turns = a.turns};
    bool again = true;
    df_status status = DF_OK;
    for (int64_t n = 0; status == DF_OK && again && n <= w->config->ask_again; n++) {
        status = attempt(&a, err);
        if (status == DF_OK)
            status = judge(&a, &again, err);
        if (w->account && status == DF_OK)
            df_caption_account_judged(w->account, again, n < w->config->ask_again);
    }
    df_caption_image_free(w->gates, &a.seen);
    return status == DF_OK ? settle(&a, err) : status;
}

df_status df_caption_record_answer(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    const df_table *ingest = part->tables.ingest;
    const char *problem = df_table_text(ingest, r->row, df_table_column(ingest, "problem"));
    r->engine = w->ops->name;
    if (df_run_stopped(w->run))
        return df_fail(err, DF_STOPPED, "stopped");
    if (*problem)                            /* kept for its vector, never seen */
        DF_TRY(refuse(r, problem, err));
    else
        DF_TRY(ask(w, part, i, err));
    if (r->answer.error && !*problem)
        df_run_note(w->run, "caption: %s: %.300s", part->evidence[r->row].path, r->answer.error);
    return DF_OK;
}
