/* NumPy's .npy files: matrices [rows, dim] of little-endian floats in C order. */
#ifndef DF_IO_NPY_H
#define DF_IO_NPY_H
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

enum { DF_NPY_DIM_MAX = 65536, DF_NPY_HEADER_MAX = 65536 };
typedef enum { DF_NPY_FLOAT16, DF_NPY_FLOAT32, DF_NPY_FLOAT64 } df_npy_type;
typedef struct {
    df_npy_type type;
    int64_t rows, dim;
} df_npy_shape;
size_t df_npy_row_bytes(df_npy_shape shape);

/* Format 1, 2 and 3. The values begin at *offset of the bytes; name: for the message. The header
 * alone must be within `size` bytes, of which there are at most DF_NPY_HEADER_MAX to look at. Rows
 * x bytes of a row fit in an int64. */
df_status df_npy_parse(const uint8_t *bytes, size_t size, const char *name, df_npy_shape *shape,
                       size_t *offset, df_error *err);

typedef struct df_npy df_npy;
/* a file shorter than its shape is refused */
df_status df_npy_open(df_npy **out, const char *path, df_error *err);
void df_npy_close(df_npy *npy);
df_npy_shape df_npy_shape_of(const df_npy *npy);
/* Rows as they are stored. Thread-safe. */
df_status df_npy_read(const df_npy *npy, int64_t first, int64_t n, void *out, df_error *err);

/* Streaming: a file that is complete once it is finished. */
typedef struct df_npy_writer df_npy_writer;
df_status df_npy_create(df_npy_writer **out, const char *path, df_npy_type type, int64_t dim,
                        df_error *err);
df_status df_npy_append(df_npy_writer *w, const void *rows, int64_t n, df_error *err);
df_status df_npy_finish(df_npy_writer *w, df_error *err);            /* once; then close */
void df_npy_writer_close(df_npy_writer *w);
#endif
