/* Reads a byte range of an open file, trying again after an interruption. */
#include "io/range.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/retry.h"

df_status df_range_read(int fd, const char *name, int64_t offset, size_t size, uint8_t **bytes,
                        df_error *err)
{
    if (offset < 0 || size > (size_t)INT64_MAX - (size_t)offset - 1)
        return df_fail(err, DF_FORMAT, "read %s: range out of bounds", name);
    uint8_t *data = malloc(size + 1);
    if (!data)
        return df_no_memory(err, "read %s", name);
    size_t done = 0;
    int tries = 0;
    while (done < size) {
        ssize_t n = pread(fd, data + done, size - done, (off_t)(offset + (int64_t)done));
        if (n < 0 && df_retry(errno, &tries))
            continue;
        if (n <= 0) {
            int code = errno;
            free(data);
            if (n == 0)
                return df_fail(err, DF_FORMAT, "read %s: cut short", name);
            return df_fail(err, DF_IO, "read %s: %s", name, strerror(code));
        }
        done += (size_t)n;
    }
    data[size] = 0;
    *bytes = data;
    return DF_OK;
}
