/* Whole files only: to be replaced by the reader that ingest brings. */
#include <stdio.h>
#include "base/file.h"
#include "dataset/source.h"
df_status df_source_read(const df_dataset *ds, const df_table *ingest, int64_t row, uint8_t **bytes, size_t *size, df_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", df_dataset_input(ds), df_table_text(ingest, row, df_table_column(ingest, "source")));
    return df_file_read(path, DF_SOURCE_BYTES_MAX, (char **)bytes, size, err);
}
