/* Similar images within a cluster. Clusters go in rounds: the small ones of a round side by side, a
 * thread each, the large ones one after another, all threads on one. The state is saved after a
 * round. */
#include <pthread.h>
#include <stdlib.h>

#include "base/pool.h"
#include "stage/dedup/dedup.h"
#include "stage/members.h"

static const double round_pairs = 4e9;

typedef struct {
    df_dedup *d;
    df_members members; /* index: of the vector; key: cosine to the centroid */
    df_dedup_item *items; /* [DF_MEMBERS_READ] */
    df_dedup_found *found;
    int64_t *small; /* of the round: clusters that one thread compares */
    int64_t n_done;
    pthread_mutex_t lock; /* of n_done and progress */
} comparing;

/* ---- members ---- */

/* The items of a stretch of vectors; a copy is in no cluster. */
static df_status read_members(void *ctx, int64_t first, int64_t n, int32_t *cluster,
                              df_member *members, df_error *err)
{
    comparing *c = ctx;
    DF_TRY(df_records_read(c->d->items, first, n, c->items, err));
    DF_TRY(df_records_read(c->d->found, first, n, c->found, err));
    for (int64_t i = 0; i < n; i++) {
        cluster[i] = c->found[i].kind == DF_FOUND_COPY ? -1 : c->items[i].cluster;
        members[i] = (df_member){first + i, c->items[i].place, c->items[i].to_centroid};
    }
    return DF_OK;
}

/* ---- one cluster ---- */

typedef struct {
    const comparing *c;
    const df_member *members;
    const int64_t *order;
} reading;

static df_status read_rows(void *ctx, int64_t first, int64_t count, uint16_t *rows, df_error *err)
{
    const reading *r = ctx;
    int64_t index[DF_SEMDEDUP_READ];
    if (df_run_stopped(r->c->d->run))
        return df_stopped(err);
    for (int64_t i = 0; i < count; i++)
        index[i] = r->members[r->order[first + i]].index;
    return df_vectors_gather(r->c->d->vectors, index, count, rows, err);
}

typedef struct {
    int64_t *id, *order, *nearest, *parent;
    float *similarity;
    double *to_centroid;
} answer;

static void answer_free(answer *a)
{
    free(a->id);
    free(a->order);
    free(a->nearest);
    free(a->parent);
    free(a->similarity);
    free(a->to_centroid);
}

/* Makes room for what the comparison of n members says, and puts them in the order of SemDeDup. */
static df_status answer_init(answer *a, const df_dedup *d, const df_member *members, int64_t n,
                             df_error *err)
{
    size_t size = (size_t)n + 1;
    *a = (answer){
        malloc(size * sizeof *a->id),         malloc(size * sizeof *a->order),
        malloc(size * sizeof *a->nearest),    d->group ? malloc(size * sizeof *a->parent) : NULL,
        malloc(size * sizeof *a->similarity), malloc(size * sizeof *a->to_centroid)};
    if (!a->id || !a->order || !a->nearest || (d->group && !a->parent) || !a->similarity ||
        !a->to_centroid)
        return df_no_memory(err, "compare a cluster of %lld", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        a->id[i] = members[i].place;
        a->to_centroid[i] = members[i].key;
    }
    return df_semdedup_order(a->to_centroid, a->id, n, d->keep, (uint64_t)d->config->seed, a->order,
                             err);
}

static df_status write_found(const comparing *c, const df_member *members, const answer *a,
                             int64_t n, df_error *err)
{
    const df_dedup *d = c->d;
    for (int64_t j = 0; j < n; j++) {
        bool similar = d->group ? a->parent[j] != j : df_semdedup_removes(a->similarity[j], d->eps);
        df_dedup_found found = {.kind = similar ? DF_FOUND_SIMILAR : DF_FOUND_KEPT};
        if (a->nearest[j] >= 0) {
            found.nearest = members[a->order[a->nearest[j]]].index + 1;
            found.similarity = a->similarity[j];
        }
        DF_TRY(df_records_write(d->found, members[a->order[j]].index, 1, &found, err));
    }
    return DF_OK;
}

/* Compares the members of one cluster by SemDeDup and writes what was found. */
static df_status compare(comparing *c, int64_t cluster, int n_threads, size_t bytes, df_error *err)
{
    int64_t n;
    const df_member *members = df_members_of(&c->members, cluster, &n);
    answer a = {0};
    df_status status = answer_init(&a, c->d, members, n, err);
    reading r = {c, members, a.order};
    df_semdedup_rows rows = {.n = n,
                             .dim = c->d->dim,
                             .n_threads = n_threads,
                             .memory_bytes = bytes,
                             .read = read_rows,
                             .ctx = &r};
    if (status == DF_OK)
        status = df_semdedup_nearest(&rows, c->d->eps, a.similarity, a.nearest, a.parent, err);
    if (status == DF_OK)
        status = write_found(c, members, &a, n, err);
    answer_free(&a);
    if (status != DF_OK)
        return status;
    pthread_mutex_lock(&c->lock);
    c->n_done += n;
    df_run_progress(c->d->run, "dedup", c->n_done, c->d->n);
    pthread_mutex_unlock(&c->lock);
    return DF_OK;
}

/* ---- rounds ---- */

static int threads_of(const comparing *c)
{
    return c->d->run->n_threads > 0 ? c->d->run->n_threads : 1;
}

static size_t thread_bytes(const comparing *c)
{
    return df_dedup_memory(c->d) / (size_t)threads_of(c);
}

static df_status work_small(void *ctx, int64_t item, int thread, df_error *err)
{
    comparing *c = ctx;
    (void)thread;
    return compare(c, c->small[item], 1, thread_bytes(c), err);
}

/* Clusters [from, to): first the small ones, whose vectors one thread's share of
 * the memory holds. */
static df_status compare_round(comparing *c, int64_t from, int64_t to, df_error *err)
{
    size_t row_bytes = (size_t)c->d->dim * 6 + 64; /* as floats and twice as codes */
    int64_t n_small = 0;
    for (int64_t i = from; i < to; i++)
        if ((size_t)df_members_count(&c->members, i) <= thread_bytes(c) / row_bytes &&
            df_members_count(&c->members, i) > 0)
            c->small[n_small++] = i;
    DF_TRY(df_pool_run(threads_of(c), n_small, work_small, c, err));
    for (int64_t i = from; i < to; i++)
        if ((size_t)df_members_count(&c->members, i) > thread_bytes(c) / row_bytes)
            DF_TRY(compare(c, i, threads_of(c), df_dedup_memory(c->d), err));
    c->d->next_cluster = to;
    return df_dedup_save(c->d, err);
}

/* Goes through the clusters, as many at a time as make enough work for all threads; the state is
 * saved after each time. */
static df_status compare_rounds(comparing *c, df_error *err)
{
    df_dedup *d = c->d;
    /* copies are done with */
    c->n_done = d->n - df_members_left(&c->members, d->next_cluster);
    while (d->next_cluster < d->n_clusters) {
        int64_t from = d->next_cluster, to = from;
        if (from >= c->members.to)
            DF_TRY(df_members_load(&c->members, from, err));
        double pairs = 0;
        while (to < c->members.to && (to == from || pairs < round_pairs)) {
            double n = (double)df_members_count(&c->members, to++);
            pairs += n * n;
        }
        DF_TRY(compare_round(c, from, to, err));
    }
    return DF_OK;
}

df_status df_dedup_find_similar(df_dedup *d, df_error *err)
{
    comparing c = {.d = d,
                   .lock = PTHREAD_MUTEX_INITIALIZER,
                   .small = malloc(((size_t)d->n_clusters + 1) * sizeof *c.small),
                   .items = malloc(DF_MEMBERS_READ * sizeof *c.items),
                   .found = malloc(DF_MEMBERS_READ * sizeof *c.found)};
    c.members = (df_members){
        .n = d->n, .n_clusters = d->n_clusters, .run = d->run, .read = read_members, .ctx = &c};
    df_status status = c.small && c.items && c.found ? df_members_count_all(&c.members, err)
                                                     : df_no_memory(err, "read clusters");
    if (status == DF_OK)
        status = compare_rounds(&c, err);
    df_members_free(&c.members);
    free(c.small);
    free(c.items);
    free(c.found);
    pthread_mutex_destroy(&c.lock);
    return status;
}
