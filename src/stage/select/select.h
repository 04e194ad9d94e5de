/* What the parts of select share. Its working memory is OUT/select/part-items.partial, a record per
 * vector. */
#ifndef DF_STAGE_SELECT_SELECT_H
#define DF_STAGE_SELECT_SELECT_H
#include <pthread.h>
#include "dataset/vectors.h"
#include "io/records.h"
#include "stage/members.h"

typedef struct {
    int64_t per_cluster, total;
    char *by, *scores;
} df_select_config;

typedef enum {
    DF_BY_NEAREST,
    DF_BY_FARTHEST,
    DF_BY_RESOLUTION,
    DF_BY_QUALITY,
    DF_BY_SCORE,
    DF_BY_BALANCED,
    DF_BY_COUNT
} df_ranking;

/* On disk, one per vector. */
typedef struct {
    int64_t place, rank; /* rank 1: the first of its cluster */
    double key;
    int32_t cluster; /* -1: did not survive dedup */
    int32_t limit; /* which it is above */
} df_select_item;
enum { DF_LIMIT_NONE, DF_LIMIT_CLUSTER, DF_LIMIT_TOTAL };

typedef struct {
    df_dataset *ds;
    const df_select_config *config;
    const df_run *run;
    df_ranking by;
    df_vectors *vectors;
    df_records *items;
    int64_t n, n_clusters, quota; /* quota of `total` per cluster */
    df_members members; /* the survivors */
    bool *one_more; /* [n_clusters]: gives one above the quota */
    df_select_item *chunk; /* [DF_MEMBERS_READ] */
    int64_t n_done;
    pthread_mutex_t lock; /* of n_clusters, n_done and progress */
} df_selecting;

/* Fills `items` from the tables of ingest, cluster and dedup; sets n_clusters. */
df_status df_select_make_items(df_selecting *s, df_error *err);
/* Ranks the survivors of each cluster and marks those above a limit in `items`. */
df_status df_select_rank(df_selecting *s, df_error *err);
#endif
