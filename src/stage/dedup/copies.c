/* Copies by perceptual hash, over the whole dataset. Images are ordered by pixels, then by bytes,
 * the most first, then by place. An image is a copy when an image before it in that order, itself a
 * copy or not, is within hash_distance bits and above cosine 1 - hash_eps; the first such image is
 * its suppressor. So a suppressor is before what it suppresses, and every chain of copies of copies
 * ends at an image that is no copy.
 *
 * For each mask of near_hash.h the hashed items are dealt into ranges of their keys, in a file,
 * each as large as memory holds; then range by range is sorted and compared. */
#include <limits.h>
#include <stdlib.h>

#include "stage/dedup/dedup.h"
#include "vector/dot.h"
#include "vector/half.h"
#include "vector/near_hash.h"

enum { CHUNK = 1 << 14, BIN_BITS = 12, BINS = 1 << BIN_BITS, HELD = 256, RANGE_MIN = 64 };

/* Neighbouring bins; [next, end) of the file is still to be written. */
typedef struct {
    int64_t begin, end, next;
    int n_held;
    df_hashed held[HELD];
} range;

typedef struct {
    df_dedup *d;
    df_dedup_item *chunk;                    /* [CHUNK] */
    df_records *dealt;                       /* of df_hashed; opened when their number is known */
    int64_t bins[BINS];
    int range_of[BINS], n_ranges;
    range *ranges;
    df_hashed *items;                        /* of the range at work */
    int64_t capacity;
    uint16_t *halfs;                         /* [dim] */
    float *a, *b;                            /* [dim] */
} copying;

/* ---- which images are compared ---- */

/* Equal keys fall into one bin. */
static int bin_of(uint64_t hash, uint64_t mask)
{
    return (int)((hash & mask) * 0x9E3779B97F4A7C15u >> (64 - BIN_BITS));
}

static df_status flush(const copying *c, range *r, df_error *err)
{
    DF_TRY(df_records_write(c->dealt, r->next, r->n_held, r->held, err));
    r->next += r->n_held;
    r->n_held = 0;
    return DF_OK;
}

/* Counts the hashed items of each bin, or deals them into the ranges. */
static df_status scan(copying *c, uint64_t mask, bool deal, df_error *err)
{
    for (int64_t first = 0; first < c->d->n; first += CHUNK) {
        int64_t n = c->d->n - first < CHUNK ? c->d->n - first : CHUNK;
        if (df_run_stopped(c->d->run))
            return df_stopped(err);
        DF_TRY(df_records_read(c->d->items, first, n, c->chunk, err));
        for (int64_t i = 0; i < n; i++) {
            const df_dedup_item *item = &c->chunk[i];
            int bin = bin_of(item->hash, mask);
            c->bins[bin] += item->hashed && !deal;
            if (!item->hashed || !deal)
                continue;
            range *r = &c->ranges[c->range_of[bin]];
            r->held[r->n_held++] = (df_hashed){
                .hash = item->hash, .pixels = item->pixels, .bytes = item->bytes, .id = first + i};
            if (r->n_held == HELD)
                DF_TRY(flush(c, r, err));
        }
    }
    for (int i = 0; deal && i < c->n_ranges; i++)
        DF_TRY(flush(c, &c->ranges[i], err));
    return DF_OK;
}

/* As many neighbouring bins to a range as memory holds; one at least. */
static int64_t cut_ranges(copying *c)
{
    int64_t fit = (int64_t)(df_dedup_memory(c->d) / sizeof(df_hashed)), sum = 0;
    fit = fit > RANGE_MIN ? fit : RANGE_MIN;
    c->n_ranges = 0;
    for (int bin = 0; bin < BINS; bin++) {
        range *last = c->n_ranges ? &c->ranges[c->n_ranges - 1] : NULL;
        if (!last || last->end - last->begin + c->bins[bin] > fit) {
            last = &c->ranges[c->n_ranges++];
            last->begin = last->end = last->next = sum;
            last->n_held = 0;
        }
        c->range_of[bin] = c->n_ranges - 1;
        sum += c->bins[bin];
        last->end = sum;
    }
    return sum;
}

static df_status deal(copying *c, uint64_t mask, df_error *err)
{
    char name[DF_DEDUP_NAME];
    for (int bin = 0; bin < BINS; bin++)
        c->bins[bin] = 0;
    DF_TRY(scan(c, mask, false, err));
    int64_t n = cut_ranges(c);
    if (!c->dealt) {
        DF_TRY(df_records_open(&c->dealt, df_dataset_files(c->d->ds), df_dedup_name("hashes", name),
                               sizeof(df_hashed), n, err));
    }
    return scan(c, mask, true, err);
}

/* ---- pairs ---- */

static df_status read_vector(copying *c, int64_t id, float *x, df_error *err)
{
    DF_TRY(df_vectors_read(c->d->vectors, id, 1, c->halfs, err));
    df_half_to_float_n(c->halfs, x, (size_t)c->d->dim);
    return DF_OK;
}

/* Whether `item` already has a suppressor that is not after `before`. */
static df_status is_settled(const copying *c, const df_dedup_found *found, const df_hashed *before,
                            bool *settled, df_error *err)
{
    df_dedup_item known;
    *settled = false;
    if (found->kind != DF_FOUND_COPY)
        return DF_OK;
    DF_TRY(df_records_read(c->d->items, found->nearest - 1, 1, &known, err));
    df_hashed suppressor = {.pixels = known.pixels, .bytes = known.bytes, .id = found->nearest - 1};
    *settled = !df_hashed_before(before, &suppressor);
    return DF_OK;
}

/* Compares two images whose hashes are near by their vectors: a copy must be like in both. */
static df_status meet(copying *c, const df_hashed *item, const df_hashed *before, bool *done,
                      df_error *err)
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
                             .kind = DF_FOUND_COPY,
                             .hash_distance = (int16_t)df_hash_distance(item->hash, before->hash)};
    return df_records_write(c->d->found, item->id, 1, &found, err);
}

/* Items of one key, in their order: each looks for the first before it. */
static df_status compare_run(copying *c, int64_t first, int64_t end, df_error *err)
{
    for (int64_t i = first + 1; i < end; i++) {
        bool done = false;
        if (df_run_stopped(c->d->run))
            return df_stopped(err);
        for (int64_t j = first; j < i && !done; j++)
            if (df_hash_distance(c->items[i].hash, c->items[j].hash) <= c->d->config->hash_distance)
                DF_TRY(meet(c, &c->items[i], &c->items[j], &done, err));
    }
    return DF_OK;
}

/* Compares the images of a range whose hashes agree in the bits of the mask. */
static df_status compare(copying *c, const range *r, uint64_t mask, df_error *err)
{
    int64_t n = r->end - r->begin;
    if (n < 2)
        return DF_OK;
    if (n > c->capacity) {
        free(c->items);
        c->items = malloc((size_t)n * sizeof *c->items);
        c->capacity = c->items ? n : 0;
        if (!c->items)
            return df_no_memory(err, "compare hashes");
    }
    DF_TRY(df_records_read(c->dealt, r->begin, n, c->items, err));
    for (int64_t i = 0; i < n; i++)
        if (c->items[i].id < 0 || c->items[i].id >= c->d->n)
            return df_fail(err, DF_FORMAT,
                           "dedup/part-hashes.partial is damaged: remove it and run again");
    df_near_hash_sort(c->items, n, mask);
    for (int64_t first = 0, end; first < n; first = end) {
        end = first + 1;
        while (end < n && c->items[end].key == c->items[first].key)
            end++;
        DF_TRY(compare_run(c, first, end, err));
    }
    return DF_OK;
}

static df_status compare_all(copying *c, df_error *err)
{
    uint64_t masks[DF_NEAR_HASH_MASKS_MAX];
    int n_masks = c->d->config->hash_distance > 0
                      ? df_near_hash_masks((int)c->d->config->hash_distance, masks)
                      : 0;
    for (int i = 0; i < n_masks; i++) {
        DF_TRY(deal(c, masks[i], err));
        for (int k = 0; k < c->n_ranges; k++)
            DF_TRY(compare(c, &c->ranges[k], masks[i], err));
    }
    return DF_OK;
}

df_status df_dedup_find_copies(df_dedup *d, df_error *err)
{
    size_t dim = (size_t)d->dim;
    copying c = {.d = d,
                 .chunk = malloc(CHUNK * sizeof *c.chunk),
                 .ranges = malloc(BINS * sizeof *c.ranges),
                 .halfs = malloc(dim * sizeof *c.halfs),
                 .a = malloc(dim * sizeof *c.a),
                 .b = malloc(dim * sizeof *c.b)};
    bool ready = c.chunk && c.ranges && c.halfs && c.a && c.b;
    df_status status = ready ? compare_all(&c, err) : df_no_memory(err, "compare hashes");
    df_records_close(c.dealt);
    free(c.chunk);
    free(c.ranges);
    free(c.items);
    free(c.halfs);
    free(c.a);
    free(c.b);
    return status;
}
