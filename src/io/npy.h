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

/* Parses the header of format 1, 2 or 3. The values begin at *offset. `bytes` must hold the whole
 * header, of which at most DF_NPY_HEADER_MAX bytes are read. name: for the message. It is checked
 * that rows x bytes of a row fit into an int64. */
df_status df_npy_parse(const uint8_t *bytes, size_t size, const char *name, df_npy_shape *shape,
                       size_t *offset, df_error *err);

typedef struct df_npy df_npy;
/* A file that is shorter than its shape is refused. df_npy_close frees *out; NULL is fine. */
df_status df_npy_open(df_npy **out, const char *path, df_error *err);
void df_npy_close(df_npy *npy);
df_npy_shape df_npy_shape_of(const df_npy *npy);
/* Reads rows [first, first + n) as they are stored. Thread-safe. */
df_status df_npy_read(const df_npy *npy, int64_t first, int64_t n, void *out, df_error *err);

/* Writes a file row by row. It is complete only after df_npy_finish. */
typedef struct df_npy_writer df_npy_writer;
df_status df_npy_create(df_npy_writer **out, const char *path, df_npy_type type, int64_t dim,
                        df_error *err);
df_status df_npy_append(df_npy_writer *w, const void *rows, int64_t n, df_error *err);
/* to be called once; df_npy_writer_close follows */
df_status df_npy_finish(df_npy_writer *w, df_error *err);
void df_npy_writer_close(df_npy_writer *w);
#endif
