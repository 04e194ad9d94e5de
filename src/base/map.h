/* Text to number, first one wins. Keys are borrowed: they must outlive the map. */
#ifndef DF_BASE_MAP_H
#define DF_BASE_MAP_H
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef struct {
    const char *key;
    int64_t value;
} df_map_slot;
typedef struct {
    df_map_slot *slots;
    size_t n, capacity;
} df_map;   /* all-zero is the empty map */

/* *stored is the value now under key: `value` when the key was new, else the one put first. */
df_status df_map_put(df_map *map, const char *key, int64_t value, int64_t *stored, df_error *err);
int64_t df_map_find(const df_map *map, const char *key, int64_t missing);
void df_map_free(df_map *map);
#endif
