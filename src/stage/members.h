/* What is in each cluster, for stages that go through clusters while the tables are in row order:
 * as many clusters at a time as fit into bounded memory, however many rows there are. */
#ifndef DF_STAGE_MEMBERS_H
#define DF_STAGE_MEMBERS_H
#include "stage/stage.h"

enum { DF_CLUSTERS_MAX = 1 << 24 }; /* a cluster's number is below it */
/* rows read at a time; members in memory: 96 MiB */
enum { DF_MEMBERS_READ = 1 << 14, DF_MEMBERS_MAX = 1 << 22 };
typedef struct {
    int64_t index, place;
    double key;
} df_member; /* place: df_place_pack */

typedef struct {
    int64_t n, n_clusters; /* rows; clusters are 0 .. n_clusters - 1 */
    const df_run *run;
    /* Rows [first, first + n), n <= DF_MEMBERS_READ; cluster -1: in none. */
    df_status (*read)(void *ctx, int64_t first, int64_t n, int32_t *cluster, df_member *members,
                      df_error *err);
    void *ctx;
    /* the rest is ours */
    int64_t *first; /* [n_clusters + 1]: members of the clusters before */
    df_member *members; /* of clusters [from, to) */
    int64_t from, to;
} df_members; /* fill the first half */

df_status df_members_count_all(df_members *m, df_error *err); /* first of all: 8 bytes a cluster */
void df_members_free(df_members *m);
int64_t df_members_count(const df_members *m, int64_t cluster);
/* members of the clusters from `from` on */
int64_t df_members_left(const df_members *m, int64_t from);
/* Clusters [from, m->to): as many as hold DF_MEMBERS_MAX, one at least. */
df_status df_members_load(df_members *m, int64_t from, df_error *err);
/* In row order; of a cluster that is loaded. */
const df_member *df_members_of(const df_members *m, int64_t cluster, int64_t *n);
#endif
