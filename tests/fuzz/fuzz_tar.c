/* Foreign tars: every member that is not refused lies within the file and can be read. */
#include <stdint.h>
#include <stdlib.h>
#include "io/tar.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    memory_file file = memory_file_open(bytes, size);
    df_tar *tar = NULL;
    df_tar_member m;
    bool more = true;
    if (df_tar_open(&tar, file.path, NULL) == DF_OK)
        while (df_tar_next(tar, &m, &more, NULL) == DF_OK && more) {
            if (m.offset < 0 || m.size < 0 || (size_t)m.offset + (size_t)m.size > size)
                abort();
            if (m.refused)
                continue;
            if (!df_tar_name_safe(m.name))
                abort();
            uint8_t *data = NULL;
            if (df_tar_read(tar, &m, &data, NULL) != DF_OK)
                abort();
            free(data);
        }
    df_tar_close(tar);
    memory_file_close(&file);
    return 0;
}
