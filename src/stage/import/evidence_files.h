/* The files of evidence made elsewhere: only evidence_import.c includes this. */
#ifndef DF_STAGE_IMPORT_EVIDENCE_FILES_H
#define DF_STAGE_IMPORT_EVIDENCE_FILES_H
#include "dataset/dataset.h"

/* Appends SQL for all rows: the files' own columns (of a dataset: its stage's, and path) and df_seq
 * BIGINT, by which they are in order. Of a folder: its .parquet files, else .csv, else .jsonl, by
 * name. */
df_status df_evidence_files_sql(const char *stage, const char *from, df_str *sql, df_error *err);
#endif
