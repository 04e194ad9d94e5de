#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/lock.h"
#include "pipeline/partial.h"
#include "pipeline/pass.h"

typedef struct {
    const df_job *job;
    df_dataset *ds;
    df_plan plan;
    df_run run;
    df_lock lock;
} work;

/* The fingerprint is written before a stage's first part, so that parts found later are of this making; a stage that
 * writes no parts has it written when it is through. */
static df_status prepare(work *w, df_step *step, df_error *err)
{
    df_lock_plan(&w->lock, true);
    df_status status = df_step_refresh(step, w->ds, &w->run, err);
    if (status == DF_OK && (step->state == DF_STEP_STALE || step->state == DF_STEP_NEW)) {
        status = df_dataset_stage_reset(w->ds, step->stage->name, err);
        if (status == DF_OK && step->stage->columns)
            status = df_dataset_stage_commit(w->ds, step->stage->name, step->made, err);
    }
    df_lock_plan(&w->lock, false);
    return status;
}

static void begin(const work *w, const char *name)
{
    if (w->job->begin)
        w->job->begin(w->job->ctx, name);
}

/* A run of some parts leaves the stages alone that work on the whole and that none waits for: ingest, stats, report,
 * export. */
static bool left_out(const work *w, const df_step *step)
{
    bool whole = !step->stage->columns || !step->stage->reads || !step->stage->reads[0];
    return step->state == DF_STEP_OUTSIDE || (w->job->parts && whole);
}

/* A run of some parts ends before a stage that needs them all, unless it is done: what comes after it waits for it. */
static bool ends_before(const work *w, const df_step *step)
{
    bool ready = step->stage->ready && step->stage->ready(w->ds);
    return w->job->parts && step->stage->whole && !ready && step->state != DF_STEP_OUTSIDE &&
           step->state != DF_STEP_DONE;
}

static df_status run_plain(work *w, df_step *step, df_error *err)
{
    df_error why = {""};
    df_status status = prepare(w, step, &why);
    /* Ingest alone knows whether its input is all there: it reads no stage, and is always asked. */
    bool source = !step->stage->reads || !step->stage->reads[0];
    if (status == DF_OK && step->stage->whole)
        df_partial_tidy(w->ds, step->stage->name);
    if (status == DF_OK && (step->state != DF_STEP_DONE || source)) {
        begin(w, step->stage->name);
        status = step->stage->run(w->ds, step->config, &w->run, &why);
        if (status == DF_OK && !step->stage->columns)
            status = df_dataset_stage_commit(w->ds, step->stage->name, step->made, &why);
    }
    if (status == DF_OK && source && df_dataset_parts(w->ds) == 0)
        status = df_fail(&why, DF_FORMAT, "no images in %s", w->run.input);
    return df_stage_failed(step->stage, status, &why, err);
}

/* Runs the neighbouring pixel stages from `first` on in one pass. *next: the step after them. */
static df_status run_pixels(work *w, int first, int *next, df_error *err)
{
    df_pass_stage stages[DF_PASS_STAGES_MAX];
    char name[256] = "";
    int n = 0, i = first;
    for (; i < w->plan.n_steps && n < DF_PASS_STAGES_MAX; i++) {
        df_step *step = &w->plan.steps[i];
        if (left_out(w, step))
            continue;
        if (!step->stage->pixels || ends_before(w, step))
            break;
        DF_TRY(prepare(w, step, err));
        df_partial_tidy(w->ds, step->stage->name);
        if (step->state == DF_STEP_DONE)
            continue;
        size_t used = strlen(name);
        snprintf(name + used, sizeof name - used, "%s%s", n ? "+" : "", step->stage->name);
        stages[n++] = (df_pass_stage){step->stage, step->config};
    }
    *next = i;
    if (n == 0)
        return DF_OK;
    begin(w, name);
    return df_pass_run(w->ds, stages, n, &w->run, err);
}

static df_status run_steps(work *w, df_error *err)
{
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && i < w->plan.n_steps;) {
        if (df_run_stopped(&w->run))
            return df_fail(err, DF_STOPPED, "stopped");
        df_step *step = &w->plan.steps[i];
        if (ends_before(w, step)) {
            df_run_note(&w->run, "%s works on the whole dataset: when all parts are there, run without --parts",
                        step->stage->name);
            return DF_OK;
        }
        if (left_out(w, step))
            i++;
        else if (step->stage->pixels)
            status = run_pixels(w, i, &i, err);
        else
            status = run_plain(w, &w->plan.steps[i++], err);
    }
    return status;
}

static df_status check_parts(const work *w, df_error *err)
{
    for (int i = 0; i < w->job->n_parts; i++)
        if (w->job->parts[i] >= df_dataset_parts(w->ds))
            return df_fail(err, DF_CONFIG, "part %d: the dataset has parts 0 to %d", w->job->parts[i],
                           df_dataset_parts(w->ds) - 1);
    return DF_OK;
}

/* Of the stages that would do something and can say what it takes. */
static df_status estimate_steps(work *w, df_error *err)
{
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && w->job->estimate && i < w->plan.n_steps; i++) {
        const df_step *step = &w->plan.steps[i];
        df_str words = {0};
        if (!step->stage->estimate || step->state == DF_STEP_OUTSIDE || step->state == DF_STEP_DONE)
            continue;
        status = step->stage->estimate(w->ds, step->config, &w->run, &words, err);
        if (status == DF_OK && words.size)
            w->job->estimate(w->job->ctx, step->stage->name, df_str_text(&words));
        df_str_free(&words);
    }
    return status;
}

static df_status run_dataset(work *w, const df_config *config, df_error *err)
{
    const df_job *job = w->job;
    if (!w->run.input)
        w->run.input = df_dataset_input(w->ds);
    DF_TRY(check_parts(w, err));
    df_lock_plan(&w->lock, true);
    df_status status = df_plan_make(&w->plan, config, w->ds, &w->run, job->from, job->to, err);
    df_lock_plan(&w->lock, false);
    if (status != DF_OK)
        return status;
    if (job->plan)
        job->plan(job->ctx, &w->plan);
    return job->dry_run ? estimate_steps(w, err) : run_steps(w, err);
}

df_status df_job_run(const df_config *config, const df_job *job, df_error *err)
{
    char *models = df_config_models(config);
    if (!models)
        return df_fail(err, DF_NOMEM, "run: out of memory");
    work w = {.job = job, .lock = {-1, -1},
              .run = {.n_threads = df_config_threads(config), .input = job->input, .models = models,
                      .runtime = df_config_runtime(config), .share = df_config_share(config), .parts = job->parts,
                      .n_parts = job->n_parts, .stop = job->stop, .progress = job->progress, .live = job->live,
                      .note = job->note, .ctx = job->ctx}};
    const int check = df_config_find(config, "check");
    w.run.check = check < 0 ? NULL : config->configs[check];
    df_status status = df_dataset_open(&w.ds, job->out, err);
    if (status == DF_OK)
        status = df_lock_open(&w.lock, job->out, job->parts != NULL, err);
    if (status == DF_OK)
        status = run_dataset(&w, config, err);
    df_plan_free(&w.plan);
    df_lock_close(&w.lock);
    df_dataset_close(w.ds);
    free(models);
    return status;
}
