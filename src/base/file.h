/* Reads and writes whole files. A file that exists under its final name is complete. */
#ifndef DF_BASE_FILE_H
#define DF_BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/status.h"
#include "base/str.h"

/* Opens a file for reading; the caller closes it. It must be a regular file: a named pipe could
 * wait for ever, and a device or socket holds no data of ours. DF_FORMAT for these, DF_IO for a
 * path that leads nowhere. df_file_check is for libraries that open by path. */
df_status df_file_open(const char *path, int *fd, df_error *err);
df_status df_file_stream(const char *path, FILE **out, df_error *err);
df_status df_file_check(const char *path, df_error *err);

/* Reads a regular file of at most max_bytes. *data is from malloc, with a NUL after the last byte;
 * the caller frees it. */
df_status df_file_read(const char *path, size_t max_bytes, char **data, size_t *size,
                       df_error *err);
/* Writes all bytes at the file's current offset. Returns 0, or the errno of the failure. */
int df_file_put(int fd, const void *bytes, size_t size);
/* Writes a new file beside `path`, syncs it, and renames it to `path`. For files outside of our
 * folders (base/folder.h). */
df_status df_file_write(const char *path, const void *data, size_t size, df_error *err);
/* Syncs tmp and renames it to path: the second half of df_file_write, for libraries that write
 * files themselves. */
df_status df_file_commit(const char *tmp, const char *path, df_error *err);
/* Makes a folder with its parents; it may exist. */
df_status df_file_mkdir(const char *path, df_error *err);
/* Whether the file exists. When that cannot be determined the answer is yes, so that opening it
 * gives the reason. */
bool df_file_exists(const char *path);
/* For a file that must not be taken for missing, such as a record of money spent. DF_IO when the
 * look fails, also when we may not look. */
df_status df_file_find(const char *path, bool *found, df_error *err);
/* Appends "NAME SIZE MTIME\n", which identifies a large file without reading it. Appends nothing
 * when the file does not exist; sets out->failed when that cannot be determined. */
void df_file_describe(const char *path, df_str *out);
#endif
