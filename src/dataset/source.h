/* The bytes of an image, wherever ingest found them: a file, or a range of a tar. */
#ifndef DF_DATASET_SOURCE_H
#define DF_DATASET_SOURCE_H
#include <stdint.h>
#include "dataset/dataset.h"

enum { DF_SOURCE_BYTES_MAX = 256 << 20 };
/* Bytes of one row of an ingest table, read below the dataset's input; malloc'ed, caller frees. DF_IO when the file is
 * gone, DF_FORMAT when its size is not what ingest saw. */
df_status df_source_read(const df_dataset *ds, const df_table *ingest, int64_t row, uint8_t **bytes, size_t *size, df_error *err);
#endif
