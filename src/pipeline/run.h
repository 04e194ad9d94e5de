/* Executes a plan: stage by stage, resuming what an earlier run left, stopping when asked. */
#ifndef DF_PIPELINE_RUN_H
#define DF_PIPELINE_RUN_H
#include "pipeline/plan.h"

typedef struct {
    /* input NULL: the one that the dataset was made from */
    const char *input, *out;
    const char *from, *to;                   /* stages, or NULL for the first and the last */
    /* NULL: all. With parts, several runs may share a dataset */
    const int *parts;
    int n_parts;
    atomic_bool *stop;
    void (*progress)(void *ctx, const char *stage, int64_t done, int64_t total);
    void (*live)(void *ctx, const char *text);
    void (*note)(void *ctx, const char *line);
    /* called with the plan before anything is done; may be NULL */
    void (*plan)(void *ctx, const df_plan *plan);
    /* a stage (or "filter+tag+detect") starts; may be NULL */
    void (*begin)(void *ctx, const char *stage);
    /* of a dry run, after the plan; may be NULL */
    void (*estimate)(void *ctx, const char *stage, const char *words);
    void *ctx;
    bool dry_run;                            /* plan only */
} df_job;

/* DF_STOPPED after *stop: the same job again goes on. */
df_status df_job_run(const df_config *config, const df_job *job, df_error *err);
#endif
