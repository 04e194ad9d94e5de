/* The two halves of a round of k-means as commands of their own, so that machines can share it.
 * docs/SCALE.md. */
#ifndef DF_STAGE_CLUSTER_CLUSTER_H
#define DF_STAGE_CLUSTER_CLUSTER_H
#include "stage/stage.h"

/* Assigns the vectors of run->parts (NULL: all) to the latest centroids and leaves their sums
 * beside them. The first call draws the first centroids; machines that start together all draw the
 * same. *finished: there is no more to do. */
df_status df_cluster_map(df_dataset *ds, const void *config, const df_run *run, bool *finished,
                         df_error *err);
/* Adds up what was mapped, which must be all parts, and moves the centroids. round: how many there
 * were, -1 when it had finished before. */
df_status df_cluster_reduce(df_dataset *ds, const void *config, const df_run *run, int *round,
                            bool *finished, df_error *err);
#endif
