#include "pipeline/plan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "pipeline/fingerprint.h"

void df_plan_free(df_plan *plan)
{
    for (int i = 0; i < plan->n_steps; i++)
        free(plan->steps[i].made);
    free(plan->steps);
    *plan = (df_plan){0};
}

const char *df_step_state_name(df_step_state state)
{
    switch (state) {
    case DF_STEP_OUTSIDE:
        return "not in this run";
    case DF_STEP_DONE:
        return "done";
    case DF_STEP_NEW:
        return "to do";
    case DF_STEP_MORE:
        return "to go on with";
    case DF_STEP_STALE:
        break;
    }
    return "to redo";
}

static df_step *find(const df_plan *plan, const char *name)
{
    for (int i = 0; i < plan->n_steps; i++)
        if (strcmp(plan->steps[i].stage->name, name) == 0)
            return &plan->steps[i];
    return NULL;
}

/* ---- what a stage has ---- */

static void count_parts(df_step *step, const df_dataset *ds, const df_run *run)
{
    step->parts_done = step->parts_wanted = 0;
    int n = step->stage->table ? df_dataset_parts(ds) : 0;
    for (int part = 0; part < n; part++) {
        if (!df_run_wants(run, part))
            continue;
        step->parts_wanted++;
        step->parts_done += df_dataset_has_part(ds, step->stage->name, part);
    }
}

static bool has_folder(const df_dataset *ds, const char *stage)
{
    char path[PATH_MAX];
    return df_path(path, NULL, "%s/%s", df_dataset_folder(ds), stage) == DF_OK &&
           df_file_exists(path);
}

static df_status add_content(df_step *step, const df_dataset *ds, df_error *err)
{
    df_str text = {0};
    df_str_append_n(&text, step->made, df_fingerprint_fixed(step->made));
    df_status status = df_fingerprint_content(ds, step->stage, &text, err);
    if (status == DF_OK && text.failed)
        status = df_no_memory(err, "plan");
    if (status != DF_OK) {
        df_str_free(&text);
        return status;
    }
    free(step->made);
    step->made = text.data ? text.data : strdup("");
    return step->made ? DF_OK : df_no_memory(err, "plan");
}

df_status df_step_refresh(df_step *step, const df_dataset *ds, const df_run *run, df_error *err)
{
    if (step->state == DF_STEP_OUTSIDE)
        return DF_OK;
    count_parts(step, ds, run);
    if (!step->stage->table)
        DF_TRY(add_content(step, ds, err));
    char *has;
    DF_TRY(df_dataset_stage_made(ds, step->stage->name, &has, err));
    if (!has)
        step->state = DF_STEP_NEW;
    else if (strcmp(has, step->made) != 0)
        step->state = DF_STEP_STALE;
    else if (step->stage->table)
        step->state = step->parts_done < step->parts_wanted ? DF_STEP_MORE : DF_STEP_DONE;
    else
        step->state = has_folder(ds, step->stage->name) ? DF_STEP_DONE : DF_STEP_NEW;
    free(has);
    return DF_OK;
}

/* ---- what is chosen ---- */

df_status df_plan_range(const df_config *config, const char *from, const char *to, int *first,
                        int *last, df_error *err)
{
    *first = from ? df_config_find(config, from) : 0;
    *last = to ? df_config_find(config, to) : config->n_stages - 1;
    if (*first < 0 || *last < 0)
        return df_fail(err, DF_CONFIG, "no stage is called \"%s\"", *first < 0 ? from : to);
    return *first > *last ? df_fail(err, DF_CONFIG, "%s comes after %s: nothing to do", from, to)
                          : DF_OK;
}

static df_status choose(df_plan *plan, const df_config *config, const char *from, const char *to,
                        df_error *err)
{
    int first, last;
    DF_TRY(df_plan_range(config, from, to, &first, &last, err));
    for (int i = 0; i < plan->n_steps; i++) {
        bool chosen = i >= first && i <= last && !df_config_skips(config, config->stages[i]->name);
        plan->steps[i] = (df_step){.stage = config->stages[i],
                                   .config = config->configs[i],
                                   .state = chosen ? DF_STEP_NEW : DF_STEP_OUTSIDE};
    }
    return DF_OK;
}

/* ---- what must have run before ---- */

static bool has_run(const df_step *read, const df_dataset *ds, const df_run *run)
{
    df_step seen = *read;
    count_parts(&seen, ds, run);
    return read->made && seen.parts_done == seen.parts_wanted;
}

/* Checks that all stages that a step reads have run, or will run before it. */
static df_status check_reads(const df_plan *plan, const df_step *step, const df_config *config,
                             const df_dataset *ds, const df_run *run, df_error *err)
{
    for (const char *const *r = step->stage->reads; r && *r; r++) {
        const df_step *read = find(plan, *r);
        if (!read)
            /* a table without that stage */
            continue;
        if (read >= step)
            return df_fail(err, DF_CONFIG, "%s: reads %s, which is not before it",
                           step->stage->name, *r);
        if (read->state != DF_STEP_OUTSIDE || df_config_skips(config, *r) || has_run(read, ds, run))
            continue;
        return df_fail(err, DF_FORMAT, "%s: %s must run before it: densefusion %s %s%s",
                       step->stage->name, *r, *r, strcmp(*r, "ingest") == 0 ? "INPUT -o " : "",
                       df_dataset_folder(ds));
    }
    return DF_OK;
}

/* Makes the fingerprint of a step from those of the stages that it reads. */
static df_status fingerprint(const df_plan *plan, df_step *step, const df_run *run, df_error *err)
{
    const char *made[32];
    int n = 0;
    for (const char *const *r = step->stage->reads; r && *r; r++, n++) {
        if (n == sizeof made / sizeof *made)
            return df_fail(err, DF_CONFIG, "%s: reads too many stages", step->stage->name);
        const df_step *read = find(plan, *r);
        made[n] = read && read->made ? read->made : "none";
    }
    df_str text = {0};
    df_error why = {""};
    df_run with = *run;
    with.used = step->used;
    df_status status = df_fingerprint(step->stage, step->config, &with, made, &text, &why);
    if (status == DF_OK && !text.data)
        df_str_append(&text, "\n");
    step->made = text.data;
    if (status == DF_OK && !step->made)
        status = df_no_memory(&why, NULL);
    return df_stage_failed(step->stage, status, &why, err);
}

static df_status plan_step(const df_plan *plan, df_step *step, const df_config *config,
                           const df_dataset *ds, const df_run *run, df_error *err)
{
    if (step->state == DF_STEP_OUTSIDE) {
        count_parts(step, ds, run);
        return df_dataset_stage_made(ds, step->stage->name, &step->made, err);
    }
    DF_TRY(check_reads(plan, step, config, ds, run, err));
    const df_stage *uses = step->stage->uses ? step->stage->uses(step->config) : NULL;
    const int used = uses ? df_config_find(config, uses->name) : -1;
    step->used = used < 0 ? NULL : config->configs[used];
    DF_TRY(fingerprint(plan, step, run, err));
    return df_step_refresh(step, ds, run, err);
}

df_status df_plan_make(df_plan *out, const df_config *config, const df_dataset *ds,
                       const df_run *run, const char *from, const char *to, df_error *err)
{
    df_plan plan = {.steps = calloc((size_t)config->n_stages + 1, sizeof *plan.steps),
                    .n_steps = config->n_stages};
    if (!plan.steps)
        return df_no_memory(err, "plan");
    df_status status = choose(&plan, config, from, to, err);
    for (int i = 0; status == DF_OK && i < plan.n_steps; i++)
        status = plan_step(&plan, &plan.steps[i], config, ds, run, err);
    if (status == DF_OK)
        *out = plan;
    else
        df_plan_free(&plan);
    return status;
}
