#define _GNU_SOURCE                          /* memfd_create */
#include "memory_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

memory_file memory_file_open(const uint8_t *bytes, size_t size)
{
    memory_file file = {.fd = memfd_create("input", MFD_CLOEXEC)};
    if (file.fd < 0 || write(file.fd, bytes, size) != (ssize_t)size)
        abort();
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

void memory_file_close(memory_file *file)
{
    close(file->fd);
}
