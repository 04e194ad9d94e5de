/* Foreign YAML (a config, a model card): flat entries or one line of reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "io/yaml.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    memory_file file = memory_file_open(bytes, size);
    df_arena arena = {0};
    df_yaml_entry *entries = NULL;
    int n = 0;
    df_error err = {""};
    df_status status = df_yaml_read(file.path, &arena, &entries, &n, &err);
    if (status != DF_OK && !err.message[0])
        abort();
    size_t total = 0;
    for (int i = 0; status == DF_OK && i < n; i++)
        total += strlen(entries[i].key) + strlen(entries[i].value);
    volatile size_t used = total;
    (void)used;
    df_arena_reset(&arena);
    memory_file_close(&file);
    return 0;
}
