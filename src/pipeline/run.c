#include "pipeline/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/lock.h"
#include "pipeline/output.h"
#include "pipeline/partial.h"
#include "pipeline/pass.h"

typedef struct {
    const df_job *job;
    df_dataset *ds;
    df_plan plan;
    df_run run;
    df_lock lock;
} work;

/* The fingerprint is written before a stage's first part, so that parts found later are of this
 * making; a stage that writes no parts has it written when it is through. */
static df_status begin_stage(work *w, df_step *step, df_error *err)
{
    DF_TRY(df_step_refresh(step, w->ds, &w->run, err));
    if (step->state != DF_STEP_STALE && step->state != DF_STEP_NEW)
        return DF_OK;
    DF_TRY(df_dataset_stage_reset(w->ds, step->stage->name, err));
    return step->stage->table ? df_dataset_stage_commit(w->ds, step->stage->name, step->made, err)
                              : DF_OK;
}

static df_status prepare(work *w, df_step *step, df_error *err)
{
    df_lock_plan(&w->lock, true);
    df_status status = begin_stage(w, step, err);
    df_lock_plan(&w->lock, false);
    return status;
}

static void begin(const work *w, const char *name)
{
    if (w->job->begin)
        w->job->begin(w->job->ctx, name);
}

/* A run of some parts leaves the stages alone that work on the whole and that none waits for:
 * ingest, stats, report, export. */
static bool left_out(const work *w, const df_step *step)
{
    bool whole = !step->stage->table || !step->stage->reads || !step->stage->reads[0];
    return step->state == DF_STEP_OUTSIDE || (w->job->parts && whole);
}

/* A run of some parts ends before a stage that needs them all, unless it is done: what comes after
 * it waits for it. */
static bool ends_before(const work *w, const df_step *step)
{
    bool ready = step->stage->ready && step->stage->ready(w->ds);
    return w->job->parts && step->stage->whole && !ready && step->state != DF_STEP_OUTSIDE &&
           step->state != DF_STEP_DONE;
}

/* Runs a step that is no pixel stage. */
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
        w->run.used = step->used;
        status = step->stage->run(w->ds, step->config, &w->run, &why);
        if (status == DF_OK && !step->stage->table)
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

static bool is_for_us(const work *w, const df_step *step)
{
    return !left_out(w, step) && step->state != DF_STEP_DONE;
}

/* Parts of another making are for a run that is alone to remove. */
static df_status check_options(work *w, df_step *step, df_error *err)
{
    DF_TRY(df_step_refresh(step, w->ds, &w->run, err));
    if (step->state != DF_STEP_STALE || df_lock_is_alone(&w->lock))
        return DF_OK;
    return df_fail(
        err, DF_CONFIG,
        "%s: another run is at work here with other options of this stage, or of one before it; "
        "give the same options, or wait for it",
        step->stage->name);
}

/* Takes the parts of a stage that are not there yet. */
static df_status take_step(work *w, int i, df_error *err)
{
    df_step *step = &w->plan.steps[i];
    DF_TRY(begin_stage(w, step, err));
    for (int k = 0; k < w->job->n_parts; k++)
        if (!df_dataset_has_part(w->ds, step->stage->name, w->job->parts[k]))
            DF_TRY(df_lock_part(&w->lock, i, step->stage->name, w->job->parts[k], err));
    return DF_OK;
}

/* Runs that share a dataset agree on the options, and on who makes which part, before the first of
 * them writes. */
static df_status take_parts(work *w, df_error *err)
{
    df_status status = DF_OK;
    int n = 0;
    while (n < w->plan.n_steps && !ends_before(w, &w->plan.steps[n]))
        n++;
    df_lock_plan(&w->lock, true);
    for (int i = 0; status == DF_OK && i < n; i++)
        if (is_for_us(w, &w->plan.steps[i]))
            status = check_options(w, &w->plan.steps[i], err);
    for (int i = 0; status == DF_OK && i < n; i++)
        if (is_for_us(w, &w->plan.steps[i]))
            status = take_step(w, i, err);
    df_lock_plan(&w->lock, false);
    return status;
}

/* Runs the steps of the plan in order; neighbouring pixel stages share one pass. */
static df_status run_steps(work *w, df_error *err)
{
    if (w->job->parts)
        DF_TRY(take_parts(w, err));
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && i < w->plan.n_steps;) {
        if (df_run_stopped(&w->run))
            return df_stopped(err);
        df_step *step = &w->plan.steps[i];
        if (ends_before(w, step)) {
            df_run_note(
                &w->run,
                "%s works on the whole dataset: when all parts are there, run without --parts",
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
            return df_fail(err, DF_CONFIG, "part %d: the dataset has parts 0 to %d",
                           w->job->parts[i], df_dataset_parts(w->ds) - 1);
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
        w->run.used = step->used;
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
        return df_no_memory(err, "run");
    work w = {.job = job,
              .lock = {.fd = -1},
              .run = {.n_threads = df_config_threads(config),
                      .input = job->input,
                      .models = models,
                      .runtime = df_config_runtime(config),
                      .share = df_config_share(config),
                      .parts = job->parts,
                      .n_parts = job->n_parts,
                      .stop = job->stop,
                      .progress = job->progress,
                      .live = job->live,
                      .note = job->note,
                      .ctx = job->ctx}};
    int first, last;
    df_status status = df_plan_range(config, job->from, job->to, &first, &last, err);
    if (status == DF_OK)
        status = df_output_check(job->input, job->out, err);
    if (status == DF_OK)
        status = job->input ? df_dataset_create(&w.ds, job->out, err)
                            : df_dataset_open(&w.ds, job->out, err);
    if (status == DF_OK)
        status = df_lock_open(&w.lock, w.ds, job->parts != NULL, err);
    if (status == DF_OK)
        status = run_dataset(&w, config, err);
    if (w.lock.fd >= 0 && !job->parts && !job->dry_run && status != DF_NOMEM) {
        df_status tidied = df_folder_tidy(df_dataset_files(w.ds), status == DF_OK ? err : NULL);
        status = status == DF_OK ? tidied : status;
    }
    df_plan_free(&w.plan);
    df_lock_close(&w.lock);
    df_dataset_close(w.ds);
    free(models);
    return status;
}
