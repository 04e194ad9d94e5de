/* What a dataset holds, stage by stage: parts, images, and why images did not go on. The counts add
 * up. */
#ifndef DF_PIPELINE_SURVEY_H
#define DF_PIPELINE_SURVEY_H
#include "stage/stage.h"

typedef enum {
    DF_SURVEY_NOT_RUN,
    DF_SURVEY_UNFINISHED,
    DF_SURVEY_STALE,
    DF_SURVEY_DONE
} df_survey_state;
typedef struct {
    char *reason;
    int64_t n;
} df_survey_count;

typedef struct {
    const df_stage *stage;
    df_survey_state state; /* stale: what it was made from has changed since */
    int parts_done, parts; /* 0 of 0 for a stage that writes no parts */
    int64_t n_rows, n_images; /* rows of its tables; images that have at least one */
    /* images that go on; -1 where the stage does not decide */
    int64_t n_kept;
    df_survey_count *reasons;
    int n_reasons; /* why the others do not; most frequent first */
} df_survey_stage;

typedef struct {
    df_survey_stage *stages;
    int n_stages; /* in run order */
    df_survey_count *skipped;
    int n_skipped; /* inputs that are no rows of ingest, by reason */
} df_survey; /* all-zero is freeable */

df_status df_survey_make(df_survey *out, const df_stage *const *stages, const df_dataset *ds,
                         df_error *err);
void df_survey_free(df_survey *survey);
const char *df_survey_state_name(df_survey_state state);
int64_t df_survey_total(const df_survey_count *counts, int n);
#endif
