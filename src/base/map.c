/* Open addressing with linear probing over XXH3. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

/* The key's slot, or the free slot where it would go. The capacity is a power of two and at least a
 * quarter of it is free, so the loop ends. */
static df_map_slot *slot_of(df_map_slot *slots, size_t capacity, const char *key)
{
    assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
    size_t at = (size_t)df_hash_64(key, strlen(key)) & (capacity - 1);
    while (slots[at].key && strcmp(slots[at].key, key) != 0)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static df_status grow(df_map *map, df_error *err)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 64;
    df_map_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return df_no_memory(err, "map of %zu keys", map->n);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key)
            *slot_of(slots, capacity, map->slots[i].key) = map->slots[i];
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return DF_OK;
}

df_status df_map_put(df_map *map, const char *key, int64_t value, int64_t *stored, df_error *err)
{
    if ((map->n + 1) * 4 > map->capacity * 3)
        DF_TRY(grow(map, err));
    df_map_slot *slot = slot_of(map->slots, map->capacity, key);
    if (!slot->key) {
        *slot = (df_map_slot){.key = key, .value = value};
        map->n++;
    }
    assert(map->n < map->capacity); /* or the next search for a new key never ends */
    *stored = slot->value;
    return DF_OK;
}

int64_t df_map_find(const df_map *map, const char *key, int64_t missing)
{
    if (map->n == 0)
        return missing;
    const df_map_slot *slot = slot_of(map->slots, map->capacity, key);
    return slot->key ? slot->value : missing;
}

void df_map_free(df_map *map)
{
    free(map->slots);
    *map = (df_map){0};
}
