/* Rewrites the list of files as a run without interruptions would have written it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/folder_state.h"
#include "base/path.h"

#define LIST_BYTES_MAX ((size_t)1 << 30)

/* Whether a listed file exists. It may not, when a run was killed between claiming its name and
 * writing it. */
static df_status is_there(const df_folder *f, const char *name, bool *there, df_error *err)
{
    int parent;
    const char *base;
    struct stat st;
    DF_TRY(df_folder_open_parent(f, name, false, &parent, &base, err));
    *there = parent >= 0 && fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int reason = parent < 0 ? ENOENT : errno;
    if (parent >= 0)
        close(parent);
    errno = reason;
    return *there || reason == ENOENT ? DF_OK : df_folder_failed(f, "look at", name, err);
}

/* Appends the lines of a new list: the files that are still there. */
static df_status append_names(df_folder *f, df_str *text, df_error *err)
{
    const char **names;
    size_t n;
    DF_TRY(df_folder_list(f, "", &names, &n, err));
    df_status status = DF_OK;
    for (size_t i = 0; status == DF_OK && i < n; i++) {
        bool there;
        status = is_there(f, names[i], &there, err);
        if (status == DF_OK && there)
            df_str_printf(text, "+ %s\n", names[i]);
    }
    free(names);
    return status == DF_OK && text->failed ? df_no_memory(err, "%s", f->path) : status;
}

static bool is_same(const char *path, const df_str *text)
{
    char *now = NULL;
    size_t size = 0;
    bool same = df_file_read(path, LIST_BYTES_MAX, &now, &size, NULL) == DF_OK &&
                size == text->size && memcmp(now, df_str_text(text), size) == 0;
    free(now);
    return same;
}

df_status df_folder_tidy(df_folder *f, df_error *err)
{
    char path[PATH_MAX], name[64];
    df_str text = {0};
    snprintf(name, sizeof name, "%s.files", f->kind);
    DF_TRY(df_path(path, err, "%s/%s", f->path, name));
    df_str_append(&text, DF_FOLDER_HEADING);
    df_status status = append_names(f, &text, err);
    if (status == DF_OK && !is_same(path, &text))
        status = df_folder_replace_list(f, df_str_text(&text), text.size, err);
    df_str_free(&text);
    if (status == DF_OK && f->lock < 0)
        status = df_folder_open_lock(f, &f->lock, err);
    if (status == DF_OK)
        df_folder_remove_left(f);
    return status;
}
