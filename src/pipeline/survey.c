#include "pipeline/survey.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "dataset/sql_text.h"
#include "pipeline/fingerprint.h"

static void free_counts(df_survey_count *counts, int n)
{
    for (int i = 0; i < n; i++)
        free(counts[i].reason);
    free(counts);
}

void df_survey_free(df_survey *survey)
{
    for (int i = 0; i < survey->n_stages; i++)
        free_counts(survey->stages[i].reasons, survey->stages[i].n_reasons);
    free_counts(survey->skipped, survey->n_skipped);
    free(survey->stages);
    *survey = (df_survey){0};
}

const char *df_survey_state_name(df_survey_state state)
{
    switch (state) {
    case DF_SURVEY_NOT_RUN:
        return "not run";
    case DF_SURVEY_UNFINISHED:
        return "unfinished";
    case DF_SURVEY_STALE:
        return "stale";
    case DF_SURVEY_DONE:
        break;
    }
    return "done";
}

int64_t df_survey_total(const df_survey_count *counts, int n)
{
    int64_t total = 0;
    for (int i = 0; i < n; i++)
        total += counts[i].n;
    return total;
}

/* ---- counts ---- */

/* A reader over the parts that are there. */
static df_status append_files(df_str *sql, const df_dataset *ds, const char *stage, int n_parts,
                              df_error *err)
{
    df_sql_read(sql, DF_SQL_PARQUET);
    for (int part = 0; part < n_parts; part++) {
        if (!df_dataset_has_part(ds, stage, part))
            continue;
        char *path = df_dataset_part_path(ds, stage, part, "parquet");
        df_status status = df_sql_read_file(sql, path, err);
        free(path);
        DF_TRY(status);
    }
    df_sql_read_end(sql, DF_SQL_PARQUET, ", union_by_name = false, filename = true");
    return DF_OK;
}

/* status: of making the SQL. */
static df_status ask(df_status status, df_str *sql, df_table **out, df_error *err)
{
    if (status == DF_OK)
        status =
            sql->failed ? df_no_memory(err, "status") : df_table_query(out, df_str_text(sql), err);
    df_str_free(sql);
    return status;
}

/* Copies a table of reasons and counts. */
static df_status counts_of(const df_table *t, df_survey_count **out, int *n, df_error *err)
{
    int64_t rows = df_table_rows(t);
    df_survey_count *counts = calloc((size_t)rows + 1, sizeof *counts);
    for (int64_t i = 0; counts && i < rows; i++) {
        counts[i] = (df_survey_count){strdup(df_table_text(t, i, 0)), df_table_int(t, i, 1)};
        if (!counts[i].reason) {
            free_counts(counts, (int)i);
            counts = NULL;
        }
    }
    if (!counts)
        return df_no_memory(err, "status");
    *out = counts;
    *n = (int)rows;
    return DF_OK;
}

/* Counts the rows of a stage's parts, the images they are of, and those that passed. */
static df_status count_rows(df_survey_stage *s, const df_dataset *ds, int n_parts, df_error *err)
{
    df_str sql = {0};
    df_table *t = NULL;
    const df_table_type *type = s->stage->table;
    df_str_printf(
        &sql, "SELECT count(*), count(DISTINCT (filename, \"row\")), count(*) FILTER (%s) FROM ",
        type->passed ? type->passed : "false");
    df_status status = append_files(&sql, ds, s->stage->name, n_parts, err);
    DF_TRY(ask(status, &sql, &t, err));
    s->n_rows = df_table_int(t, 0, 0);
    s->n_images = df_table_int(t, 0, 1);
    s->n_kept = !type->passed ? -1 : df_table_int(t, 0, 2);
    df_table_close(t);
    if (!type->passed)
        return DF_OK;
    df_str_printf(&sql, "SELECT %s AS why, count(*) AS n FROM ", type->why);
    status = append_files(&sql, ds, s->stage->name, n_parts, err);
    df_str_printf(&sql, " WHERE NOT (%s) GROUP BY why ORDER BY n DESC, why", type->passed);
    DF_TRY(ask(status, &sql, &t, err));
    status = counts_of(t, &s->reasons, &s->n_reasons, err);
    df_table_close(t);
    return status;
}

static df_status count_skipped(df_survey *survey, const df_dataset *ds, df_error *err)
{
    df_table *t = NULL;
    df_status status = df_dataset_skipped(ds, &t, err);
    if (status == DF_OK && t)
        status = counts_of(t, &survey->skipped, &survey->n_skipped, err);
    df_table_close(t);
    return status;
}

/* ---- states ---- */

static const df_survey_stage *find(const df_survey *survey, const char *name)
{
    for (int i = 0; i < survey->n_stages; i++)
        if (strcmp(survey->stages[i].stage->name, name) == 0)
            return &survey->stages[i];
    return NULL;
}

static df_status same_content(const df_stage *stage, const char *made, const df_dataset *ds,
                              bool *same, df_error *err)
{
    df_str now = {0};
    df_status status = df_fingerprint_content(ds, stage, &now, err);
    const char *then = strstr(made, "\ncontent ");
    *same = then && strcmp(then + 1, df_str_text(&now)) == 0;
    df_str_free(&now);
    return status;
}

/* Stale: a stage that it reads is stale, or was made anew since. */
static df_status judge(const df_survey *survey, df_survey_stage *s, const df_dataset *ds,
                       df_error *err)
{
    char *made;
    DF_TRY(df_dataset_stage_made(ds, s->stage->name, &made, err));
    bool stale = false;
    df_status status = DF_OK;
    for (const char *const *r = s->stage->reads; status == DF_OK && made && r && *r; r++) {
        const df_survey_stage *read = find(survey, *r);
        char *read_made = NULL;
        status = df_dataset_stage_made(ds, *r, &read_made, err);
        stale = stale || (read && read->state == DF_SURVEY_STALE) ||
                !df_fingerprint_reads(made, *r, read_made ? read_made : "none");
        free(read_made);
    }
    if (status == DF_OK && made && !stale && !s->stage->table) {
        bool same = true;
        status = same_content(s->stage, made, ds, &same, err);
        stale = !same;
    }
    s->state = !made                      ? DF_SURVEY_NOT_RUN
               : stale                    ? DF_SURVEY_STALE
               : s->parts_done < s->parts ? DF_SURVEY_UNFINISHED
                                          : DF_SURVEY_DONE;
    free(made);
    return status;
}

static df_status survey_stage(const df_survey *survey, df_survey_stage *s, const df_dataset *ds,
                              df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    s->parts = s->stage->table ? n_parts : 0;
    s->n_kept = -1;
    for (int part = 0; part < s->parts; part++)
        s->parts_done += df_dataset_has_part(ds, s->stage->name, part);
    DF_TRY(judge(survey, s, ds, err));
    return s->parts_done ? count_rows(s, ds, n_parts, err) : DF_OK;
}

df_status df_survey_make(df_survey *out, const df_stage *const *stages, const df_dataset *ds,
                         df_error *err)
{
    df_survey survey = {0};
    int n = 0;
    while (stages[n])
        n++;
    survey.stages = calloc((size_t)n + 1, sizeof *survey.stages);
    df_status status = survey.stages ? DF_OK : df_no_memory(err, "status");
    for (int i = 0; status == DF_OK && i < n; i++) {
        survey.stages[survey.n_stages++].stage = stages[i];
        status = survey_stage(&survey, &survey.stages[i], ds, err);
    }
    if (status == DF_OK)
        status = count_skipped(&survey, ds, err);
    if (status == DF_OK)
        *out = survey;
    else
        df_survey_free(&survey);
    return status;
}
