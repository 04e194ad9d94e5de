/* What k-means has reached, in cluster/work: any process, on any machine, goes on from there.
 *
 *     made.txt                 options and vectors that it is made from; other ones begin anew
 *     00003.npy                centroids after 3 rounds, float32 [k, dim]; the latest counts; gone
 * when centroids.npy is there 00003.0-9.sums           parts 0 to 9 assigned to them and summed up:
 * the map half of the 4th round cluster/centroids.npy    the last ones
 */
#ifndef DF_STAGE_CLUSTER_WORK_H
#define DF_STAGE_CLUSTER_WORK_H
#include "dataset/vectors.h"
#include "stage/stage.h"
#include "vector/kmeans.h"

typedef struct {
    /* sample: training vectors a centroid, 0: all; memory: MiB */
    int64_t k, iters, sample, seed, memory;
    char *start;                             /* sample | plusplus */
} df_cluster_config;

/* The vectors that k-means is trained on: all, or a sample; of all parts, or of some. */
typedef struct {
    const df_vectors *vectors;
    int64_t n, m;                            /* vectors; how many of them train */
    uint64_t seed;
    int64_t *first, *end; /* [n_ranges]: training rows of each range of parts */
    int n_ranges;
    df_rows rows;
} df_training;

typedef struct {
    df_dataset *ds;
    const df_cluster_config *config;
    const df_run *run;
    df_vectors *vectors;
    int64_t n;
    int k, d;
    int round; /* of the latest centroids; -1: none yet */
    bool finished; /* centroids.npy is of this making */
    float *centroid; /* [k][d]: the latest */
} df_cluster_work; /* all-zero is closeable */

/* fresh: begins anew when what is there was made otherwise; else DF_FORMAT says what to do. */
df_status df_cluster_work_open(df_cluster_work *w, df_dataset *ds, const df_cluster_config *config,
                               const df_run *run, bool fresh, df_error *err);
void df_cluster_work_close(df_cluster_work *w);
bool df_cluster_work_finished(const df_dataset *ds);
/* Calls visit with the name of each entry of cluster/work, in any order, until one fails. A folder
 * that does not exist is empty; one that cannot be listed is DF_IO. */
typedef df_status df_cluster_work_visit(void *ctx, const char *name, df_error *err);
df_status df_cluster_work_list(const df_dataset *ds, df_cluster_work_visit *visit, void *ctx,
                               df_error *err);
/* Draws the first centroids unless there are some. */
df_status df_cluster_work_start(df_cluster_work *w, df_error *err);
/* `centroid` are those of round + 1: writes them; they are the last when nothing changed or iters
 * is reached. */
df_status df_cluster_work_advance(df_cluster_work *w, const float *centroid, df_error *err);
/* parts NULL: all. */
df_status df_training_init(df_training *t, const df_cluster_work *w, const int *parts, int n_parts,
                           df_error *err);
void df_training_free(df_training *t);

/* The map half's result for some parts; reading adds to sum and count, and marks seen[part]. */
df_status df_cluster_work_write_sums(const df_cluster_work *w, const int *parts, int n_parts,
                                     const int64_t *sum, const int64_t *count, df_error *err);
df_status df_cluster_work_read_sums(const df_cluster_work *w, int64_t *sum, int64_t *count,
                                    df_error *err);
#endif
