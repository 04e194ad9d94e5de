/* Spherical k-means over streamed rows: what is kept in memory, the pass that assigns rows, and the
 * move to new centroids. */
#include "vector/kmeans.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/pool.h"
#include "vector/kmeans_state.h"

/* ---- open and close ---- */

static void close_locks(df_kmeans *km)
{
    for (int i = 0; i < DF_KMEANS_LOCKS; i++)
        pthread_mutex_destroy(&km->lock[i]);
    pthread_mutex_destroy(&km->progress_lock);
}

void df_kmeans_close(df_kmeans *km)
{
    if (!km)
        return;
    for (int t = 0; km->blocks && t < km->options.n_threads; t++)
        df_kmeans_block_free(&km->blocks[t]);
    free(km->blocks);
    df_quantised_free(&km->panels);
    free(km->centroid);
    free(km->mean);
    free(km->position);
    free(km->sum);
    free(km->count);
    free(km->assign);
    free(km->row);
    free(km->code);
    free(km->bound);
    free(km->drift);
    close_locks(km);
    free(km);
}

static void mean_of(const float *centroid, int k, int d, float *mean)
{
    for (int i = 0; i < d; i++) {
        double sum = 0;
        for (int c = 0; c < k; c++)
            sum += centroid[(size_t)c * (size_t)d + (size_t)i];
        mean[i] = (float)(sum / k);
    }
}

/* Allocates n items if they fit into what is left of the memory budget. NULL means that they are
 * recomputed each round. */
static void *keep(size_t n, size_t size, size_t *left)
{
    if (n > *left / size)
        return NULL;
    void *kept = aligned_alloc(64, (n * size + 63) / 64 * 64);
    *left -= kept ? n * size : 0;
    return kept;
}

/* with fewer groups, each bound covers so many centroids that it prunes nothing */
enum { FEWEST_GROUPS = 4 };

/* Spends the memory budget on what saves most time. Assignments come first (a row's own centroid
 * gives the threshold to beat), then bounds, with as few panels in a group as fit, then codes. */
static void keep_state(df_kmeans *km)
{
    size_t left = km->options.memory, n = (size_t)km->rows->n, stride = (size_t)km->panels.stride;
    km->assign = keep(n, sizeof *km->assign, &left);
    int panels = (km->k + DF_LANES - 1) / DF_LANES;
    for (int per_group = 1; km->assign && panels / per_group >= FEWEST_GROUPS && !km->bound;
         per_group *= 2) {
        int groups = (panels + per_group - 1) / per_group;
        size_t stride_groups = ((size_t)groups + 7) / 8 * 8, share = left / 4 * 3;
        km->bound = keep(n * stride_groups, sizeof *km->bound, &share);
        if (!km->bound)
            continue;
        left -= n * stride_groups * sizeof *km->bound;
        km->bound_stride = stride_groups;
        km->group_panels = per_group;
        km->n_groups = groups;
        km->groups_padded = (groups + 63) / 64 * 64;
    }
    size_t before = left;
    km->row = km->assign ? keep(n, sizeof *km->row, &left) : NULL;
    km->code = km->row ? keep(n, stride, &left) : NULL;
    if (!km->code) {
        free(km->row);
        km->row = NULL;
        left = before;
    }
    for (size_t i = 0; km->assign && i < n; i++)
        km->assign[i] = -1;
}

static df_status allocate(df_kmeans *km, df_error *err)
{
    size_t k = (size_t)km->k, d = (size_t)km->d;
    km->centroid = malloc(k * d * sizeof *km->centroid);
    km->mean = malloc(d * sizeof *km->mean);
    km->position = malloc(k * sizeof *km->position);
    km->sum = calloc(k * d, sizeof *km->sum);
    km->count = calloc(k, sizeof *km->count);
    km->blocks = calloc((size_t)km->options.n_threads, sizeof *km->blocks);
    if (!km->centroid || !km->mean || !km->position || !km->sum || !km->count || !km->blocks)
        return df_fail(err, DF_NOMEM, "k-means: %d centroids of %d dimensions do not fit in memory",
                       km->k, km->d);
    return DF_OK;
}

static df_status fill_panels(df_kmeans *km, const int32_t *order, df_error *err)
{
    DF_TRY(df_quantised_fill(&km->panels, km->simd, km->centroid, km->k, order, err));
    for (int p = 0; p < km->k; p++)
        km->position[km->panels.order[p]] = p;
    return DF_OK;
}

/* Makes room, copies the centroids, and codes them in panels of 16. */
static df_status prepare_state(df_kmeans *km, const float *centroid, df_error *err)
{
    DF_TRY(allocate(km, err));
    memcpy(km->centroid, centroid, (size_t)km->k * (size_t)km->d * sizeof *centroid);
    mean_of(centroid, km->k, km->d, km->mean);
    DF_TRY(df_quantised_init(&km->panels, km->k, km->d, km->mean, err));
    km->group_panels = 1;
    km->n_groups = (km->k + DF_LANES - 1) / DF_LANES;
    km->groups_padded = (km->n_groups + 63) / 64 * 64;
    keep_state(km);
    km->drift = calloc((size_t)km->groups_padded, sizeof *km->drift);
    if (!km->drift)
        return df_no_memory(err, "k-means");
    DF_TRY(fill_panels(km, NULL, err));
    for (int t = 0; t < km->options.n_threads; t++)
        DF_TRY(df_kmeans_block_init(&km->blocks[t], km, err));
    return DF_OK;
}

df_status df_kmeans_open(df_kmeans **out, const df_rows *rows, const float *centroid, int k,
                         const df_kmeans_options *options, df_error *err)
{
    if (k < 1 || rows->d < 1)
        return df_fail(err, DF_CONFIG, "k-means: %d clusters of %d dimensions", k, rows->d);
    df_kmeans *km = calloc(1, sizeof *km);
    if (!km)
        return df_no_memory(err, "k-means");
    km->simd = df_simd_best();
    km->rows = rows;
    km->options = *options;
    km->options.n_threads = options->n_threads < 1 ? 1 : options->n_threads;
    km->k = k;
    km->d = rows->d;
    for (int i = 0; i < DF_KMEANS_LOCKS; i++)
        pthread_mutex_init(&km->lock[i], NULL);
    pthread_mutex_init(&km->progress_lock, NULL);
    df_status status = prepare_state(km, centroid, err);
    if (status == DF_OK)
        *out = km;
    else
        df_kmeans_close(km);
    return status;
}

const int64_t *df_kmeans_sums(const df_kmeans *km)
{
    return km->sum;
}
const int64_t *df_kmeans_counts(const df_kmeans *km)
{
    return km->count;
}
const float *df_kmeans_centroids(const df_kmeans *km)
{
    return km->centroid;
}

/* ---- a pass over all rows ---- */

/* Assigns one block of rows and adds it to the sums. A thread of the pool. */
static df_status assign_block(void *ctx, int64_t item, int thread, df_error *err)
{
    df_kmeans *km = ctx;
    df_kmeans_block *b = &km->blocks[thread];
    int64_t first = item * DF_MAX_DOT_ROWS, left = km->rows->n - first;
    int n = (int)(left < DF_MAX_DOT_ROWS ? left : DF_MAX_DOT_ROWS);
    if (km->options.stop && atomic_load(km->options.stop))
        return df_stopped(err);
    DF_TRY(df_kmeans_block_search(b, first, n, false, err));
    DF_TRY(df_kmeans_block_add(b, err));
    pthread_mutex_lock(&km->progress_lock);
    km->n_done += n;
    if (km->options.progress)
        km->options.progress(km->options.ctx, km->n_done, km->rows->n);
    pthread_mutex_unlock(&km->progress_lock);
    return DF_OK;
}

/* What must be true after every row has its centroid: each row is counted once. */
static bool __attribute__((unused)) counts_add_up(const df_kmeans *km)
{
    int64_t n = 0;
    for (int c = 0; c < km->k; c++) {
        if (km->count[c] < 0)
            return false;
        n += km->count[c];
    }
    return n == km->rows->n;
}

static void report(const df_kmeans *km, df_kmeans_pass *pass, double seconds)
{
    *pass =
        (df_kmeans_pass){.n_rows = km->rows->n, .n_pairs = km->rows->n * km->k, .seconds = seconds};
    for (int t = 0; t < km->options.n_threads; t++) {
        const df_kmeans_block *b = &km->blocks[t];
        pass->n_moved += b->pass.n_moved;
        pass->n_looked += b->pass.n_looked;
        pass->n_rechecked += b->pass.n_rechecked;
        pass->n_exact += b->search->n_exact;
    }
}

df_status df_kmeans_assign(df_kmeans *km, df_kmeans_pass *pass, df_error *err)
{
    double start = df_now_s();
    if (!km->assign) {
        memset(km->sum, 0, (size_t)km->k * (size_t)km->d * sizeof *km->sum);
        memset(km->count, 0, (size_t)km->k * sizeof *km->count);
    }
    for (int t = 0; t < km->options.n_threads; t++) {
        km->blocks[t].pass = (df_kmeans_pass){0};
        km->blocks[t].search->n_exact = 0;
    }
    km->n_done = 0;
    int64_t n_blocks = (km->rows->n + DF_MAX_DOT_ROWS - 1) / DF_MAX_DOT_ROWS;
    DF_TRY(df_pool_run(km->options.n_threads, n_blocks, assign_block, km, err));
    km->coded = km->code != NULL;
    km->bounded = km->bound && km->rounds > 0;
    for (int t = 0; t < km->options.n_threads; t++)
        km->longest = fmaxf(km->longest, km->blocks[t].longest);
    assert(counts_add_up(km));
    if (pass)
        report(km, pass, df_now_s() - start);
    return DF_OK;
}

/* ---- new centroids ---- */

/* How much the dot product of any row with a centroid can grow when the centroid moves, in steps of
 * 1 / 4096. x.(new - old) = (x - mean).(new - old) + mean.(new - old) is at most longest * |new -
 * old| + mean.(new - old). */
static int drift_steps(const df_kmeans *km, const float *from, const float *to)
{
    double square = 0, along = 0;
    for (int i = 0; i < km->d; i++) {
        double moved = (double)to[i] - from[i];
        square += moved * moved;
        along += moved * km->mean[i];
    }
    double most = sqrt(square) * km->longest * 1.00001 + along;
    return most <= 0 ? 0 : (int)ceil(fmin(most, 8) * (double)DF_BOUND_STEPS);
}

/* Adds to each group's drift the largest move of its centroids, so that the kept bounds stay upper
 * bounds. */
static void add_drift(df_kmeans *km, const float *centroid)
{
    int positions = km->group_panels * DF_LANES;
    for (int group = 0; group < km->n_groups; group++) {
        int most = 0;
        for (int p = group * positions; p < (group + 1) * positions && p < km->k; p++) {
            size_t at = (size_t)km->panels.order[p] * (size_t)km->d;
            int steps = drift_steps(km, km->centroid + at, centroid + at);
            most = steps > most ? steps : most;
        }
        int sum = km->drift[group] + most;
        km->drift[group] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum);
    }
}

/* Puts similar centroids side by side in the panels. This is done once, after the first round: then
 * centroids are means of clusters, and neighbours stay alike. */
static df_status arrange(df_kmeans *km, df_error *err)
{
    int32_t *order = malloc((size_t)km->k * sizeof *order);
    df_status status =
        order ? df_kmeans_order(km->simd, km->centroid, km->count, km->k, km->d, order, err)
              : df_no_memory(err, "k-means");
    if (status == DF_OK)
        status = fill_panels(km, order, err);
    free(order);
    km->bounded = false;
    return status;
}

df_status df_kmeans_move(df_kmeans *km, const float *centroid, df_error *err)
{
    if (km->bounded)
        add_drift(km, centroid);
    memcpy(km->centroid, centroid, (size_t)km->k * (size_t)km->d * sizeof *centroid);
    if (++km->rounds == 1 && km->bound)
        return arrange(km, err);
    int32_t *order = malloc((size_t)km->k * sizeof *order);
    if (!order)
        return df_no_memory(err, "k-means");
    memcpy(order, km->panels.order, (size_t)km->k * sizeof *order);
    df_status status = fill_panels(km, order, err);
    free(order);
    return status;
}

typedef struct {
    df_kmeans *km;
    int64_t first, n;
    int32_t *cluster;
    float *similarity;
} labelling;

static df_status label_block(void *ctx, int64_t item, int thread, df_error *err)
{
    const labelling *l = ctx;
    df_kmeans_block *b = &l->km->blocks[thread];
    int64_t at = item * DF_MAX_DOT_ROWS;
    int n = (int)(l->n - at < DF_MAX_DOT_ROWS ? l->n - at : DF_MAX_DOT_ROWS);
    DF_TRY(df_kmeans_block_search(b, l->first + at, n, true, err));
    for (int r = 0; r < n; r++)
        assert(b->search->best[r] >= 0 && b->search->best[r] < l->km->k);
    memcpy(l->cluster + at, b->search->best, (size_t)n * sizeof *l->cluster);
    memcpy(l->similarity + at, b->search->best_dot, (size_t)n * sizeof *l->similarity);
    return DF_OK;
}

df_status df_kmeans_label(df_kmeans *km, int64_t first, int64_t n, int32_t *cluster,
                          float *similarity, df_error *err)
{
    labelling l = {km, first, n, cluster, similarity};
    return df_pool_run(km->options.n_threads, (n + DF_MAX_DOT_ROWS - 1) / DF_MAX_DOT_ROWS,
                       label_block, &l, err);
}
