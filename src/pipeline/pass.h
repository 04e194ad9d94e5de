/* One pass over the pixels: every image of a part is read and decoded once for all neighbouring
 * pixel stages that still lack the part. Threads share a part's images; rows come out in row order
 * whatever the threads did. */
#ifndef DF_PIPELINE_PASS_H
#define DF_PIPELINE_PASS_H
#include "stage/stage.h"

typedef struct {
    const df_stage *stage;
    const void *config;
} df_pass_stage;

/* stages: in run order, all with `pixels`. A failure names its stage. DF_STOPPED: finished parts
 * are kept, and what the part at work has so far is kept too, for the next run to go on from. */
df_status df_pass_run(df_dataset *ds, const df_pass_stage *stages, int n_stages, const df_run *run,
                      df_error *err);
#endif
