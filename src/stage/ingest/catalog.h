/* Everything that an input holds, in a fixed order: a folder's loose files, then each of its tars;
 * a tar; a list. What is no image is told with its reason, so that found = images + sidecars +
 * skipped. */
#ifndef DF_STAGE_INGEST_CATALOG_H
#define DF_STAGE_INGEST_CATALOG_H
#include "base/arena.h"
#include "tables/source.h"

/* One image to be. Text lives in the arena that it was read into. */
typedef struct {
    /* what a user calls it; unique within one catalog_next */
    const char *path;
    /* source is relative to the root; "." is the input itself */
    df_piece data;
    /* time of last change of the file, 0 for members of tars */
    int64_t changed_ns;
    df_piece text, json;                     /* sidecars; source is NULL when there is none */
    const char *alt_text, *url;              /* from a list, raw; NULL when unknown */
    /* why there are no bytes ("no such file"); else NULL */
    const char *missing;
    /* a URL without a file: path is the URL, data has no source */
    bool unfetched;
    /* of an unfetched image, as the list has them; 0 when unknown */
    int64_t width, height;
} df_input;

typedef struct df_catalog df_catalog;
/* own_folder: the dataset's folder, which may lie in the input but is no part of it. */
df_status df_catalog_open(df_catalog **out, const char *input, const char *own_folder,
                          df_error *err);
void df_catalog_close(df_catalog *c);
/* The next group: loose files, one tar, or a stretch of a list. *more is false at the end. */
df_status df_catalog_next(df_catalog *c, df_arena *arena, df_input **inputs, int64_t *n, bool *more,
                          df_error *err);

const char *df_catalog_input(const df_catalog *c);                   /* absolute, resolved */
/* folder that sources are relative to */
const char *df_catalog_root(const df_catalog *c);
/* "." becomes the input's own name */
const char *df_catalog_source(const df_catalog *c, const char *source);
/* Notes an input that gives no row; path may be any bytes. */
df_status df_catalog_skip(df_catalog *c, const char *path, const char *reason, df_error *err);
const df_table *df_catalog_skipped(const df_catalog *c);             /* path, reason; so far */
/* files, members, list rows met so far */
int64_t df_catalog_found(const df_catalog *c);
/* of these: sidecars that an image uses */
int64_t df_catalog_sidecars(const df_catalog *c);
#endif
