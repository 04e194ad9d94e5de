/* Prints one line for each stage. */
#include "summary.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "put.h"

static void append_reasons(df_str *out, const df_survey_count *counts, int n)
{
    for (int i = 0; i < n; i++)
        df_str_printf(out, "%s %lld %s", i ? "," : ":", (long long)counts[i].n, counts[i].reason);
}

/* Appends a decision: "112 of 160 images, not 48: 30 small, 18 duplicate". */
static void append_decision(df_str *out, const df_survey_stage *s)
{
    df_str_printf(out, "%lld of %lld images", (long long)s->n_kept, (long long)s->n_rows);
    if (s->n_kept < s->n_rows) {
        df_str_printf(out, ", not %lld", (long long)(s->n_rows - s->n_kept));
        append_reasons(out, s->reasons, s->n_reasons);
    }
}

static void append_found(df_str *out, const df_survey *survey, const df_survey_stage *s)
{
    int64_t skipped = df_survey_total(survey->skipped, survey->n_skipped);
    df_str_printf(out, "%lld images", (long long)s->n_rows);
    if (s->n_rows > s->n_kept) {
        df_str_printf(out, ", broken %lld", (long long)(s->n_rows - s->n_kept));
        append_reasons(out, s->reasons, s->n_reasons);
    }
    if (skipped) {
        df_str_printf(out, "; no images %lld", (long long)skipped);
        append_reasons(out, survey->skipped, survey->n_skipped);
    }
}

/* Prints a line on a stage: its counts, and its state where it is not done. */
static df_status print_stage(const df_survey *survey, const df_survey_stage *s, df_error *err)
{
    df_str line = {0};
    bool source = !s->stage->reads || !s->stage->reads[0];
    if (s->parts_done && source)
        append_found(&line, survey, s);
    else if (s->parts_done && s->n_kept >= 0)
        append_decision(&line, s);
    else if (s->parts_done)
        df_str_printf(&line, "%lld records in %lld images", (long long)s->n_rows,
                      (long long)s->n_images);
    printf("%-9s", s->stage->name);
    if (s->state != DF_SURVEY_DONE) {
        printf(" %s", df_survey_state_name(s->state));
        if (s->parts_done < s->parts && s->parts_done)
            printf(", %d of %d parts", s->parts_done, s->parts);
        printf("%s", line.size ? ":" : "");
    } else if (!s->parts) {
        printf(" done");
    }
    put_line(stdout, "%s%s", line.size ? " " : "", df_str_text(&line));
    const bool failed = line.failed;
    df_str_free(&line);
    return failed ? df_no_memory(err, "status") : DF_OK;
}

df_status summary_print_stages(const df_survey *survey, df_error *err)
{
    for (int i = 0; i < survey->n_stages; i++)
        DF_TRY(print_stage(survey, &survey->stages[i], err));
    return DF_OK;
}

/* The state of a stage; an unknown name has not run. */
static df_survey_state state_of(const df_survey *survey, const char *stage)
{
    for (int i = 0; i < survey->n_stages; i++)
        if (strcmp(survey->stages[i].stage->name, stage) == 0)
            return survey->stages[i].state;
    return DF_SURVEY_NOT_RUN;
}

/* Prints where a file is, with the state of its stage unless that is done. */
static bool print_if_there(const char *folder, const char *name, const char *before,
                           const char *what, df_survey_state state)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path ||
        !df_file_exists(path))
        return false;
    fputs(before, stdout);
    if (state == DF_SURVEY_DONE)
        put_line(stdout, "%-9s %s", what, path);
    else
        put_line(stdout, "%-9s %s (%s)", what, path, df_survey_state_name(state));
    return true;
}

static void print_files(const df_survey *survey, const char *folder)
{
    bool any =
        print_if_there(folder, "captions.jsonl", "\n", "captions", state_of(survey, "export"));
    print_if_there(folder, "report/index.html", any ? "" : "\n", "page",
                   state_of(survey, "report"));
}

df_status summary_print(const char *folder, df_error *err)
{
    df_dataset *ds;
    df_survey survey = {0};
    DF_TRY(df_dataset_open(&ds, folder, err));
    df_status status = df_survey_make(&survey, df_stages, ds, err);
    if (status == DF_OK)
        status = summary_print_stages(&survey, err);
    if (status == DF_OK)
        print_files(&survey, folder);
    df_survey_free(&survey);
    df_dataset_close(ds);
    return status;
}
