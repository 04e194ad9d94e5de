#include "stage/fuse/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tables/kept.h"
#include "tables/ingest.h"

/* The lowest `room` tickets so far, as a heap with the highest first. */
typedef struct {
    uint64_t *tickets;
    int64_t n, room;
} lowest;

static uint64_t ticket(int64_t seed, const char *path)
{
    char text[40];
    df_hasher h;
    const int n = snprintf(text, sizeof text, "%lld ", (long long)seed);
    df_hasher_begin(&h);
    df_hasher_add(&h, text, (size_t)n);
    df_hasher_add(&h, path, strlen(path));
    return df_hasher_end(&h);
}

static void sift_down(lowest *l)
{
    for (int64_t i = 0, child; (child = 2 * i + 1) < l->n; i = child) {
        if (child + 1 < l->n && l->tickets[child + 1] > l->tickets[child])
            child++;
        if (l->tickets[i] >= l->tickets[child])
            return;
        const uint64_t t = l->tickets[i];
        l->tickets[i] = l->tickets[child];
        l->tickets[child] = t;
    }
}

static void sift_up(lowest *l)
{
    for (int64_t i = l->n - 1; i > 0 && l->tickets[(i - 1) / 2] < l->tickets[i]; i = (i - 1) / 2) {
        const uint64_t t = l->tickets[i];
        l->tickets[i] = l->tickets[(i - 1) / 2];
        l->tickets[(i - 1) / 2] = t;
    }
}

static void offer(lowest *l, uint64_t t)
{
    if (l->n < l->room) {
        l->tickets[l->n++] = t;
        sift_up(l);
    } else if (t < l->tickets[0]) {
        l->tickets[0] = t;
        sift_down(l);
    }
}

/* Offers the kept images of a part for the draw, each with its random ticket. */
static df_status offer_part(df_draw *draw, lowest *l, const df_dataset *ds,
                            const char *const *reads, int part, df_error *err)
{
    df_table *ingest = NULL;
    bool *kept = NULL;
    int64_t n = 0;
    DF_TRY(df_kept_rows(ds, reads, part, &kept, &n, err));
    df_status status = df_dataset_read(ds, &df_ingest_table, part, &ingest, err);
    const int path = status == DF_OK ? DF_INGEST_PATH : -1;
    for (int64_t row = 0; status == DF_OK && row < n && row < df_table_rows(ingest); row++) {
        draw->n_kept += kept[row];
        if (kept[row])
            offer(l, ticket(draw->seed, df_table_text(ingest, row, path)));
    }
    df_table_close(ingest);
    free(kept);
    return status;
}

/* A stage that some parts still wait for would let their images in without having decided. */
static df_status check_whole(const df_dataset *ds, const char *const *reads, df_error *err)
{
    for (; *reads; reads++) {
        int done = 0, first = -1;
        for (int part = 0; part < df_dataset_parts(ds); part++) {
            const bool has = df_dataset_has_part(ds, *reads, part);
            done += has;
            first = !has && first < 0 ? part : first;
        }
        if (done > 0 && first >= 0)
            return df_fail(
                err, DF_CONFIG,
                "fuse.draw looks at the whole dataset, and part %d of %s is not there yet", first,
                *reads);
    }
    return DF_OK;
}

df_status df_draw_open(df_draw *out, const df_dataset *ds, const char *const *reads, int64_t total,
                       int64_t seed, df_error *err)
{
    df_draw draw = {.seed = seed, .limit = UINT64_MAX};
    lowest l = {.room = total};
    DF_TRY(check_whole(ds, reads, err));
    l.tickets = malloc((size_t)total * sizeof *l.tickets);
    df_status status = l.tickets ? DF_OK : df_no_memory(err, "fuse.draw");
    for (int part = 0; status == DF_OK && part < df_dataset_parts(ds); part++)
        status = offer_part(&draw, &l, ds, reads, part, err);
    if (status == DF_OK) {
        draw.n_drawn = l.n;
        if (l.n == l.room && l.n > 0)
            draw.limit = l.tickets[0];
        *out = draw;
    }
    free(l.tickets);
    return status;
}

bool df_draw_takes(const df_draw *draw, const char *path)
{
    return draw->limit == UINT64_MAX || ticket(draw->seed, path) <= draw->limit;
}
