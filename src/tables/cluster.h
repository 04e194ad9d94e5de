/* What `cluster` writes. */
#ifndef DF_TABLES_CLUSTER_H
#define DF_TABLES_CLUSTER_H
#include "dataset/table.h"

/* One row per vector, in row order. */
enum { DF_CLUSTER_ROW, DF_CLUSTER_CLUSTER, DF_CLUSTER_SIMILARITY, DF_CLUSTER_COLUMNS };
extern const df_table_type df_cluster_table;
#endif
