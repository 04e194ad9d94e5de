/* A folder that belongs to the program: a dataset, or the files of a batch. Below it the program
 * writes, replaces and deletes only files that it made itself, and it follows no link.
 *
 * KIND is "dataset" or "batches". KIND.files lists the files that are ours, one line each ("+
 * filter/part-00000.parquet";
 * "- ..." once it is deleted). The list reaches the disk before a file gets its name, so that a
 * file which a killed run left is known to be ours. Files are written in KIND.tmp/NUMBER, a folder
 * of each process, and renamed when they are complete; what a killed process left there is removed
 * by the next one. KIND.lock tells which processes live.
 *
 * Names are relative to the folder ("filter/part-00000.parquet"). All functions may be called from
 * many threads. */
#ifndef DF_BASE_FOLDER_H
#define DF_BASE_FOLDER_H
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

typedef struct df_folder df_folder;

/* An existing folder. Nothing is written before the first file is. DF_IO when there is none. */
df_status df_folder_open(df_folder **out, const char *path, const char *kind, df_error *err);
/* As df_folder_open, and makes the folder when it is missing (its parent must be there) or takes an
 * empty one. DF_CONFIG, with nothing changed, when the folder holds files and is not ours. */
df_status df_folder_create(df_folder **out, const char *path, const char *kind, df_error *err);
void df_folder_close(df_folder *f);
/* Deletes the list and the lock, and the folder when nothing else is in it; closes it. NULL is
 * none. */
void df_folder_dissolve(df_folder *f);
const char *df_folder_path(const df_folder *f);
/* Whether the folder at `path` is one of ours of this kind. An error that leaves it open is no
 * "no". */
df_status df_folder_is_ours(const char *path, const char *kind, bool *is_ours, df_error *err);

/* The names of our files that begin with a prefix ("filter/"; "" for all), sorted. A name may be
 * older than its file, which a kill kept from coming to be. The texts live until the folder is
 * closed or tidied, the caller frees *names. */
df_status df_folder_list(df_folder *f, const char *prefix, const char ***names, size_t *n,
                         df_error *err);

/* A file that is being written. The caller writes to `path`, which does not exist yet, and commits;
 * all-zero can be dropped. */
typedef struct {
    df_folder *folder;
    char name[PATH_MAX], path[PATH_MAX];
} df_draft;
/* DF_CONFIG when a file that is not ours has the name. */
df_status df_folder_draft(df_folder *f, const char *name, df_draft *out, df_error *err);
/* Syncs the file and gives it its name, replacing our older one. The draft is gone afterwards, also
 * on an error. */
df_status df_draft_commit(df_draft *d, df_error *err);
/* deletes what was written, if anything */
void df_draft_drop(df_draft *d);

df_status df_folder_write(df_folder *f, const char *name, const void *data, size_t size,
                          df_error *err);
/* Gives the file at `source` a second name here (a hard link), or copies it where that is
 * impossible. */
df_status df_folder_share(df_folder *f, const char *source, const char *name, df_error *err);
/* Opens a file of ours that is changed in place (flags as of open, O_CREAT included), making it
 * when it is missing. */
df_status df_folder_open_file(df_folder *f, const char *name, int flags, int *fd, df_error *err);

/* Deletes a file of ours. One that is missing, or is not ours, is none to delete. */
df_status df_folder_remove(df_folder *f, const char *name, df_error *err);
/* Deletes those files of ours directly in the sub-folder for which `chosen` says so; other files
 * stay. */
typedef bool df_folder_chosen(const char *name, const void *ctx);
df_status df_folder_remove_chosen(df_folder *f, const char *sub, df_folder_chosen *chosen,
                                  const void *ctx, df_error *err);
/* an empty sub-folder; another one stays */
void df_folder_remove_empty(df_folder *f, const char *sub);

/* Writes KIND.files as a folder that nobody interrupted has it: sorted, without names whose file
 * never came to be; and deletes what killed processes left in KIND.tmp. No other process may be at
 * work in the folder. */
df_status df_folder_tidy(df_folder *f, df_error *err);

/* A folder of this process for a library's working files, made when it is missing; deleted by
 * df_folder_close. */
df_status df_folder_scratch(df_folder *f, const char *name, char path[PATH_MAX], df_error *err);
/* Opens KIND.lock for a lock of the caller's own. */
df_status df_folder_open_lock(const df_folder *f, int *fd, df_error *err);
#endif
