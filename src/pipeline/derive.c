#include "pipeline/derive.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static df_status copy_file(const char *source, const char *target, df_error *err)
{
    char *bytes;
    size_t size;
    DF_TRY(df_file_read(source, SIZE_MAX / 2, &bytes, &size, err));
    df_status status = df_file_write(target, bytes, size, err);
    free(bytes);
    return status;
}

static df_status share_file(const char *source, const char *target, df_error *err)
{
    if (unlink(target) != 0 && errno != ENOENT)
        return df_fail(err, DF_IO, "%s: %s", target, strerror(errno));
    if (link(source, target) == 0)
        return DF_OK;
    return copy_file(source, target, err);
}

/* What a stage is through with: neither checkpoints, nor what was being written, nor its rounds of work. */
static bool is_output(const char *path, const char *name)
{
    static const char *const passing[] = {".tmp", ".partial", ".journal"};
    struct stat info;
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof passing / sizeof passing[0]; i++)
        if (strcmp(dot, passing[i]) == 0)
            return false;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static df_status share_folder(const char *source, const char *target, df_error *err)
{
    DIR *dir = opendir(source);
    if (!dir)
        return errno == ENOENT ? DF_OK : df_fail(err, DF_IO, "%s: %s", source, strerror(errno));
    df_status status = df_file_mkdir(target, err);
    for (const struct dirent *e; status == DF_OK && (e = readdir(dir)) != NULL;) {
        char from[PATH_MAX], to[PATH_MAX];
        if ((size_t)snprintf(from, sizeof from, "%s/%s", source, e->d_name) >= sizeof from ||
            (size_t)snprintf(to, sizeof to, "%s/%s", target, e->d_name) >= sizeof to)
            status = df_fail(err, DF_IO, "%s: path is too long", source);
        else if (is_output(from, e->d_name))
            status = share_file(from, to, err);
    }
    closedir(dir);
    return status;
}

/* The stage's note of how it was made comes last: where it is, all its files are. */
static df_status derive_stage(const df_dataset *from, df_dataset *to, const char *stage, df_error *err)
{
    char source[PATH_MAX], target[PATH_MAX];
    char *made = df_dataset_stage_made(from, stage);
    if (!made || df_dataset_stage_done(to, stage, made)) {
        free(made);
        return DF_OK;
    }
    df_status status = df_dataset_stage_reset(to, stage, err);
    if ((size_t)snprintf(source, sizeof source, "%s/%s", df_dataset_folder(from), stage) >= sizeof source ||
        (size_t)snprintf(target, sizeof target, "%s/%s", df_dataset_folder(to), stage) >= sizeof target)
        status = df_fail(err, DF_IO, "%s: path is too long", df_dataset_folder(from));
    if (status == DF_OK)
        status = share_folder(source, target, err);
    if (status == DF_OK)
        status = df_dataset_stage_commit(to, stage, made, err);
    free(made);
    return status;
}

static df_status check_target(const df_dataset *from, const df_dataset *to, df_error *err)
{
    const char *input = df_dataset_input(to);
    if (!*df_dataset_input(from))
        return df_fail(err, DF_CONFIG, "%s: nothing was ingested there yet", df_dataset_folder(from));
    if (*input && strcmp(input, df_dataset_input(from)) != 0)
        return df_fail(err, DF_CONFIG, "%s: a dataset of other images (%.200s) is there", df_dataset_folder(to), input);
    return DF_OK;
}

df_status df_dataset_derive(const df_dataset *from, const char *to, const char *until, df_error *err)
{
    df_dataset *own;
    DF_TRY(df_dataset_open(&own, to, err));
    df_status status = check_target(from, own, err);
    if (status == DF_OK && !*df_dataset_input(own))
        status = df_dataset_set_input(own, df_dataset_input(from), err);
    for (const df_stage *const *s = df_stages; status == DF_OK && *s && strcmp((*s)->name, until) != 0; s++)
        status = derive_stage(from, own, (*s)->name, err);
    df_dataset_close(own);
    return status;
}
