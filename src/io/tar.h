/* Lists the members of an uncompressed tar (ustar, pax, GNU) by its headers alone. Data is read by
 * byte range, now or later. */
#ifndef DF_IO_TAR_H
#define DF_IO_TAR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

#define DF_TAR_MEMBER_MAX ((int64_t)64 << 20)                        /* bytes */

typedef struct df_tar df_tar;
typedef struct {
    const char *name;                        /* lives until the next call of df_tar_next */
    int64_t offset, size;                    /* of the data in the tar file */
    /* why it must not be read (such as "unsafe name in tar"), or NULL; static text */
    const char *refused;
} df_tar_member;

/* DF_MISSING: there is no such file. df_tar_close frees *out; NULL is fine. */
df_status df_tar_open(df_tar **out, const char *path, df_error *err);
void df_tar_close(df_tar *tar);
/* The next member that is not a folder; *more is false at the end. A cut or broken tar is
 * DF_FORMAT; the members before are complete. */
df_status df_tar_next(df_tar *tar, df_tar_member *member, bool *more, df_error *err);
/* The bytes of a member that was not refused; from malloc, the caller frees them. */
df_status df_tar_read(const df_tar *tar, const df_tar_member *member, uint8_t **bytes,
                      df_error *err);
/* The first member of that name. DF_FORMAT when there is none. */
df_status df_tar_find(const char *path, const char *name, int64_t *offset, int64_t *size,
                      df_error *err);
/* The first max_bytes of a member of a zip archive (an .npz is one), or all when it has fewer; from
 * malloc, the caller frees them. */
df_status df_zip_read(const char *path, const char *name, size_t max_bytes, uint8_t **bytes,
                      size_t *size, df_error *err);
/* Copies one member, a regular file, of a zip, tar or tar.gz. Nothing else of the archive is
 * written anywhere. DF_FORMAT: there is no such member, the archive is broken, or the member is
 * larger than max_bytes. */
df_status df_archive_copy(const char *path, const char *name, FILE *to, int64_t max_bytes,
                          df_error *err);
/* False for absolute names, names with a part `..`, and empty names. */
bool df_tar_name_safe(const char *name);
#endif
