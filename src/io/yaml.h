/* Reads YAML as flat entries: keys of mappings are joined by '.', items of sequences have their
 * index as key. */
#ifndef DF_IO_YAML_H
#define DF_IO_YAML_H
#include "base/arena.h"
#include "base/status.h"

/* An entry such as "cluster.k" "4096" or "mean.0" "123.7", and its line. */
typedef struct {
    const char *key, *value;
    int line;
} df_yaml_entry;
/* Reads a file; everything lives in the arena. Anchors, tags and further documents are refused. At
 * most 1 MiB, 10,000 entries, depth 8. */
df_status df_yaml_read(const char *path, df_arena *arena, df_yaml_entry **entries, int *n_entries,
                       df_error *err);
#endif
