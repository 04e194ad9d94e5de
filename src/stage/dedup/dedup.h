/* What the halves of dedup share. Its working memory is on disk, a record per vector, so that any
 * number fits: dedup/part-items.partial (what the tables say), part-found.partial (what was found),
 * part-hashes.partial (what is sorted), part-state.partial (how far it is: a killed run goes on
 * from there). */
#ifndef DF_STAGE_DEDUP_DEDUP_H
#define DF_STAGE_DEDUP_DEDUP_H
#include <limits.h>
#include "dataset/vectors.h"
#include "io/records.h"
#include "stage/stage.h"
#include "vector/semdedup.h"

typedef struct {
    char *rule, *keep;                       /* semdedup | group; farthest | nearest | random */
    double eps, hash_eps;
    int64_t seed, hash_distance, memory;
} df_dedup_config;

typedef struct {
    int64_t place;                           /* df_place_pack */
    int64_t pixels, bytes;                   /* of the upright image in the file, of the file */
    uint64_t hash;
    double to_centroid;                      /* cosine */
    int32_t cluster;
    int32_t hashed;                          /* 1: the hash tells something */
} df_dedup_item;

typedef enum { DF_FOUND_KEPT, DF_FOUND_SIMILAR, DF_FOUND_COPY } df_dedup_kind;
typedef struct {
    int64_t nearest;                         /* index of a vector plus one; 0: none */
    float similarity;
    int16_t kind, hash_distance;
} df_dedup_found;

typedef struct {
    df_dataset *ds;
    const df_dedup_config *config;
    const df_run *run;
    df_vectors *vectors;
    int64_t n;                               /* vectors */
    int dim;
    double eps;                              /* the option's or the card's */
    df_keep keep;
    bool group;
    df_records *items, *found;
    /* part-state.partial */
    int64_t n_clusters;                      /* 0: the items are not ready */
    int64_t copies_done;                     /* 1: the hashes are compared */
    int64_t next_cluster;                    /* those below are compared */
} df_dedup;

/* Fills `items` from the tables of embed, cluster and ingest, which must tell of the same vectors.
 * Sets n_clusters. */
df_status df_dedup_make_items(df_dedup *d, df_error *err);
/* Finds copies by hash: writes `found`. */
df_status df_dedup_find_copies(df_dedup *d, df_error *err);
/* Compares what is no copy within each cluster from next_cluster on: writes `found`, saves the
 * state as it goes. */
df_status df_dedup_find_similar(df_dedup *d, df_error *err);
/* Opens `items` and `found`, with what another run left where it is sound. */
df_status df_dedup_open_records(df_dedup *d, df_error *err);
void df_dedup_close_records(df_dedup *d);
/* Bytes for the vectors, or for the hashes, that are compared at a time. */
size_t df_dedup_memory(const df_dedup *d);
enum { DF_DEDUP_NAME = 64 };
/* dedup/part-WHAT.partial. */
const char *df_dedup_name(const char *what, char name[DF_DEDUP_NAME]);
/* Syncs `items` and `found`, then writes the state. */
df_status df_dedup_save(const df_dedup *d, df_error *err);
#endif
