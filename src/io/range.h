/* Reads a byte range of an open file. */
#ifndef DF_IO_RANGE_H
#define DF_IO_RANGE_H
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* Reads exactly [offset, offset + size). *bytes is from malloc, with a NUL after the last byte; the
 * caller frees it. name: for the message. DF_FORMAT: the file ends before. */
df_status df_range_read(int fd, const char *name, int64_t offset, size_t size, uint8_t **bytes,
                        df_error *err);
#endif
