/* Bytes as a file that has a name, without touching the disk. */
#ifndef DF_FUZZ_MEMORY_FILE_H
#define DF_FUZZ_MEMORY_FILE_H
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int fd;
    char path[64];
} memory_file;
memory_file memory_file_open(const uint8_t *bytes, size_t size);
void memory_file_close(memory_file *file);
#endif
