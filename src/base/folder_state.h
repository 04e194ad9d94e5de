/* What the folder files share. */
#ifndef DF_BASE_FOLDER_STATE_H
#define DF_BASE_FOLDER_STATE_H
#include <pthread.h>
#include <stdint.h>
#include "base/folder.h"
#include "base/owned.h"

#define DF_FOLDER_HEADING                                                                          \
    "# The files here that densefusion made: it deletes and replaces no others.\n"

/* Each process locks one byte of KIND.lock, at the number of its working folder, above the bytes
 * that other locks use. */
#define PROCESS_BYTES ((int64_t)1 << 60)
#define PROCESS_IDS ((uint64_t)1 << 48)

struct df_folder {
    char *path;
    const char *kind;
    int root;                                /* descriptor of the folder */
    pthread_mutex_t mutex;                   /* guards all members below */
    bool has_list;
    df_owned owned;                          /* read before a file is first written or deleted */
    /* descriptors of KIND.lock and KIND.tmp/ID; -1 until a file is written */
    int lock, scratch;
    int64_t id, n_drafts;
};

/* Whether KIND.files exists; it must be a regular file. */
df_status df_folder_has_list(int root, const char *path, const char *kind, bool *has,
                             df_error *err);
/* Writes the message "WHAT FOLDER/NAME: " and the reason in errno; a link in the way has a message
 * of its own. */
df_status df_folder_failed(const df_folder *f, const char *what, const char *name, df_error *err);
/* Opens the folder in which `name` lies, without following links, and makes it when `make` is set.
 * *base: the last part of the name. *fd is -1 with DF_OK when it does not exist. The caller closes
 * *fd. */
df_status df_folder_open_parent(const df_folder *f, const char *name, bool make, int *fd,
                                const char **base, df_error *err);
/* Both need the mutex. The first checks that the name is ours or free (else DF_CONFIG); the second
 * also notes that it is ours. */
df_status df_folder_check_free(df_folder *f, int parent, const char *base, const char *name,
                               df_error *err);
df_status df_folder_claim(df_folder *f, int parent, const char *base, const char *name,
                          df_error *err);
/* Reads the list, or what other processes have appended to it. */
df_status df_folder_read_list(df_folder *f, df_error *err);
/* Replaces the list in one step. It is read again when it is next needed. */
df_status df_folder_replace_list(df_folder *f, const char *text, size_t size, df_error *err);
/* Opens the working folder of a process, and makes it when `make` is set. Returns a descriptor,
 * which the caller closes, or -1 with errno. */
int df_folder_open_scratch(const df_folder *f, int64_t id, bool make);
/* Delete the working folders of processes that are gone (the lock must be open), or that of one
 * process. */
void df_folder_remove_left(const df_folder *f);
void df_folder_remove_scratch(const df_folder *f, int64_t id);
#endif
