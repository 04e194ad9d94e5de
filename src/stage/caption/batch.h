/* Captions by batch files: OpenAI's batch JSONL is written for what the journals lack, and the
 * answers go into the journals, where `caption` finds them. */
#ifndef DF_STAGE_CAPTION_BATCH_H
#define DF_STAGE_CAPTION_BATCH_H
#include "stage/caption/caption.h"
#include "stage/stage.h"

typedef struct {
    int64_t n_requests, n_known, n_no_image;
    int n_files;
} df_batch_written;
/* Writes folder/batch-0000.jsonl, ...: a line for every record that the journals have no answer
 * for, at most config's batch_requests and what OpenAI takes a file; custom_id is
 * "PART-ROW-KEY". The same dataset and options give the same bytes; files of another time in the
 * folder are an error. */
df_status df_batch_write(df_dataset *ds, const df_caption_config *config, const df_run *run,
                         const char *folder, df_batch_written *out, df_error *err);

/* What the lines of answer files were. */
typedef struct {
    int64_t n_lines, n_taken, n_known, n_failed, n_foreign;
} df_batch_merged;
/* Takes the answers of a file of results or errors, in any order. An answer that is known, an error
 * (expired requests have one) and a line that is none of ours are counted; the first few errors are
 * notes. What failed, `write` writes again. */
df_status df_batch_merge(df_dataset *ds, const df_run *run, const char *file, df_batch_merged *sum,
                         df_error *err);
#endif
