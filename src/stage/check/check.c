/* check: is the caption one that the paper's rules allow and the evidence backs? Needs no model. */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "tables/gather.h"
#include "stage/check/check.h"
#include "stage/check/twins.h"
#include "tables/check.h"
#include "tables/caption.h"

/* One part at work: rows are judged on any thread and written in order. */
typedef struct {
    const df_check_config *config;
    df_nouns *nouns;
    const df_evidence *evidence;
    int64_t n_evidence;
    const df_table *captions;
    const df_twins *twins;
    df_arena *arenas; /* one per thread */
    df_verdict *verdicts; /* one per caption */
} check_part;

/* Judges one caption by its image's evidence. A thread of the pool. */
static df_status judge_row(void *ctx, int64_t item, int thread, df_error *err)
{
    check_part *p = ctx;
    int64_t row = df_table_int(p->captions, item, DF_CAPTION_ROW);
    if (row < 0 || row >= p->n_evidence)
        return df_fail(err, DF_FORMAT,
                       "check: caption for row %lld, which ingest does not have; run `densefusion "
                       "caption` again",
                       (long long)row);
    const char *text = df_table_text(p->captions, item, DF_CAPTION_CAPTION);
    const bool composed =
        strcmp(df_table_text(p->captions, item, DF_CAPTION_ENGINE), "compose") == 0;
    const df_written caption = {.text = text,
                                .finish = df_table_text(p->captions, item, DF_CAPTION_FINISH),
                                .elsewhere = !composed && df_twins_has(p->twins, text)};
    return df_verdict_make(p->nouns, &caption, &p->evidence[row], &p->config->limits,
                           &p->arenas[thread], &p->verdicts[item], err);
}

static df_value recall(double share)
{
    return share < 0 ? DF_NULL : DF_REAL(share);
}

/* Appends a verdict as a row of check. */
static df_status append_verdict(df_table *t, int64_t row, const df_verdict *v, df_error *err)
{
    const char *codes[DF_FINDINGS_MAX], *details[DF_FINDINGS_MAX];
    for (int i = 0; i < v->n_findings; i++) {
        codes[i] = v->findings[i].code;
        details[i] = v->findings[i].detail;
    }
    return df_table_append(t,
                           (const df_value[DF_CHECK_COLUMNS]){
                               [DF_CHECK_ROW] = DF_INT(row),
                               [DF_CHECK_VERDICT] = DF_TEXT(v->pass ? "pass" : "fail"),
                               [DF_CHECK_REASONS] = DF_TEXTS(codes, v->n_findings),
                               [DF_CHECK_DETAIL] = DF_TEXTS(details, v->n_findings),
                               [DF_CHECK_WORDS] = DF_INT(v->words),
                               [DF_CHECK_TEXT_RECALL] = recall(v->text_recall),
                               [DF_CHECK_OBJECT_RECALL] = recall(v->object_recall),
                               [DF_CHECK_REPETITION] = DF_REAL(v->repetition),
                               [DF_CHECK_OBJECTS_NAMED] = DF_INT(v->support.n_named),
                               [DF_CHECK_OBJECTS_INVENTED] = DF_INT(v->support.n_invented)},
                           err);
}

static df_status append_support(df_table *t, int64_t row, const df_support *support, df_error *err)
{
    for (int i = 0; i < support->n_spans; i++) {
        const df_span *s = &support->spans[i];
        DF_TRY(df_table_append(t,
                               (const df_value[DF_CHECK_SUPPORT_COLUMNS]){
                                   [DF_CHECK_SUPPORT_ROW] = DF_INT(row),
                                   [DF_CHECK_SUPPORT_FIRST] = DF_INT(s->from),
                                   [DF_CHECK_SUPPORT_END] = DF_INT(s->to),
                                   [DF_CHECK_SUPPORT_KIND] = DF_TEXT(df_backing_names[s->by]),
                                   [DF_CHECK_SUPPORT_ITEM] = DF_INT(s->item)},
                               err));
    }
    return DF_OK;
}

/* The support first: a part is complete when its table is there. */
static df_status write_part(const check_part *p, df_dataset *ds, int part, df_error *err)
{
    df_table *verdicts = NULL, *support = NULL;
    df_status status = df_table_create(&verdicts, df_check_table.columns, err);
    if (status == DF_OK)
        status = df_table_create(&support, df_check_support_table.columns, err);
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(p->captions); i++) {
        const int64_t row = df_table_int(p->captions, i, DF_CAPTION_ROW);
        status = append_verdict(verdicts, row, &p->verdicts[i], err);
        if (status == DF_OK)
            status = append_support(support, row, &p->verdicts[i].support, err);
    }
    if (status == DF_OK)
        status = df_dataset_write(ds, df_check_support_table.name, part, support, err);
    if (status == DF_OK)
        status = df_dataset_write(ds, df_check_table.name, part, verdicts, err);
    df_table_close(support);
    df_table_close(verdicts);
    return status;
}

/* Judges the captions of a part on all threads, then writes both tables. */
static df_status judge_part(check_part *p, df_dataset *ds, int part, int n_threads, df_error *err)
{
    int64_t n = df_table_rows(p->captions);
    p->arenas = calloc((size_t)n_threads, sizeof *p->arenas);
    p->verdicts = calloc((size_t)n + 1, sizeof *p->verdicts);
    df_status status = p->arenas && p->verdicts ? DF_OK : df_no_memory(err, "check");
    if (status == DF_OK)
        status = df_pool_run(n_threads, n, judge_row, p, err);
    if (status == DF_OK)
        status = write_part(p, ds, part, err);
    for (int i = 0; p->arenas && i < n_threads; i++)
        df_arena_reset(&p->arenas[i]);
    free(p->arenas);
    free(p->verdicts);
    return status;
}

/* What all parts are judged with. */
typedef struct {
    const df_check_config *config;
    df_nouns *nouns;
    df_twins twins;
} judge;

/* Reads the captions and the evidence of a part and judges it. */
static df_status check_one(const judge *j, df_dataset *ds, int part, const df_run *run,
                           df_error *err)
{
    df_evidence_tables tables = {0};
    df_evidence *evidence = NULL;
    df_table *captions = NULL;
    df_arena arena = {0};
    check_part p = {.config = j->config, .nouns = j->nouns, .twins = &j->twins};
    if (!df_dataset_has_part(ds, "caption", part))
        return df_fail(err, DF_CONFIG,
                       "check: part %d has no captions yet; run `densefusion caption` first", part);
    df_status status = df_dataset_read(ds, &df_caption_table, part, &captions, err);
    if (status == DF_OK)
        status = df_evidence_tables_open(&tables, ds, part, true, err);
    if (status == DF_OK)
        status = df_evidence_gather(&tables, &arena, &evidence, &p.n_evidence, err);
    if (status == DF_OK) {
        p.evidence = evidence;
        p.captions = captions;
        status = judge_part(&p, ds, part, run->n_threads > 0 ? run->n_threads : 1, err);
    }
    df_arena_reset(&arena);
    df_evidence_tables_close(&tables);
    df_table_close(captions);
    return status;
}

static bool is_ready(const df_dataset *ds)
{
    return df_dataset_has_all(ds, "caption");
}

static df_status check_parts(judge *j, df_dataset *ds, const df_run *run, df_error *err)
{
    const int n_parts = df_dataset_parts(ds);
    df_status status = DF_OK;
    for (int part = 0; part < n_parts && status == DF_OK; part++) {
        if (df_run_stopped(run))
            status = df_stopped(err);
        else if (df_run_wants(run, part) && !df_dataset_has_part(ds, "check", part))
            status = check_one(j, ds, part, run, err);
        df_run_progress(run, "check", part + 1, n_parts);
    }
    return status;
}

/* Finds captions that several images share, when asked to, and judges every part. */
static df_status check_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    judge j = {.config = config};
    df_status status = j.config->duplicates ? df_twins_find(&j.twins, ds, err) : DF_OK;
    if (status == DF_OK)
        status = df_nouns_open(&j.nouns, err);
    if (status == DF_OK && j.twins.n > 0)
        df_run_note(run,
                    "check: %lld captions are word for word those of several different images: "
                    "does a server mix up its "
                    "answers?",
                    (long long)j.twins.n);
    if (status == DF_OK)
        status = check_parts(&j, ds, run, err);
    df_nouns_close(j.nouns);
    df_twins_free(&j.twins);
    return status;
}

static df_status check_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const char *language = ((const df_check_config *)config)->limits.language;
    (void)run;
    (void)out;
    if (language && (strcmp(language, "en") == 0 || strcmp(language, "any") == 0))
        return DF_OK;
    return df_fail(err, DF_CONFIG, "check.language: \"%.40s\" is neither en nor any",
                   language ? language : "");
}

#define AT(field) offsetof(df_check_config, limits.field)
static const df_option options[] = {
    {"max_words", DF_OPT_INT, AT(max_words), "192", 1, 100000, "most words (paper: 192)"},
    {"min_words", DF_OPT_INT, AT(min_words), "3", 0, 100000, "fewest words (paper: not stated)"},
    {"max_invented", DF_OPT_INT, AT(max_invented), "0", 0, 1000,
     "objects that a caption may name without any evidence; raise it for an engine that sees more "
     "than the experts"},
    {"max_quotes", DF_OPT_INT, AT(max_quotes), "0", 0, 1000,
     "quotes that a caption may make without a text line that holds them"},
    {"max_repetition", DF_OPT_REAL, AT(max_repetition), "0.25", 0, 1,
     "largest share of four-word runs that were there before"},
    {"min_text_recall", DF_OPT_REAL, AT(min_text_recall), "0.5", 0, 1,
     "smallest share of the text lines' words to be told, of those that a caption has room for"},
    {"min_object_recall", DF_OPT_REAL, AT(min_object_recall), "0.3", 0, 1,
     "smallest share of the kinds of objects to be told, of those that a caption has room for"},
    {"duplicates", DF_OPT_BOOL, offsetof(df_check_config, duplicates), "true", 0, 0,
     "fail captions that several different images have, but for those of compose: a sign that a "
     "server mixes up its "
     "answers"},
    {"language", DF_OPT_TEXT, AT(language), "en", 0, 0,
     "what a caption is written in, its quotes aside: en, or any"},
    {0},
};
const df_stage df_stage_check = {
    .name = "check",
    .summary = "judge every caption by the paper's rules and by the evidence",
    .reads =
        (const char *const[]){"caption", "fuse", "read", "detect", "look", "tag", "ingest", NULL},
    .table = &df_check_table,
    .options = options,
    .config_size = sizeof(df_check_config),
    .run = check_run,
    .whole = true,
    .ready = is_ready,
    .depends = check_depends,
    .revision = 1,
};
