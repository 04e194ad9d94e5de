/* The bytes of an image, wherever ingest found them: a file, or a range of a tar. */
#ifndef DF_TABLES_SOURCE_H
#define DF_TABLES_SOURCE_H
#include <stdint.h>
#include "dataset/dataset.h"

enum { DF_SOURCE_BYTES_MAX = 256 << 20 };
enum { DF_WHOLE_FILE = -1 };

/* Errors of all that follows: DF_MISSING and DF_FORMAT are what is known of the one file
 * (df_is_of_one_image): it is not there, may not be read, lies outside the input; is not what it
 * was. DF_IO may pass: it was tried again, says what to do, and stops the stage. An input that is
 * away, a disk error and a lack of file handles are no file's fault. */

/* The folder that sources are relative to: the input itself when it is a folder, else the folder
 * that it lies in. Resolved; malloc'ed, caller frees. DF_IO when the input is not there. */
df_status df_source_root(const char *input, char **root, df_error *err);
/* Whether a file that was looked for and not found is believed to be missing: DF_IO when the folder
 * that it would be in (or the next above that is there, up to root) can't be read, or is empty, as
 * the place of a share is that is away. */
df_status df_source_absent(const char *root, const char *source, df_error *err);
/* Opens a regular file that lies below root (resolved) even when every link in its path is
 * followed. Close with close(). */
df_status df_source_open(const char *root, const char *source, int *fd, df_error *err);
/* At most `limit` bytes of a piece: a range, or the whole file when offset is DF_WHOLE_FILE (size
 * is ignored then). *bytes is malloc'ed with a NUL after the last byte; *whole is the size of the
 * piece. Above DF_SOURCE_BYTES_MAX: DF_FORMAT. */
typedef struct {
    const char *source;
    int64_t offset, size;
} df_piece;
df_status df_source_piece(const char *root, df_piece piece, size_t limit, uint8_t **bytes,
                          size_t *size, int64_t *whole, df_error *err);

/* Bytes of one row of an ingest table, read below the dataset's input; malloc'ed, caller frees.
 * DF_MISSING: the file is gone, and others of the part are there. DF_IO: none is, or a tar is gone.
 * DF_FORMAT: its size or its hash is not what ingest saw. */
df_status df_source_read(const df_dataset *ds, const df_table *ingest, int64_t row, uint8_t **bytes,
                         size_t *size, df_error *err);
#endif
