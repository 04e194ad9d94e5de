/* densefusion status: what each stage has done, and how many images are left. */
#include <stdio.h>

#include "command.h"
#include "io/json_writer.h"
#include "put.h"
#include "summary.h"

static void put_counts(df_json_writer *w, const char *name, const df_survey_count *counts, int n)
{
    df_json_begin_object(w, name);
    for (int i = 0; i < n; i++)
        df_json_put_int(w, counts[i].reason, counts[i].n);
    df_json_end(w);
}

static void put_stage(df_json_writer *w, const df_survey_stage *s)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "stage", s->stage->name);
    df_json_put_text(w, "state", df_survey_state_name(s->state));
    df_json_put_int(w, "parts_done", s->parts_done);
    df_json_put_int(w, "parts", s->parts);
    df_json_put_int(w, "rows", s->n_rows);
    df_json_put_int(w, "images", s->n_images);
    if (s->n_kept >= 0) {
        df_json_put_int(w, "kept", s->n_kept);
        put_counts(w, "not_kept", s->reasons, s->n_reasons);
    }
    df_json_end(w);
}

/* Prints the state of all stages as JSON. */
static df_status print_status_json(const df_survey *survey, df_error *err)
{
    df_str out = {0};
    df_json_writer w = {.out = &out, .lines = 2};
    df_json_begin_object(&w, NULL);
    df_json_begin_list(&w, "stages");
    for (int i = 0; i < survey->n_stages; i++)
        put_stage(&w, &survey->stages[i]);
    df_json_end(&w);
    w.lines = 1;                             /* one line for all counts */
    put_counts(&w, "skipped_inputs", survey->skipped, survey->n_skipped);
    df_json_end(&w);
    return put_json(&out, err);
}

int cmd_status(const command *self, const args *a)
{
    if (a->n_positional != 1)
        return command_usage(self, "one dataset folder is needed");
    df_dataset *ds = NULL;
    df_survey survey = {0};
    df_error err = {""};
    df_status status = df_dataset_open(&ds, a->positional[0], &err);
    if (status == DF_OK)
        status = df_survey_make(&survey, df_stages, ds, &err);
    if (status == DF_OK && a->given & FLAG_JSON)
        status = print_status_json(&survey, &err);
    else if (status == DF_OK)
        status = summary_print_stages(&survey, &err);
    df_survey_free(&survey);
    df_dataset_close(ds);
    return command_failed(status, &err);
}
