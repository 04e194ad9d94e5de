#include "tables/cluster.h"

static const df_column cluster_columns[] = {
    [DF_CLUSTER_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CLUSTER_CLUSTER] = {"cluster", DF_COLUMN_INT, "0 .. clusters - 1"},
    [DF_CLUSTER_SIMILARITY] =
        {"similarity", DF_COLUMN_REAL,
         "cosine to the centroid of the cluster; no other centroid is nearer, of equally near ones "
         "it has the lowest number"},
    [DF_CLUSTER_COLUMNS] = {0},
};
const df_table_type df_cluster_table = {
    .name = "cluster",
    .about = "one row per vector, in row order",
    .per_image = true,
    .columns = cluster_columns,
};
