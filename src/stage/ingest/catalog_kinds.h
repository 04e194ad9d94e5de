/* What the kinds of input share: only catalog*.c include this. */
#ifndef DF_STAGE_INGEST_CATALOG_KINDS_H
#define DF_STAGE_INGEST_CATALOG_KINDS_H
#include "stage/ingest/catalog.h"

typedef enum {
    DF_NAME_IMAGE,
    DF_NAME_TEXT,
    DF_NAME_JSON,
    DF_NAME_TAR,
    DF_NAME_PACKED,
    DF_NAME_LIST,
    DF_NAME_OTHER
} df_name_kind;
df_name_kind df_name_kind_of(const char *name);                      /* by extension, any case */

/* A file or member by name, before images and sidecars are matched. */
typedef struct {
    const char *name;
    df_name_kind kind;
    int64_t offset, size, changed_ns;
    bool used;                               /* a sidecar that an image took */
} df_found;
typedef struct {
    df_found *items;
    int64_t n, capacity;
} df_found_list;
df_status df_found_add(df_found_list *list, df_found item, df_error *err);

typedef struct {
    const char **items;
    int64_t n, capacity;
} df_names;

struct df_catalog {
    /* name: of the input within the root, "" for a folder */
    char *input, *root, *name;
    char *own_folder;                        /* resolved, or NULL */
    df_table *skipped;
    int64_t n_found, n_sidecars;
    df_status (*next)(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n, bool *more,
                      df_error *err);
    df_arena arena;                          /* names of shards, what a list keeps open */
    df_names shards;                         /* tars still to be read, by path */
    int64_t next_shard;
    bool listed;                             /* the folder was walked */
    struct df_list *list;
};

/* Turns found items of one container (NULL: loose files) into inputs, in their order; unused
 * sidecars are skipped. */
df_status df_catalog_pair(df_catalog *c, df_found_list *found, const char *container,
                          df_arena *arena, df_input **inputs, int64_t *n, df_error *err);
df_status df_catalog_next_folder(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                                 bool *more, df_error *err);
df_status df_catalog_next_tar(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                              bool *more, df_error *err);
df_status df_catalog_open_list(df_catalog *c, df_error *err);
void df_catalog_close_list(struct df_list *list);
df_status df_catalog_next_list(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                               bool *more, df_error *err);
df_status df_catalog_add_shard(df_catalog *c, const char *path, df_error *err);
#endif
