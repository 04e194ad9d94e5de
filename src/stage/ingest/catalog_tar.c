/* A tar as input: its members in their order. A tar that breaks off keeps the members before the
 * break. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "image/image.h"
#include "io/tar.h"
#include "stage/ingest/catalog_kinds.h"

enum { SNIFF_BYTES = 32 };

typedef struct {
    df_catalog *catalog;
    df_arena *arena;
    const char *container;
    df_found_list found;
    df_map names;                            /* of the members taken: a name may come once */
} shard;

static df_status sniff_member(const shard *s, const df_tar_member *m, bool *is_image, df_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    int64_t whole;
    df_piece piece = {df_catalog_source(s->catalog, s->container), m->offset, m->size};
    df_status status =
        df_source_piece(s->catalog->root, piece, SNIFF_BYTES, &bytes, &size, &whole, err);
    *is_image = status == DF_OK && df_image_sniff(bytes, size) != DF_FORMAT_UNKNOWN;
    free(bytes);
    return df_is_of_one_image(status) ? DF_OK : status;
}

static const char *refuse_name(const df_tar_member *m, df_name_kind *kind)
{
    const char *slash = strrchr(m->name, '/');
    *kind = df_name_kind_of(m->name);
    if (m->refused)
        return m->refused;
    if (!df_str_is_plain(m->name, strlen(m->name)))
        return "name is not plain UTF-8 text";
    if ((slash ? slash[1] : m->name[0]) == '.')
        return "hidden";
    return NULL;
}

/* *why stays NULL for an image and for what may be a sidecar. */
static df_status refuse(const shard *s, const df_tar_member *m, df_name_kind *kind,
                        const char **why, df_error *err)
{
    bool is_image;
    *why = refuse_name(m, kind);
    if (*why || *kind == DF_NAME_IMAGE || *kind == DF_NAME_TEXT || *kind == DF_NAME_JSON)
        return DF_OK;
    DF_TRY(sniff_member(s, m, &is_image, err));
    if (is_image)
        *kind = DF_NAME_IMAGE;
    else
        *why = "unsupported type";
    return DF_OK;
}

static df_status skip_member(shard *s, const char *name, const char *reason, df_error *err)
{
    const char *path =
        df_arena_printf(s->arena, "%s/%s", df_catalog_source(s->catalog, s->container), name);
    return path ? df_catalog_skip(s->catalog, path, reason, err) : df_no_memory(err, "list a tar");
}

/* Notes a member of a tar, or passes it over with its reason. */
static df_status add_member(shard *s, const df_tar_member *m, df_error *err)
{
    df_name_kind kind;
    const char *why;
    DF_TRY(refuse(s, m, &kind, &why, err));
    s->catalog->n_found++;
    if (why)
        return skip_member(s, m->name, why, err);
    const char *name = df_arena_strdup(s->arena, m->name);
    if (!name)
        return df_no_memory(err, "list a tar");
    int64_t stored;
    DF_TRY(df_map_put(&s->names, name, s->found.n, &stored, err));
    if (stored != s->found.n)
        return skip_member(s, name, "a second member of that name", err);
    return df_found_add(
        &s->found, (df_found){.name = name, .kind = kind, .offset = m->offset, .size = m->size},
        err);
}

/* Lists the members of a tar. A tar that breaks off keeps those before. */
static df_status list_members(shard *s, df_error *err)
{
    char path[PATH_MAX];
    df_catalog *c = s->catalog;
    const char *name = df_catalog_source(c, s->container);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", c->root, name) >= sizeof path)
        return df_catalog_skip(c, name, "path is too long", err);
    df_tar *tar = NULL;
    df_tar_member m;
    bool more = true;
    df_error why = {""};
    df_status status = DF_OK, read = df_tar_open(&tar, path, &why);
    while (read == DF_OK && status == DF_OK &&
           (read = df_tar_next(tar, &m, &more, &why)) == DF_OK && more)
        status = add_member(s, &m, err);
    df_tar_close(tar);
    if (status != DF_OK || read == DF_OK)
        return status;
    if (!df_is_of_one_image(read))
        return df_fail(err, read, "%s", why.message);
    /* the reason stands beside the name: no need to say it twice */
    size_t n = strlen(path);
    const char *words = strncmp(why.message, path, n) == 0 && why.message[n] == ':'
                            ? why.message + n + 2
                            : why.message;
    c->n_found++;
    return df_catalog_skip(c, name, words, err);
}

df_status df_catalog_next_tar(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n,
                              bool *more, df_error *err)
{
    *more = c->next_shard < c->shards.n;
    if (!*more)
        return DF_OK;
    shard s = {.catalog = c, .arena = arena, .container = c->shards.items[c->next_shard++]};
    df_status status = list_members(&s, err);
    if (status == DF_OK)
        status = df_catalog_pair(c, &s.found, s.container, arena, inputs, n, err);
    df_map_free(&s.names);
    free(s.found.items);
    return status;
}
