/* One row of `fuse` on its way to a row of `caption`: found in the journal or asked
 * of the engine. */
#ifndef DF_STAGE_CAPTION_RECORD_H
#define DF_STAGE_CAPTION_RECORD_H
#include "base/hash.h"
#include "tables/gather.h"
#include "judge/verdict.h"
#include "stage/caption/account.h"
#include "stage/caption/caption.h"
#include "stage/caption/image.h"
#include "stage/caption/journal.h"
#include "stage/stage.h"

/* One time of asking. */
typedef struct {
    df_caption answer;
    bool judged;
    const char *reasons[DF_FINDINGS_MAX]; /* of failing, as in `check`: constants */
    int n_reasons;
} df_caption_attempt;

typedef struct {
    int64_t row;                             /* of ingest */
    char key[DF_HASH_HEX];
    df_caption answer;                       /* the best attempt's; its text lives in the arena */
    const char *engine;                      /* who wrote it */
    df_caption_attempt attempts[DF_TURNS_MAX + 1];
    int n_attempts;   /* in order */
    /* no answer yet: to be asked for again; nor in an earlier run */
    bool put_off, failed_before;
    int n_known; /* attempts that were answered before it was put off */
    int64_t n_answers_then; /* that others had when it was put off */
    df_arena arena;
} df_caption_record;

/* What all records share. */
typedef struct {
    df_dataset *ds;
    const df_caption_config *config;
    const df_run *run;
    const df_engine_ops *ops;
    df_engine *engine;
    df_caption_gates *gates;
    df_caption_account *account; /* NULL unless the engine is remote */
    df_engine *composer; /* writes what failed to the end; NULL: it is kept */
    /* NULL: captions are not judged here, so none is asked again */
    const df_nouns *nouns;
    const df_limits *limits; /* check's */
} df_caption_work;

/* A part at work. */
typedef struct {
    df_evidence_tables tables;
    df_table *fuse; /* one record per row */
    df_evidence *evidence; /* by row of ingest */
    df_arena arena; /* of the evidence */
    df_caption_record *records;
    df_caption_journal *journal; /* NULL unless the engine is remote */
} df_caption_part;

/* The part's prompts, evidence and keys; its journal is the caller's to open. Closed in any case,
 * also after a failure. */
df_status df_caption_part_open(df_caption_part *out, const df_caption_work *w, int part,
                               df_error *err);
void df_caption_part_close(df_caption_part *part);
/* The answer of record i: from the journal, else from the engine and into the journal; asked again
 * with what was wrong while it fails and caption.ask_again allows. Where vain is DF_VAIN_LATER the
 * record may be put off instead. Thread-safe for different i. */
df_status df_caption_record_answer(const df_caption_work *w, df_caption_part *part, int64_t i,
                                   df_vain vain, df_error *err);
#endif
