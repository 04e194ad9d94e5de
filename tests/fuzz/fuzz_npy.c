/* Foreign .npy: what is opened can be read to its last row, nothing beyond it. */
#include <stdint.h>
#include <stdlib.h>
#include "io/npy.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    memory_file file = memory_file_open(bytes, size);
    df_npy *npy = NULL;
    if (df_npy_open(&npy, file.path, NULL) == DF_OK) {
        df_npy_shape shape = df_npy_shape_of(npy);
        size_t row = df_npy_row_bytes(shape);
        if (shape.rows < 0 || shape.dim < 0 || (uint64_t)shape.rows * row > size)
            abort();
        uint8_t *values = malloc(row + 1);
        for (int64_t i = 0; values && i < shape.rows && row > 0; i++)
            if (df_npy_read(npy, i, 1, values, NULL) != DF_OK)
                abort();
        if (df_npy_read(npy, shape.rows, 1, values, NULL) == DF_OK)
            abort();
        free(values);
        df_npy_close(npy);
    }
    memory_file_close(&file);
    return 0;
}
