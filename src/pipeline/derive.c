#include "pipeline/derive.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "pipeline/lock.h"

/* What a stage is through with: neither checkpoints, nor journals, nor its rounds of work. */
static bool is_output(const char *name)
{
    static const char *const passing[] = {".partial", ".journal"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof passing / sizeof passing[0]; i++)
        if (strcmp(dot, passing[i]) == 0)
            return false;
    return !strchr(name, '/');
}

static df_status share_stage(const df_dataset *from, const df_dataset *to, const char *stage,
                             df_error *err)
{
    char prefix[64], path[PATH_MAX];
    const char **names;
    size_t n, length = (size_t)snprintf(prefix, sizeof prefix, "%s/", stage);
    DF_TRY(df_folder_list(df_dataset_files(from), prefix, &names, &n, err));
    df_status status = DF_OK;
    for (size_t i = 0; status == DF_OK && i < n; i++) {
        status = df_path(path, err, "%s/%s", df_dataset_folder(from), names[i]);
        if (status == DF_OK && is_output(names[i] + length) && df_file_exists(path))
            status = df_folder_share(df_dataset_files(to), path, names[i], err);
    }
    free(names);
    return status;
}

/* The stage's note of how it was made comes last: where it is, all its files are. */
static df_status derive_stage(const df_dataset *from, df_dataset *to, const char *stage,
                              df_error *err)
{
    char *made, *has = NULL;
    DF_TRY(df_dataset_stage_made(from, stage, &made, err));
    df_status status = df_dataset_stage_made(to, stage, &has, err);
    const bool due = made && !(has && strcmp(made, has) == 0);
    if (status == DF_OK && due)
        status = df_dataset_stage_reset(to, stage, err);
    if (status == DF_OK && due)
        status = share_stage(from, to, stage, err);
    if (status == DF_OK && due)
        status = df_dataset_stage_commit(to, stage, made, err);
    free(has);
    free(made);
    return status;
}

static df_status check_target(const df_dataset *from, const df_dataset *to, df_error *err)
{
    const char *input = df_dataset_input(to);
    if (!*df_dataset_input(from))
        return df_fail(err, DF_CONFIG, "%s: nothing was ingested there yet",
                       df_dataset_folder(from));
    if (*input && strcmp(input, df_dataset_input(from)) != 0)
        return df_fail(err, DF_CONFIG, "%s: a dataset of other images (%.200s) is there",
                       df_dataset_folder(to), input);
    return DF_OK;
}

df_status df_dataset_derive(const df_dataset *from, const char *to, const char *until,
                            df_error *err)
{
    df_dataset *own;
    df_lock lock = {.fd = -1};
    DF_TRY(df_dataset_create(&own, to, err));
    df_status status = df_lock_open(&lock, own, false, err);
    if (status == DF_OK)
        status = check_target(from, own, err);
    if (status == DF_OK && !*df_dataset_input(own))
        status = df_dataset_set_input(own, df_dataset_input(from), err);
    for (const df_stage *const *s = df_stages;
         status == DF_OK && *s && strcmp((*s)->name, until) != 0; s++)
        status = derive_stage(from, own, (*s)->name, err);
    df_lock_close(&lock);
    df_dataset_close(own);
    return status;
}
