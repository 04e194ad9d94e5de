/* From the stages' tables to the evidence of an image. */
#ifndef DF_TABLES_GATHER_H
#define DF_TABLES_GATHER_H
#include "base/arena.h"
#include "dataset/dataset.h"
#include "evidence/evidence.h"

/* A part's tables; any but ingest may be NULL (that stage did not run). fused: fuse/evidence. */
typedef struct {
    df_table *ingest, *tag, *detect, *read, *look, *fused;
} df_evidence_tables;

/* Opens whatever part tables exist. Close with df_evidence_tables_close. */
df_status df_evidence_tables_open(df_evidence_tables *out, const df_dataset *ds, int part,
                                  bool fused, df_error *err);
void df_evidence_tables_close(df_evidence_tables *t);
/* *evidence has one entry per row of ingest, rejected rows too (with no tags, boxes, lines). From
 * `fused` when it is not NULL (what fusion kept, looks and quads joined from their raw tables by
 * item), else everything raw. */
df_status df_evidence_gather(const df_evidence_tables *t, df_arena *arena, df_evidence **evidence,
                             int64_t *n_rows, df_error *err);
#endif
