#include "stage/stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern const df_stage df_stage_ingest, df_stage_filter, df_stage_embed, df_stage_cluster,
    df_stage_dedup, df_stage_select, df_stage_tag, df_stage_detect, df_stage_read, df_stage_look,
    df_stage_fuse, df_stage_caption, df_stage_check, df_stage_stats, df_stage_export,
    df_stage_report;

/* In run order: data flows down this list and never up. */
const df_stage *const df_stages[] = {
    &df_stage_ingest,
    &df_stage_filter,
    &df_stage_embed,
    &df_stage_cluster,
    &df_stage_dedup,
    &df_stage_select,
    &df_stage_tag,
    &df_stage_detect,
    &df_stage_read,
    &df_stage_look,
    &df_stage_fuse,
    &df_stage_caption,
    &df_stage_check,
    &df_stage_stats,
    &df_stage_export,
    &df_stage_report,
    NULL,
};

const df_stage *df_stage_find(const char *name)
{
    for (const df_stage *const *s = df_stages; *s; s++)
        if (strcmp((*s)->name, name) == 0)
            return *s;
    return NULL;
}

df_status df_stage_failed(const df_stage *stage, df_status status, const df_error *why,
                          df_error *err)
{
    size_t n = strlen(stage->name);
    if (status == DF_OK)
        return DF_OK;
    if (strncmp(why->message, stage->name, n) == 0 && why->message[n] == ':')
        return df_fail(err, status, "%s", why->message);
    return df_fail(err, status, "%s: %s", stage->name, why->message);
}

bool df_run_wants(const df_run *run, int part)
{
    for (int i = 0; i < run->n_parts; i++)
        if (run->parts[i] == part)
            return true;
    return run->parts == NULL;
}

bool df_run_stopped(const df_run *run)
{
    return run->stop && atomic_load(run->stop);
}

void df_run_progress(const df_run *run, const char *stage, int64_t done, int64_t total)
{
    if (run->progress)
        run->progress(run->ctx, stage, done, total);
}

void df_run_live(const df_run *run, const char *text)
{
    if (run->live)
        run->live(run->ctx, text);
}

void df_run_note(const df_run *run, const char *fmt, ...)
{
    if (!run->note)
        return;
    char words[2048] = "", line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    df_printable(words, strlen(words), line, sizeof line);
    run->note(run->ctx, line);
}

df_image_rows df_sight_rows(const df_sight *sight, const df_table_type *type)
{
    for (int i = 0; i < sight->n_seen; i++)
        if (sight->seen[i].type == type)
            return sight->seen[i];
    return (df_image_rows){.type = type};
}
