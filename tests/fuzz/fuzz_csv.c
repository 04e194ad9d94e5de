/* Foreign CSV: records end, line numbers rise, what is quoted comes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "io/lines.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    memory_file file = memory_file_open(bytes, size);
    df_lines *lines = NULL;
    df_csv_record record = {.delimiter = 0};
    int64_t before = 0;
    size_t total = 0;
    if (df_lines_open(&lines, file.path, NULL) != DF_OK)
        abort();
    while (df_csv_next(lines, &record, NULL) == DF_OK && record.n_fields >= 0) {
        if (record.number <= before || (record.n_fields == 0) != (record.broken != NULL))
            abort();
        before = record.number;
        for (int i = 0; i < record.n_fields; i++)
            total += strlen(record.fields[i]);
    }
    if (total > size)
        abort();
    df_lines_close(lines);
    memory_file_close(&file);
    return 0;
}
