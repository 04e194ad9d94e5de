/* What `select` writes: which images stay. */
#ifndef DF_TABLES_SELECT_H
#define DF_TABLES_SELECT_H
#include "dataset/table.h"

/* One row per row that dedup kept. */
enum {
    DF_SELECT_ROW,
    DF_SELECT_KEPT,
    DF_SELECT_REASON,
    DF_SELECT_CLUSTER,
    DF_SELECT_RANK,
    DF_SELECT_KEY,
    DF_SELECT_COLUMNS
};
extern const df_table_type df_select_table;
#endif
