/* What the page shows of clusters and duplicates: bounded counts and samples, whatever the size of
 * the dataset. */
#ifndef DF_STAGE_REPORT_CLUSTERS_H
#define DF_STAGE_REPORT_CLUSTERS_H
#include "base/str.h"
#include "stage/report/thumbs.h"

typedef struct {
    int64_t clusters, members, pairs;
} df_report_clusters_config;

/* Appends "densefusion.setClusters({...});"; nothing where cluster or dedup has not done every
 * part. */
df_status df_report_clusters(df_str *out, df_thumbs *thumbs,
                             const df_report_clusters_config *config, df_error *err);
#endif
