/* One image from memory: the stages' own code on tables in memory. Models stay
 * open between images. */
#ifndef DF_PIPELINE_ONE_H
#define DF_PIPELINE_ONE_H
#include "pipeline/config.h"

typedef struct df_one df_one;
/* config and stop are borrowed and must not change while it is open. Errors are those of the
 * stages: DF_MODEL when a model is not installed (run.skip leaves a stage out). */
df_status df_one_open(df_one **out, const df_config *config, const atomic_bool *stop,
                      df_error *err);
void df_one_close(df_one *one);
/* *caption is malloc'ed. DF_FORMAT when the bytes are no image that can be decoded. One call at a
 * time. */
df_status df_one_caption(df_one *one, const void *bytes, size_t size, const char *alt_text,
                         char **caption, df_error *err);
#endif
