/* What `dedup` writes: which images stay. */
#ifndef DF_TABLES_DEDUP_H
#define DF_TABLES_DEDUP_H
#include "dataset/table.h"

/* One row per row of embed. */
enum {
    DF_DEDUP_ROW,
    DF_DEDUP_KEPT,
    DF_DEDUP_REASON,
    DF_DEDUP_NEAREST_PART,
    DF_DEDUP_NEAREST_ROW,
    DF_DEDUP_SIMILARITY,
    DF_DEDUP_HASH_DISTANCE,
    DF_DEDUP_COLUMNS
};
extern const df_table_type df_dedup_table;
#endif
