/* An array of records of one size, on disk: working memory of a stage that is larger than memory.
 * It belongs to the machine that wrote it and is removed when the stage is done, so it is no file
 * format. */
#ifndef DF_IO_RECORDS_H
#define DF_IO_RECORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/folder.h"

typedef struct df_records df_records;
/* Opens a file of n records in a folder of ours, or makes one. Records that were never written are
 * zero. A file of another size is emptied first. df_records_close frees *out; NULL is fine. */
df_status df_records_open(df_records **out, df_folder *folder, const char *name,
                          size_t record_bytes, int64_t n, df_error *err);
void df_records_close(df_records *r);
/* Whether the file was new or of another size, so that all records are zero. */
bool df_records_fresh(const df_records *r);
/* The range must lie within [0, n), else DF_FORMAT. Thread-safe. */
df_status df_records_read(const df_records *r, int64_t first, int64_t count, void *out,
                          df_error *err);
df_status df_records_write(const df_records *r, int64_t first, int64_t count, const void *records,
                           df_error *err);
/* After it, what was written survives a power cut. */
df_status df_records_sync(const df_records *r, df_error *err);
#endif
