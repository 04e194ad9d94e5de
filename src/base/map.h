/* A hash map from text to a number; the first value of a key stays. Keys are borrowed and must
 * outlive the map. */
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

/* *stored: the value that the key now has, which is `value` if the key was new, else the one that
 * was put first. */
df_status df_map_put(df_map *map, const char *key, int64_t value, int64_t *stored, df_error *err);
/* The key's value, or `missing`. */
int64_t df_map_find(const df_map *map, const char *key, int64_t missing);
void df_map_free(df_map *map);
#endif
