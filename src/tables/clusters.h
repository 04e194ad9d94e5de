/* Looking at what embed, cluster, dedup and select made of a dataset: queries over their tables,
 * whose results are small however large the dataset is. */
#ifndef DF_TABLES_CLUSTERS_H
#define DF_TABLES_CLUSTERS_H
#include "dataset/dataset.h"

/* The largest clusters: cluster, members, similarity (mean cosine to the centroid), removed (by
 * dedup), selected, part, row, path (of the member nearest to the centroid). removed and selected
 * are null where `select` has not run. */
df_status df_clusters_largest(const df_dataset *ds, int64_t limit, df_table **out, df_error *err);

/* Members by falling cosine to their centroid: cluster, part, row, path, similarity, reason (why
 * dedup or select dropped it; null: neither did), rank (of select; null: none), nearest_part,
 * nearest_row, nearest_path, nearest_similarity (dedup's). clusters: [n] whose members are asked
 * for, at most `limit` of each. */
df_status df_clusters_members(const df_dataset *ds, const int64_t *clusters, int64_t n,
                              int64_t limit, df_table **out, df_error *err);

enum { DF_SIMILARITY_BINS = 200 };
/* How similar each image is to the nearest earlier one of its cluster, as dedup stored it. */
typedef struct {
    /* bin i: above i / 100 - 1, up to (i + 1) / 100 - 1; no copies */
    int64_t bins[DF_SIMILARITY_BINS];
    /* have none: first of its cluster, removed as a copy, nothing to compare */
    int64_t n_first, n_copies, n_no_vector;
    int64_t n_kept, n_similar;
    /* the line is between them; -1 and 1 where there are none */
    double highest_kept, lowest_removed;
} df_similarities;
df_status df_clusters_similarities(const df_dataset *ds, df_similarities *out, df_error *err);

/* How many images would stay with another eps: exact for dedup.rule=semdedup. eps, kept: [n]. */
df_status df_clusters_sweep(const df_dataset *ds, const double *eps, int n, int64_t *kept,
                            df_error *err);

/* Pairs from all over the scale, at most `per_bin` copies and as many others of each hundredth, by
 * falling similarity: part, row, path, nearest_part, nearest_row, nearest_path, similarity, reason
 * (null: kept; similar, copy), hash_distance. */
df_status df_clusters_pairs(const df_dataset *ds, int64_t per_bin, double least, df_table **out,
                            df_error *err);
#endif
