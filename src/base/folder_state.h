/* What the folder files share. */
#ifndef DF_BASE_FOLDER_STATE_H
#define DF_BASE_FOLDER_STATE_H
#include <pthread.h>
#include <stdint.h>
#include "base/folder.h"
#include "base/owned.h"

#define DF_FOLDER_HEADING                                                                          \
    "# The files here that densefusion made: it deletes and replaces no others.\n"

/* Each process holds the byte of its working folder's number in KIND.lock, above those that the
 * lock's owner uses. */
#define PROCESS_BYTES ((int64_t)1 << 60)
#define PROCESS_IDS ((uint64_t)1 << 48)

struct df_folder {
    char *path;
    const char *kind;
    int root;                                /* descriptor of the folder */
    pthread_mutex_t mutex;                   /* over all below */
    bool has_list;
    df_owned owned;                          /* read when a file is first written or deleted */
    /* descriptors: KIND.lock, KIND.tmp/ID; -1 until a file is written */
    int lock, scratch;
    int64_t id, n_drafts;
};

/* Whether KIND.files, a regular file, is there. */
df_status df_folder_has_list(int root, const char *path, const char *kind, bool *has,
                             df_error *err);
/* Writes "WHAT FOLDER/NAME: " and what errno says; a link in the way has words of its own. */
df_status df_folder_failed(const df_folder *f, const char *what, const char *name, df_error *err);
/* The folder that `name` lies in, made when `make` says so, through no link; *base: the last part
 * of the name. fd -1 with DF_OK: it is missing. The caller closes fd. */
df_status df_folder_open_parent(const df_folder *f, const char *name, bool make, int *fd,
                                const char **base, df_error *err);
/* With the mutex held: the name is ours or free (DF_CONFIG when not); and notes that it is ours. */
df_status df_folder_check_free(df_folder *f, int parent, const char *base, const char *name,
                               df_error *err);
df_status df_folder_claim(df_folder *f, int parent, const char *base, const char *name,
                          df_error *err);
/* Reads the list, or what others have appended to it. */
df_status df_folder_read_list(df_folder *f, df_error *err);
/* Gives the list another text, in one step. It is read again when it is next wanted. */
df_status df_folder_replace_list(df_folder *f, const char *text, size_t size, df_error *err);
/* The working folder of a process, made when `make` says so: a descriptor, the caller closes it.
 * -1: errno says why. */
int df_folder_open_scratch(const df_folder *f, int64_t id, bool make);
/* Deletes the working folders of processes that are gone. The lock is open. */
void df_folder_remove_left(const df_folder *f);
void df_folder_remove_scratch(const df_folder *f, int64_t id);
#endif
