/* What made a stage's output, as text: its options, the models and templates it depends on, and the
 * same of every stage that it reads. Kept in dataset.json; another text means that the output is
 * stale. No dates, no machine. */
#ifndef DF_PIPELINE_FINGERPRINT_H
#define DF_PIPELINE_FINGERPRINT_H
#include "pipeline/config.h"

/* made: the fingerprints of the stages that `stage` reads, in the order of stage->reads ("none":
 * never ran). */
df_status df_fingerprint(const df_stage *stage, const void *config, const df_run *run,
                         const char *const *made, df_str *out, df_error *err);
/* Appends "content STAGE HASH" for each stage that `stage` reads: the hash of all its finished
 * files. */
df_status df_fingerprint_content(const df_dataset *ds, const df_stage *stage, df_str *out,
                                 df_error *err);
/* True when `text`, the fingerprint of a stage, names `fingerprint` as what it
 * read from `stage`. */
bool df_fingerprint_reads(const char *text, const char *stage, const char *fingerprint);
/* Bytes of a fingerprint before its "content" lines: what is known before the stages that it reads
 * have run. */
size_t df_fingerprint_fixed(const char *made);
#endif
