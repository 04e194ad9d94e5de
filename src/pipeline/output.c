#define _XOPEN_SOURCE 700                    /* realpath */
#include "pipeline/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataset/dataset.h"

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether a resolved path is the folder, or lies in it. Compared by file, so that links and mounts
 * do not hide it. The path is cut at its parents. */
static bool lies_in(char *path, const struct stat *folder)
{
    struct stat st;
    for (;;) {
        if (stat(path, &st) == 0 && is_same(&st, folder))
            return true;
        char *slash = strrchr(path, '/');
        if (!slash || !path[1])
            return false;
        slash[slash == path] = '\0';
    }
}

df_status df_output_check(const char *input, const char *out, df_error *err)
{
    struct stat of_input, of_out;
    bool is_dataset = false;
    if (!input)
        return DF_OK;
    char *path = realpath(input, NULL);
    if (!path || stat(path, &of_input) != 0) {
        free(path);
        return df_fail(err, errno == ENOMEM ? DF_NOMEM : DF_IO, "open %s: %s", input,
                       strerror(errno));
    }
    bool is_folder = S_ISDIR(of_input.st_mode), out_is_there = stat(out, &of_out) == 0;
    bool same = out_is_there && is_same(&of_input, &of_out),
         inside = out_is_there && lies_in(path, &of_out);
    free(path);
    if (same)
        return df_fail(err, DF_CONFIG,
                       "%s is both the input and the output; give another output folder", out);
    if (inside)
        return df_fail(err, DF_CONFIG,
                       "the input %s lies in the output folder %s; give another output folder",
                       input, out);
    if (is_folder)
        DF_TRY(df_dataset_is_one(input, &is_dataset, err));
    return is_dataset
               ? df_fail(err, DF_CONFIG,
                         "%s: the input is a dataset of densefusion, no folder of images", input)
               : DF_OK;
}
