#define _XOPEN_SOURCE 700                    /* realpath */
#include "stage/ingest/catalog.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "stage/ingest/catalog_kinds.h"
#include "tables/ingest.h"

/* Chooses by the input's name how it is listed: a folder, a tar, or a list. */
static df_status choose_kind(df_catalog *c, bool is_folder, df_error *err)
{
    df_name_kind kind = is_folder ? DF_NAME_OTHER : df_name_kind_of(c->name);
    if (!is_folder)
        DF_TRY(df_file_check(c->input, err));
    if (is_folder) {
        c->next = df_catalog_next_folder;
    } else if (kind == DF_NAME_TAR) {
        c->next = df_catalog_next_tar;
        return df_catalog_add_shard(c, ".", err);
    } else if (kind == DF_NAME_LIST) {
        c->next = df_catalog_next_list;
        return df_catalog_open_list(c, err);
    } else {
        return df_fail(err, DF_CONFIG,
                       "%s: give a folder, a .tar, or a .parquet, .csv or .jsonl list", c->input);
    }
    return DF_OK;
}

df_status df_catalog_open(df_catalog **out, const char *input, const char *own_folder,
                          df_error *err)
{
    df_catalog *c = calloc(1, sizeof *c);
    if (!c)
        return df_no_memory(err, "open %s", input);
    struct stat st = {0};
    df_status status = df_source_root(input, &c->root, err);
    if (status == DF_OK) {
        c->input = realpath(input, NULL);
        c->own_folder = own_folder ? realpath(own_folder, NULL) : NULL;
        if (own_folder && !c->own_folder && errno != ENOENT)
            status = df_fail(err, DF_IO, "open %s: %s", own_folder, strerror(errno));
        else if (!c->input || stat(c->input, &st) != 0)
            status = df_fail(err, DF_IO, "open %s: %s", input, strerror(errno));
    }
    if (status == DF_OK && !df_str_is_plain(c->input, strlen(c->input)))
        status =
            df_fail(err, DF_CONFIG, "the input's path is not plain UTF-8 text; rename the folder");
    if (status == DF_OK) {
        c->name = strdup(S_ISDIR(st.st_mode) ? "" : strrchr(c->input, '/') + 1);
        status = c->name ? df_table_create(&c->skipped, df_skipped_table.columns, err)
                         : df_no_memory(err, "open %s", input);
    }
    if (status == DF_OK)
        status = choose_kind(c, S_ISDIR(st.st_mode), err);
    if (status == DF_OK)
        *out = c;
    else
        df_catalog_close(c);
    return status;
}

void df_catalog_close(df_catalog *c)
{
    if (!c)
        return;
    df_catalog_close_list(c->list);
    df_table_close(c->skipped);
    df_arena_reset(&c->arena);
    free(c->shards.items);
    free(c->input);
    free(c->root);
    free(c->name);
    free(c->own_folder);
    free(c);
}

df_status df_catalog_next(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n, bool *more,
                          df_error *err)
{
    *inputs = NULL;
    *n = 0;
    return c->next(c, arena, inputs, n, more, err);
}

const char *df_catalog_input(const df_catalog *c)
{
    return c->input;
}

const char *df_catalog_root(const df_catalog *c)
{
    return c->root;
}

const df_table *df_catalog_skipped(const df_catalog *c)
{
    return c->skipped;
}

int64_t df_catalog_found(const df_catalog *c)
{
    return c->n_found;
}

int64_t df_catalog_sidecars(const df_catalog *c)
{
    return c->n_sidecars;
}
