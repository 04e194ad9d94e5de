/* A folder that belongs to the program: a dataset, or the files of a batch. Within it the program
 * writes, replaces and deletes only files that it made itself, and follows no link.
 *
 * KIND is "dataset" or "batches". KIND.files lists the files that are ours, one line each
 * ("+ filter/part-00000.parquet"; "- ..." once it is deleted). The list reaches the disk before a
 * file gets its name, so that a file which a killed run left is known to be ours. Files are written
 * in KIND.tmp/NUMBER, a folder of each process, and renamed when they are complete. What a killed
 * process left there is removed by the next one; locks in KIND.lock show which processes live.
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

/* Opens an existing folder. Nothing is written until the first file is. DF_IO when it does not
 * exist. df_folder_close frees *out; NULL is fine. kind is borrowed. */
df_status df_folder_open(df_folder **out, const char *path, const char *kind, df_error *err);
/* As df_folder_open, but makes the folder when it does not exist (its parent must exist), or takes
 * an empty one. DF_CONFIG, with nothing changed, when the folder holds files and is not ours. */
df_status df_folder_create(df_folder **out, const char *path, const char *kind, df_error *err);
void df_folder_close(df_folder *f);
/* Deletes the list and the lock, and the folder if it is then empty; closes it. NULL is fine. */
void df_folder_dissolve(df_folder *f);
const char *df_folder_path(const df_folder *f);
/* Whether the folder at `path` is one of ours of this kind. When that cannot be determined it is an
 * error, not a "no". */
df_status df_folder_is_ours(const char *path, const char *kind, bool *is_ours, df_error *err);

/* The names of our files that begin with a prefix ("filter/"; "" for all), sorted. A name may have
 * no file, when a run was killed between the two. The texts live until the folder is closed or
 * tidied; the caller frees *names. */
df_status df_folder_list(df_folder *f, const char *prefix, const char ***names, size_t *n,
                         df_error *err);

/* A file that is being written. The caller writes to `path`, which does not exist yet, and commits.
 * An all-zero draft may be dropped. */
typedef struct {
    df_folder *folder;
    char name[PATH_MAX], path[PATH_MAX];
} df_draft;
/* Begins a draft. DF_CONFIG when a file that is not ours has the name. */
df_status df_folder_draft(df_folder *f, const char *name, df_draft *out, df_error *err);
/* Syncs the file and gives it its name, replacing our older file. Ends the draft, also on an
 * error. */
df_status df_draft_commit(df_draft *d, df_error *err);
/* Ends the draft and deletes what was written, if anything. */
void df_draft_drop(df_draft *d);

/* Writes a whole file: a draft that is committed. */
df_status df_folder_write(df_folder *f, const char *name, const void *data, size_t size,
                          df_error *err);
/* Gives the file at `source` a second name here (a hard link), or copies it where that is
 * impossible. */
df_status df_folder_share(df_folder *f, const char *source, const char *name, df_error *err);
/* Opens a file of ours that is changed in place, and makes it if it does not exist and flags (as
 * for open) hold O_CREAT. The caller closes *fd. */
df_status df_folder_open_file(df_folder *f, const char *name, int flags, int *fd, df_error *err);

/* Deletes a file of ours. A file that does not exist or is not ours is passed over. */
df_status df_folder_remove(df_folder *f, const char *name, df_error *err);
/* Deletes those files of ours directly in the sub-folder for which `chosen` returns true. */
typedef bool df_folder_chosen(const char *name, const void *ctx);
df_status df_folder_remove_chosen(df_folder *f, const char *sub, df_folder_chosen *chosen,
                                  const void *ctx, df_error *err);
/* Deletes a sub-folder if it is empty. */
void df_folder_remove_empty(df_folder *f, const char *sub);

/* Rewrites KIND.files as a run without interruptions would have: sorted, without names that have no
 * file. Deletes what killed processes left in KIND.tmp. No other process may be working in the
 * folder. */
df_status df_folder_tidy(df_folder *f, df_error *err);

/* A folder of this process for a library's working files, made if it does not exist.
 * df_folder_close deletes it. */
df_status df_folder_scratch(df_folder *f, const char *name, char path[PATH_MAX], df_error *err);
/* Opens KIND.lock for a lock of the caller's own. The caller closes *fd. */
df_status df_folder_open_lock(const df_folder *f, int *fd, df_error *err);
#endif
