/* How many of each cluster, and which come first. */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "stage/select/select.h"
#include "vector/half.h"
#include "vector/rank.h"

static df_status read_members(void *ctx, int64_t first, int64_t n, int32_t *cluster,
                              df_member *members, df_error *err)
{
    df_selecting *s = ctx;
    DF_TRY(df_records_read(s->items, first, n, s->chunk, err));
    for (int64_t i = 0; i < n; i++) {
        cluster[i] = s->chunk[i].cluster;
        members[i] = (df_member){first + i, s->chunk[i].place, s->chunk[i].key};
    }
    return DF_OK;
}

/* ---- how many of each cluster ---- */

static int64_t cluster_limit(const df_selecting *s, int64_t cluster)
{
    int64_t n = df_members_count(&s->members, cluster), most = s->config->per_cluster;
    return most && most < n ? most : n;
}

static int64_t total_limit(const df_selecting *s, int64_t cluster)
{
    return s->config->total ? s->quota + s->one_more[cluster] : INT64_MAX;
}

/* The largest clusters give one more; of equals the one with the lower number. */
static df_status give_rest(df_selecting *s, int64_t rest, df_error *err)
{
    int64_t k = s->n_clusters;
    double *size = malloc(((size_t)k + 1) * sizeof *size);
    int64_t *order = malloc(((size_t)k + 1) * sizeof *order);
    for (int64_t i = 0; size && i < k; i++)
        size[i] = (double)(cluster_limit(s, i) > s->quota ? df_members_count(&s->members, i) : 0);
    df_status status =
        size && order ? df_rank_order(size, k, order, err) : df_no_memory(err, "select");
    for (int64_t i = 0; status == DF_OK && i < rest; i++)
        s->one_more[order[i]] = true;
    free(size);
    free(order);
    return status;
}

/* Shares select.total out over the clusters, so that small ones are told whole and large ones
 * get the same quota. */
static df_status share_total(df_selecting *s, df_error *err)
{
    int64_t k = s->n_clusters, all = 0, rest = 0;
    s->one_more = calloc((size_t)k + 1, sizeof *s->one_more);
    int64_t *sizes = malloc(((size_t)k + 1) * sizeof *sizes);
    for (int64_t i = 0; sizes && i < k; i++)
        all += sizes[i] = cluster_limit(s, i);
    if (sizes && s->config->total)
        df_rank_quota(sizes, k, s->config->total, &s->quota, &rest);
    free(sizes);
    if (!sizes || !s->one_more)
        return df_no_memory(err, "select");
    if (s->config->total > all)
        df_run_note(s->run,
                    "select: the total is to be %lld, but only %lld images are left to choose from",
                    (long long)s->config->total, (long long)all);
    return give_rest(s, rest, err);
}

/* ---- one cluster ---- */

/* Of a cluster that memory does not hold, the nearest to the centroid are spread, the others follow
 * as they are. */
static df_status spread(const df_selecting *s, const df_member *members, int64_t n,
                        int64_t n_wanted, int64_t *order, df_error *err)
{
    static const size_t memory_bytes = (size_t)192 << 20;
    size_t dim = (size_t)df_vectors_dim(s->vectors);
    int64_t fit = (int64_t)(memory_bytes / (size_t)(s->run->n_threads > 0 ? s->run->n_threads : 1) /
                            (dim * 6));
    n = n < fit ? n : fit;
    uint16_t *halfs = malloc(((size_t)n + 1) * dim * sizeof *halfs);
    float *x = malloc(((size_t)n + 1) * dim * sizeof *x),
          *closest = malloc(((size_t)n + 1) * sizeof *closest);
    int64_t *index = malloc(((size_t)n + 1) * sizeof *index),
            *picked = malloc(((size_t)n + 1) * sizeof *picked);
    df_status status =
        halfs && x && closest && index && picked ? DF_OK : df_no_memory(err, "select");
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        index[i] = members[order[i]].index;
    if (status == DF_OK)
        status = df_vectors_gather(s->vectors, index, n, halfs, err);
    if (status == DF_OK) {
        df_half_to_float_n(halfs, x, (size_t)n * dim);
        df_rank_spread(x, n, (int)dim, 0, n_wanted, closest, picked);
        for (int64_t i = 0; i < n; i++)
            index[i] = order[picked[i]];
        memcpy(order, index, (size_t)n * sizeof *order);
    }
    free(halfs);
    free(x);
    free(closest);
    free(index);
    free(picked);
    return status;
}

/* Writes the rank of each member of a cluster, and which limit it is beyond. */
static df_status write_ranks(const df_selecting *s, int64_t cluster, const df_member *members,
                             const int64_t *order, int64_t n, df_error *err)
{
    int64_t of_cluster = cluster_limit(s, cluster), of_total = total_limit(s, cluster);
    for (int64_t i = 0; i < n; i++) {
        const df_member *m = &members[order[i]];
        df_select_item item = {.place = m->place,
                               .rank = i + 1,
                               .key = m->key,
                               .cluster = (int32_t)cluster,
                               .limit = i >= of_cluster ? DF_LIMIT_CLUSTER
                                        : i >= of_total ? DF_LIMIT_TOTAL
                                                        : DF_LIMIT_NONE};
        DF_TRY(df_records_write(s->items, m->index, 1, &item, err));
    }
    return DF_OK;
}

/* Ranks the members of one cluster. A thread of the pool. */
static df_status rank_cluster(void *ctx, int64_t item, int thread, df_error *err)
{
    df_selecting *s = ctx;
    int64_t n, cluster = s->members.from + item, wanted = cluster_limit(s, cluster),
               of_total = total_limit(s, cluster);
    const df_member *members = df_members_of(&s->members, cluster, &n);
    (void)thread;
    if (df_run_stopped(s->run))
        return df_stopped(err);
    double *key = malloc(((size_t)n + 1) * sizeof *key);
    int64_t *order = malloc(((size_t)n + 1) * sizeof *order);
    df_status status = key && order ? DF_OK : df_no_memory(err, "select");
    for (int64_t i = 0; status == DF_OK && i < n; i++)
        key[i] = members[i].key;
    if (status == DF_OK)
        status = df_rank_order(key, n, order, err);
    if (status == DF_OK && s->by == DF_BY_BALANCED && n > 0)
        status = spread(s, members, n, wanted < of_total ? wanted : of_total, order, err);
    if (status == DF_OK)
        status = write_ranks(s, cluster, members, order, n, err);
    free(key);
    free(order);
    pthread_mutex_lock(&s->lock);
    s->n_done += n;
    df_run_progress(s->run, "select", s->n_done, df_members_left(&s->members, 0));
    pthread_mutex_unlock(&s->lock);
    return status;
}

df_status df_select_rank(df_selecting *s, df_error *err)
{
    s->members = (df_members){
        .n = s->n, .n_clusters = s->n_clusters, .run = s->run, .read = read_members, .ctx = s};
    DF_TRY(df_members_count_all(&s->members, err));
    DF_TRY(share_total(s, err));
    for (int64_t from = 0; from < s->n_clusters; from = s->members.to) {
        DF_TRY(df_members_load(&s->members, from, err));
        DF_TRY(df_pool_run(s->run->n_threads, s->members.to - from, rank_cluster, s, err));
    }
    return DF_OK;
}
