/* What a catalogue finds: names by their kind, images with their sidecars, what is passed over. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "stage/ingest/catalog_kinds.h"
#include "tables/ingest.h"

static const struct {
    const char *extension;
    df_name_kind kind;
} extensions[] = {
    {".jpg", DF_NAME_IMAGE},      {".jpeg", DF_NAME_IMAGE},     {".jpe", DF_NAME_IMAGE},
    {".jfif", DF_NAME_IMAGE},     {".png", DF_NAME_IMAGE},      {".webp", DF_NAME_IMAGE},
    {".gif", DF_NAME_IMAGE},      {".bmp", DF_NAME_IMAGE},      {".dib", DF_NAME_IMAGE},
    {".tif", DF_NAME_IMAGE},      {".tiff", DF_NAME_IMAGE},     {".avif", DF_NAME_IMAGE},
    {".heic", DF_NAME_IMAGE},     {".heif", DF_NAME_IMAGE},     {".txt", DF_NAME_TEXT},
    {".json", DF_NAME_JSON},      {".tar", DF_NAME_TAR},        {".tar.gz", DF_NAME_PACKED},
    {".tgz", DF_NAME_PACKED},     {".tar.zst", DF_NAME_PACKED}, {".tar.xz", DF_NAME_PACKED},
    {".tar.bz2", DF_NAME_PACKED}, {".zip", DF_NAME_PACKED},     {".parquet", DF_NAME_LIST},
    {".csv", DF_NAME_LIST},       {".tsv", DF_NAME_LIST},       {".jsonl", DF_NAME_LIST},
    {".ndjson", DF_NAME_LIST},
};

df_name_kind df_name_kind_of(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        size_t length = strlen(extensions[i].extension);
        if (n > length && strcasecmp(name + n - length, extensions[i].extension) == 0)
            return extensions[i].kind;
    }
    return DF_NAME_OTHER;
}

df_status df_found_add(df_found_list *list, df_found item, df_error *err)
{
    if (list->n == list->capacity) {
        int64_t capacity = list->capacity ? list->capacity * 2 : 256;
        df_found *items = realloc(list->items, (size_t)capacity * sizeof *items);
        if (!items)
            return df_no_memory(err, "list the input");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->n++] = item;
    return DF_OK;
}

df_status df_catalog_add_shard(df_catalog *c, const char *path, df_error *err)
{
    df_names *s = &c->shards;
    if (s->n == s->capacity) {
        int64_t capacity = s->capacity ? s->capacity * 2 : 64;
        const char **items = realloc(s->items, (size_t)capacity * sizeof *items);
        if (!items)
            return df_no_memory(err, "list the input");
        s->items = items;
        s->capacity = capacity;
    }
    char *copy = df_arena_strdup(&c->arena, path);
    if (!copy)
        return df_no_memory(err, "list the input");
    s->items[s->n++] = copy;
    return DF_OK;
}

const char *df_catalog_source(const df_catalog *c, const char *source)
{
    return strcmp(source, ".") == 0 ? c->name : source;
}

df_status df_catalog_skip(df_catalog *c, const char *path, const char *reason, df_error *err)
{
    df_str name = {0}, why = {0};
    size_t n = strlen(path);
    for (size_t i = 0; i < n;) { /* bytes that are no plain text are written as \xNN */
        size_t length = df_utf8_length(path + i, n - i);
        if (length == 0 || !df_str_is_plain(path + i, length))
            df_str_printf(&name, "\\x%02X", (unsigned char)path[i]);
        else
            df_str_append_n(&name, path + i, length);
        i += length ? length : 1;
    }
    df_str_append_clean(&why, reason, strlen(reason), 500);
    df_status status = name.failed || why.failed ? df_no_memory(err, "list the input") : DF_OK;
    if (status == DF_OK)
        status = df_table_append(
            c->skipped,
            (df_value[DF_SKIPPED_COLUMNS]){[DF_SKIPPED_PATH] = DF_TEXT(df_str_text(&name)),
                                           [DF_SKIPPED_REASON] = DF_TEXT(df_str_text(&why))},
            err);
    df_str_free(&name);
    df_str_free(&why);
    return status;
}

/* ---- images and their sidecars ---- */

static const char *last_dot(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
    return dot ? dot : name + strlen(name);
}

/* "photo.TXT" is looked for as "photo.txt". */
static df_status index_sidecars(df_found_list *found, df_arena *arena, df_map *map, df_error *err)
{
    for (int64_t i = 0; i < found->n; i++) {
        const df_found *item = &found->items[i];
        if (item->kind != DF_NAME_TEXT && item->kind != DF_NAME_JSON)
            continue;
        int64_t stored;
        const char *key =
            df_arena_printf(arena, "%.*s%s", (int)(last_dot(item->name) - item->name), item->name,
                            item->kind == DF_NAME_TEXT ? ".txt" : ".json");
        if (!key)
            return df_no_memory(err, "list the input");
        DF_TRY(df_map_put(map, key, i, &stored, err));
    }
    return DF_OK;
}

/* photo.jpg takes photo.txt, else photo.jpg.txt. */
static int64_t find_sidecar(const df_map *map, const char *name, const char *extension, df_str *key)
{
    const size_t ends[] = {(size_t)(last_dot(name) - name), strlen(name)};
    for (int i = 0; i < 2; i++) {
        df_str_clear(key);
        df_str_append_n(key, name, ends[i]);
        df_str_append(key, extension);
        int64_t at = key->failed ? -1 : df_map_find(map, df_str_text(key), -1);
        if (at >= 0)
            return at;
    }
    return -1;
}

static df_piece piece_of(const df_found *item, const char *container)
{
    return (df_piece){container ? container : item->name, item->offset, item->size};
}

static df_piece take_sidecar(df_found_list *found, const df_map *map, const char *name,
                             const char *extension, const char *container, df_str *key)
{
    int64_t at = find_sidecar(map, name, extension, key);
    if (at < 0)
        return (df_piece){NULL, 0, 0};
    found->items[at].used = true;
    return piece_of(&found->items[at], container);
}

/* Makes an input of each image, with its sidecars. */
static df_status fill_inputs(df_catalog *c, df_found_list *found, const char *container,
                             const df_map *map, df_arena *arena, df_input *inputs, int64_t *n)
{
    df_str key = {0};
    for (int64_t i = 0; i < found->n; i++) {
        const df_found *item = &found->items[i];
        if (item->kind != DF_NAME_IMAGE)
            continue;
        const char *path =
            container ? df_arena_printf(arena, "%s/%s", df_catalog_source(c, container), item->name)
                      : item->name;
        if (!path)
            break;
        inputs[(*n)++] = (df_input){
            .path = path,
            .data = piece_of(item, container),
            .changed_ns = item->changed_ns,
            .text = take_sidecar(found, map, item->name, ".txt", container, &key),
            .json = take_sidecar(found, map, item->name, ".json", container, &key),
        };
    }
    bool failed = key.failed;
    df_str_free(&key);
    return failed ? DF_NOMEM : DF_OK;
}

/* Passes over the sidecars that no image took. */
static df_status skip_unused(df_catalog *c, const df_found_list *found, const char *container,
                             df_error *err)
{
    for (int64_t i = 0; i < found->n; i++) {
        const df_found *item = &found->items[i];
        c->n_sidecars += item->used;
        if (item->kind == DF_NAME_IMAGE || item->used)
            continue;
        df_str path = {0};
        if (container)
            df_str_printf(&path, "%s/", df_catalog_source(c, container));
        df_str_append(&path, item->name);
        df_status status =
            path.failed ? df_no_memory(err, "list the input")
                        : df_catalog_skip(c, df_str_text(&path), "sidecar without an image", err);
        df_str_free(&path);
        DF_TRY(status);
    }
    return DF_OK;
}

df_status df_catalog_pair(df_catalog *c, df_found_list *found, const char *container,
                          df_arena *arena, df_input **inputs, int64_t *n, df_error *err)
{
    df_map map = {0};
    int64_t n_images = 0;
    for (int64_t i = 0; i < found->n; i++)
        n_images += found->items[i].kind == DF_NAME_IMAGE;
    df_status status = index_sidecars(found, arena, &map, err);
    *n = 0;
    *inputs = df_arena_alloc(arena, (size_t)n_images + 1, sizeof **inputs);
    const bool filled = status == DF_OK && *inputs &&
                        fill_inputs(c, found, container, &map, arena, *inputs, n) == DF_OK &&
                        *n == n_images;
    df_map_free(&map);
    if (status == DF_OK && !filled)
        status = df_no_memory(err, "list the input");
    return status == DF_OK ? skip_unused(c, found, container, err) : status;
}
