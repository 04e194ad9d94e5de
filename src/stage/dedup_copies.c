/* Copies by perceptual hash, over the whole dataset. Images are ordered by pixels, then by bytes, the
 * most first, then by place. An
 * image is a copy when an image before it in that order, itself a copy or not, is within hash_distance bits and above
 * cosine 1 - hash_eps; the first such image is its suppressor. So a suppressor is before what it suppresses, and every
 * chain of copies of copies ends at an image that is no copy. */
#include <stdlib.h>

#include "algo/dot.h"
#include "algo/half.h"
#include "algo/near_hash.h"
#include "stage/dedup.h"

enum { CHUNK = 1 << 14, BIN_BITS = 12, BINS = 1 << BIN_BITS, ITEMS_MAX = 1 << 22 };      /* 2^22 items: 160 MiB */

typedef struct {
    df_dedup *d;
    df_dedup_item *chunk;                    /* [CHUNK] */
    df_hashed *items;                        /* of the bins at work */
    int64_t n, capacity, bins[BINS];
    uint16_t *halfs;                         /* [dim] */
    float *a, *b;                            /* [dim] */
} copying;

/* ---- which items are at work ---- */

/* Equal keys fall into one bin. */
static int bin_of(uint64_t hash, uint64_t mask)
{
    return (int)((hash & mask) * 0x9E3779B97F4A7C15u >> (64 - BIN_BITS));
}

static df_status append(copying *c, df_hashed item, df_error *err)
{
    if (c->n == c->capacity) {
        int64_t capacity = c->capacity ? c->capacity * 2 : CHUNK;
        df_hashed *items = realloc(c->items, (size_t)capacity * sizeof *items);
        if (!items)
            return df_fail(err, DF_NOMEM, "compare hashes: out of memory");
        c->items = items;
        c->capacity = capacity;
    }
    c->items[c->n++] = item;
    return DF_OK;
}

/* Takes the items of bins [from, to); none when to is 0: then all are counted. */
static df_status scan(copying *c, uint64_t mask, int from, int to, df_error *err)
{
    c->n = 0;
    for (int64_t first = 0; first < c->d->n; first += CHUNK) {
        int64_t n = c->d->n - first < CHUNK ? c->d->n - first : CHUNK;
        if (df_run_stopped(c->d->run))
            return df_fail(err, DF_STOPPED, "stopped");
        DF_TRY(df_records_read(c->d->items, first, n, c->chunk, err));
        for (int64_t i = 0; i < n; i++) {
            const df_dedup_item *item = &c->chunk[i];
            int bin = bin_of(item->hash, mask);
            if (item->hashed && to == 0)
                c->bins[bin]++;
            else if (item->hashed && bin >= from && bin < to)
                DF_TRY(append(c, (df_hashed){.hash = item->hash, .pixels = item->pixels, .bytes = item->bytes, .id = first + i}, err));
        }
    }
    return DF_OK;
}

/* ---- pairs ---- */

static df_status read_vector(copying *c, int64_t id, float *x, df_error *err)
{
    DF_TRY(df_vectors_read(c->d->vectors, id, 1, c->halfs, err));
    df_half_to_float_n(c->halfs, x, (size_t)c->d->dim);
    return DF_OK;
}

/* Whether `item` already has a suppressor that is not after `before`. */
static df_status is_settled(const copying *c, const df_dedup_found *found, const df_hashed *before, bool *settled,
                            df_error *err)
{
    df_dedup_item known;
    *settled = false;
    if (found->kind != DF_DEDUP_COPY)
        return DF_OK;
    DF_TRY(df_records_read(c->d->items, found->nearest - 1, 1, &known, err));
    df_hashed suppressor = {.pixels = known.pixels, .bytes = known.bytes, .id = found->nearest - 1};
    *settled = !df_hashed_before(before, &suppressor);
    return DF_OK;
}

static df_status meet(copying *c, const df_hashed *item, const df_hashed *before, bool *done, df_error *err)
{
    df_dedup_found found;
    DF_TRY(df_records_read(c->d->found, item->id, 1, &found, err));
    DF_TRY(is_settled(c, &found, before, done, err));
    if (*done)
        return DF_OK;
    DF_TRY(read_vector(c, item->id, c->a, err));
    DF_TRY(read_vector(c, before->id, c->b, err));
    float cosine = df_dot(c->a, c->b, c->d->dim);
    if (!df_semdedup_removes(cosine, c->d->config->hash_eps))
        return DF_OK;
    *done = true;
    found = (df_dedup_found){.nearest = before->id + 1,
                             .similarity = cosine,
                             .kind = DF_DEDUP_COPY,
                             .hash_distance = (int16_t)df_hash_distance(item->hash, before->hash)};
    return df_records_write(c->d->found, item->id, 1, &found, err);
}

/* Items of one key, in their order: each looks for the first before it. */
static df_status compare_run(copying *c, int64_t first, int64_t end, df_error *err)
{
    for (int64_t i = first + 1; i < end; i++) {
        bool done = false;
        if (df_run_stopped(c->d->run))
            return df_fail(err, DF_STOPPED, "stopped");
        for (int64_t j = first; j < i && !done; j++)
            if (df_hash_distance(c->items[i].hash, c->items[j].hash) <= c->d->config->hash_distance)
                DF_TRY(meet(c, &c->items[i], &c->items[j], &done, err));
    }
    return DF_OK;
}

static df_status compare(copying *c, uint64_t mask, df_error *err)
{
    df_near_hash_sort(c->items, c->n, mask);
    for (int64_t first = 0, end; first < c->n; first = end) {
        end = first + 1;
        while (end < c->n && c->items[end].key == c->items[first].key)
            end++;
        DF_TRY(compare_run(c, first, end, err));
    }
    return DF_OK;
}

/* As many bins at a time as hold ITEMS_MAX; one at least. */
static df_status compare_bins(copying *c, uint64_t mask, df_error *err)
{
    for (int bin = 0; bin < BINS; bin++)
        c->bins[bin] = 0;
    DF_TRY(scan(c, mask, 0, 0, err));
    for (int from = 0, to; from < BINS; from = to) {
        int64_t n = c->bins[from];
        for (to = from + 1; to < BINS && n + c->bins[to] <= ITEMS_MAX; to++)
            n += c->bins[to];
        if (n < 2)
            continue;
        DF_TRY(scan(c, mask, from, to, err));
        DF_TRY(compare(c, mask, err));
    }
    return DF_OK;
}

df_status df_dedup_find_copies(df_dedup *d, df_error *err)
{
    uint64_t masks[DF_NEAR_HASH_MASKS_MAX];
    size_t dim = (size_t)d->dim;
    copying c = {.d = d,
                 .chunk = malloc(CHUNK * sizeof *c.chunk),
                 .halfs = malloc(dim * sizeof *c.halfs),
                 .a = malloc(dim * sizeof *c.a),
                 .b = malloc(dim * sizeof *c.b)};
    bool ready = c.chunk && c.halfs && c.a && c.b;
    df_status status = ready ? DF_OK : df_fail(err, DF_NOMEM, "compare hashes: out of memory");
    int n_masks = d->config->hash_distance > 0 ? df_near_hash_masks((int)d->config->hash_distance, masks) : 0;
    for (int i = 0; status == DF_OK && i < n_masks; i++)
        status = compare_bins(&c, masks[i], err);
    free(c.chunk);
    free(c.items);
    free(c.halfs);
    free(c.a);
    free(c.b);
    return status;
}
