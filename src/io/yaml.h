/* YAML as flat entries: mapping keys joined by '.', sequence items by index. */
#ifndef DF_IO_YAML_H
#define DF_IO_YAML_H
#include "base/arena.h"
#include "base/status.h"

/* "cluster.k" "4096"; "mean.0" "123.7" */
typedef struct {
    const char *key, *value;
    int line;
} df_yaml_entry;
/* Everything lives in the arena. No anchors, tags or second documents; at most 1 MiB, 10,000
 * entries, depth 8. */
df_status df_yaml_read(const char *path, df_arena *arena, df_yaml_entry **entries, int *n_entries,
                       df_error *err);
#endif
