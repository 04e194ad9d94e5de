/* A dataset made of another: the same images and the same evidence, for other
 * prompts and captions. */
#ifndef DF_PIPELINE_DERIVE_H
#define DF_PIPELINE_DERIVE_H
#include "stage/stage.h"

/* Gives the dataset in folder `to` all that the stages before `until` made in `from`: the files are
 * shared (hard links; copied where the file system has none), so (part, row) means the same image
 * in both, and nothing is computed or stored twice. A stage that was derived before and has not
 * changed since is left alone. DF_CONFIG when `to` is a dataset of its own. */
df_status df_dataset_derive(const df_dataset *from, const char *to, const char *until,
                            df_error *err);
#endif
