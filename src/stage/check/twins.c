#include "stage/check/twins.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tables/caption.h"
#include "tables/ingest.h"

enum { CAPTION_BYTES_MIN = 20 };

typedef struct {
    uint64_t caption, image;
} pair;
typedef struct {
    pair *pairs;
    int64_t n, room;
} pairs;

/* 0: of no caption. */
static uint64_t hash_of(const char *caption)
{
    df_hasher h;
    size_t n = 0;
    df_hasher_begin(&h);
    for (const char *p = caption; *p; p++) {
        const char c = (char)tolower((unsigned char)*p);
        if (!isalnum((unsigned char)c) && (unsigned char)c < 0x80)
            continue;
        df_hasher_add(&h, &c, 1);
        n++;
    }
    return n >= CAPTION_BYTES_MIN ? df_hasher_end(&h) | 1 : 0;
}

static df_status add(pairs *list, pair p, df_error *err)
{
    if (list->n == list->room) {
        const int64_t room = list->room ? 2 * list->room : 1024;
        pair *grown = realloc(list->pairs, (size_t)room * sizeof *grown);
        if (!grown)
            return df_no_memory(err, "check");
        list->pairs = grown;
        list->room = room;
    }
    list->pairs[list->n++] = p;
    return DF_OK;
}

/* Two rows of equal bytes are one image, and may have one caption. */
static df_status add_part(pairs *list, const df_dataset *ds, int part, df_error *err)
{
    df_table *captions = NULL, *ingest = NULL;
    df_status status = df_dataset_read(ds, &df_caption_table, part, &captions, err);
    if (status == DF_OK)
        status = df_dataset_read(ds, &df_ingest_table, part, &ingest, err);
    const bool read = status == DF_OK;
    const int of_row = read ? DF_CAPTION_ROW : -1, text = read ? DF_CAPTION_CAPTION : -1,
              engine = read ? DF_CAPTION_ENGINE : -1;
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(captions); i++) {
        const int64_t row = df_table_int(captions, i, of_row);
        const uint64_t hash = hash_of(df_table_text(captions, i, text));
        if (!hash || row < 0 || row >= df_table_rows(ingest) ||
            strcmp(df_table_text(captions, i, engine), "compose") == 0)
            continue;
        const char *bytes = df_table_text(ingest, row, DF_INGEST_HASH);
        const char *image = *bytes ? bytes : df_table_text(ingest, row, DF_INGEST_PATH);
        status = add(list, (pair){hash, df_hash_64(image, strlen(image))}, err);
    }
    df_table_close(captions);
    df_table_close(ingest);
    return status;
}

static int by_caption(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->caption != y->caption)
        return x->caption < y->caption ? -1 : 1;
    return x->image < y->image ? -1 : x->image > y->image;
}

static df_status keep_shared(df_twins *out, pairs *list, df_error *err)
{
    qsort(list->pairs, (size_t)list->n, sizeof *list->pairs, by_caption);
    out->captions = malloc(((size_t)list->n + 1) * sizeof *out->captions);
    if (!out->captions)
        return df_no_memory(err, "check");
    for (int64_t i = 1; i < list->n; i++) {
        const pair *a = &list->pairs[i - 1], *b = &list->pairs[i];
        const bool shared = a->caption == b->caption && a->image != b->image;
        if (shared && (out->n == 0 || out->captions[out->n - 1] != a->caption))
            out->captions[out->n++] = a->caption;
    }
    return DF_OK;
}

df_status df_twins_find(df_twins *out, const df_dataset *ds, df_error *err)
{
    pairs list = {0};
    df_status status = DF_OK;
    *out = (df_twins){0};
    for (int part = 0; status == DF_OK && part < df_dataset_parts(ds); part++)
        if (df_dataset_has_part(ds, "caption", part))
            status = add_part(&list, ds, part, err);
    if (status == DF_OK && list.n > 0)
        status = keep_shared(out, &list, err);
    free(list.pairs);
    return status;
}

void df_twins_free(df_twins *twins)
{
    free(twins->captions);
    *twins = (df_twins){0};
}

bool df_twins_has(const df_twins *twins, const char *caption)
{
    int64_t from = 0, to = twins->n;
    const uint64_t hash = twins->n ? hash_of(caption) : 0;
    while (hash && from < to) {
        const int64_t middle = from + (to - from) / 2;
        if (twins->captions[middle] == hash)
            return true;
        if (twins->captions[middle] < hash)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}
