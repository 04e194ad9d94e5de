/* What a run would do, and why: the stages in order, which are chosen, what each has and what it
 * lacks. */
#ifndef DF_PIPELINE_PLAN_H
#define DF_PIPELINE_PLAN_H
#include "pipeline/config.h"

typedef enum {
    DF_STEP_OUTSIDE,                         /* not chosen, or left out by run.skip */
    DF_STEP_DONE,                            /* nothing to do */
    DF_STEP_NEW,                             /* never ran */
    DF_STEP_MORE,                            /* has some of its parts */
    /* other options, models or sources made what it has: it is redone */
    DF_STEP_STALE,
} df_step_state;

typedef struct {
    const df_stage *stage;
    const void *config;
    const void *used; /* options of the stage that it uses; NULL: none */
    df_step_state state;
    char *made; /* the fingerprint that its output will have; of stages not chosen: that
                   it has, NULL when it never ran */
    int parts_done, parts_wanted; /* 0 of 0 for a stage that writes no parts */
} df_step;

typedef struct {
    df_step *steps;
    int n_steps;
} df_plan; /* all-zero is freeable */

/* Places of the first and the last stage of a run, by name; NULL: the first and the last there are.
 * DF_CONFIG for an unknown name, or when nothing lies between them. */
df_status df_plan_range(const df_config *config, const char *from, const char *to, int *first,
                        int *last, df_error *err);
/* from, to: names of stages or NULL. Errors: DF_CONFIG for an unknown stage; what the stages'
 * `depends` say, e.g. DF_MODEL when a model is not installed; DF_FORMAT naming what must run
 * before. */
df_status df_plan_make(df_plan *out, const df_config *config, const df_dataset *ds,
                       const df_run *run, const char *from, const char *to, df_error *err);
void df_plan_free(df_plan *plan);
const char *df_step_state_name(df_step_state state); /* "to do", "done" */
/* Looks again at what the stage has; a stage without parts compares the content of
 * what it reads. */
df_status df_step_refresh(df_step *step, const df_dataset *ds, const df_run *run, df_error *err);
#endif
