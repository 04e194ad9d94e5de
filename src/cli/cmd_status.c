/* densefusion status: what each stage has done, and how many images are left. */
#include <stdio.h>

#include "command.h"
#include "io/json.h"
#include "put.h"
#include "summary.h"

static void append_counts(df_str *out, const char *name, const df_survey_count *counts, int n)
{
    df_str_printf(out, ", \"%s\": {", name);
    for (int i = 0; i < n; i++) {
        df_str_append(out, i ? ", " : "");
        df_json_append_text(out, counts[i].reason);
        df_str_printf(out, ": %lld", (long long)counts[i].n);
    }
    df_str_append(out, "}");
}

static df_status print_json(const df_survey *survey, df_error *err)
{
    df_str out = {0};
    df_str_append(&out, "{\"stages\": [");
    for (int i = 0; i < survey->n_stages; i++) {
        const df_survey_stage *s = &survey->stages[i];
        df_str_printf(
            &out,
            "%s\n  {\"stage\": \"%s\", \"state\": \"%s\", \"parts_done\": %d, \"parts\": %d, "
            "\"rows\": %lld, \"images\": %lld",
            i ? "," : "", s->stage->name, df_survey_state_name(s->state), s->parts_done, s->parts,
            (long long)s->n_rows, (long long)s->n_images);
        if (s->n_kept >= 0) {
            df_str_printf(&out, ", \"kept\": %lld", (long long)s->n_kept);
            append_counts(&out, "not_kept", s->reasons, s->n_reasons);
        }
        df_str_append(&out, "}");
    }
    df_str_append(&out, "\n]");
    append_counts(&out, "skipped_inputs", survey->skipped, survey->n_skipped);
    df_str_append(&out, "}");
    return put_json(&out, err);
}

int cmd_status(const args *a)
{
    static const command self = {.name = "status", .usage = "OUT [--json]"};
    if (a->n_positional != 1)
        return command_usage(&self, "one dataset folder is needed");
    df_dataset *ds = NULL;
    df_survey survey = {0};
    df_error err = {""};
    df_status status = df_dataset_open(&ds, a->positional[0], &err);
    if (status == DF_OK)
        status = df_survey_make(&survey, df_stages, ds, &err);
    if (status == DF_OK && a->given & FLAG_JSON)
        status = print_json(&survey, &err);
    else if (status == DF_OK)
        summary_print_stages(&survey);
    df_survey_free(&survey);
    df_dataset_close(ds);
    return command_failed(status, &err);
}
