/* The caption engine's own fine-tuning set (paper section 3.2.1): what it will be asked, and the
 * caption that a stronger model gave with the same evidence. */
#ifndef DF_STAGE_EXPORT_TUNING_H
#define DF_STAGE_EXPORT_TUNING_H
#include "dataset/dataset.h"
#include "stage/stage.h"

/* share that is kept from training */
typedef struct {
    double held_out;
    int64_t seed;
} df_tuning_split;

/* Writes folder/tuning/train.json and held_out.json, lists of conversations: of every image whose
 * caption passed `check` and whose prompts were made with fuse.tuning_prompt. A cluster is on one
 * side as a whole, so that near neighbours do not leak; where `cluster` did not run, images of
 * equal bytes are. Notes the counts. Without such prompts it removes the folder's files. */
df_status df_export_tuning(const df_dataset *ds, df_tuning_split split, const df_run *run,
                           df_error *err);
#endif
