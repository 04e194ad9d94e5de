/* What a run may write to, seen from what it reads. */
#ifndef DF_PIPELINE_OUTPUT_H
#define DF_PIPELINE_OUTPUT_H
#include "base/status.h"

/* Before anything is written. DF_CONFIG when the input is the output folder, lies in it, or is
 * itself a dataset; DF_IO when there is no input. The output may lie in the input: ingest passes it
 * over. input NULL: the dataset's own, nothing to check. */
df_status df_output_check(const char *input, const char *out, df_error *err);
#endif
