/* One row of `fuse` on its way to a row of `caption`: found in the journal or asked of the engine. */
#ifndef DF_STAGE_CAPTION_RECORD_H
#define DF_STAGE_CAPTION_RECORD_H
#include "base/hash.h"
#include "dataset/gather.h"
#include "stage/caption.h"
#include "stage/caption_journal.h"
#include "stage/stage.h"

typedef struct {
    int64_t row;                             /* of ingest */
    char key[DF_HASH_HEX];
    df_caption answer;                       /* its text lives in the arena */
    df_arena arena;
} df_caption_record;

/* What all records share. */
typedef struct {
    df_dataset *ds;
    const df_caption_config *config;
    const df_run *run;
    const df_engine_ops *ops;
    df_engine *engine;
} df_caption_work;

/* A part at work. */
typedef struct {
    df_evidence_tables tables;
    df_table *fuse;                          /* one record per row */
    df_evidence *evidence;                   /* by row of ingest */
    df_arena arena;                          /* of the evidence */
    df_caption_record *records;
    df_caption_journal *journal;             /* NULL unless the engine is remote */
} df_caption_part;

/* Row and key of record i of the part, whose tables and evidence are there. */
df_status df_caption_record_name(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err);
/* The answer of record i: from the journal, else from the engine and into the journal. Thread-safe for different i. */
df_status df_caption_record_answer(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err);
#endif
