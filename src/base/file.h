/* Whole files in, whole files out. A file that exists under its final name is complete. */
#ifndef DF_BASE_FILE_H
#define DF_BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/status.h"
#include "base/str.h"

/* Input is a regular file: a named pipe would keep us waiting for ever, a device or a socket is no
 * file of data. DF_IO for anything else, and for a path that leads nowhere. df_file_check is for
 * libraries that open by path. */
/* for reading; the caller closes it */
df_status df_file_open(const char *path, int *fd, df_error *err);
df_status df_file_stream(const char *path, FILE **out, df_error *err);
df_status df_file_check(const char *path, df_error *err);

/* Reads a regular file of at most max_bytes; *data is malloc'ed with a NUL after the last byte,
 * caller frees. */
df_status df_file_read(const char *path, size_t max_bytes, char **data, size_t *size,
                       df_error *err);
/* Writes all the bytes at the place where the file stands. 0, or the errno of what failed. */
int df_file_put(int fd, const void *bytes, size_t size);
/* Writes a new file beside path, syncs, renames it over path. For files of no folder of ours
 * (base/folder.h). */
df_status df_file_write(const char *path, const void *data, size_t size, df_error *err);
/* Syncs tmp and renames it to path: the second half of df_file_write, for libraries that write
 * files themselves. */
df_status df_file_commit(const char *tmp, const char *path, df_error *err);
/* with parents; existing is fine */
df_status df_file_mkdir(const char *path, df_error *err);
/* where that can't be told it is: opening it says why */
bool df_file_exists(const char *path);
/* For what must not be taken for missing, such as a record of money spent: DF_IO where a look
 * fails, one without the right to look included. */
df_status df_file_find(const char *path, bool *found, df_error *err);
/* Appends "NAME SIZE MTIME\n": what a large file is, without reading it. Nothing when it is not
 * there; out fails when that can't be told. */
void df_file_describe(const char *path, df_str *out);
#endif
