#include "tables/select.h"

static const df_column select_columns[] = {
    [DF_SELECT_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_SELECT_KEPT] = {"kept", DF_COLUMN_BOOL, "it stays in the dataset"},
    [DF_SELECT_REASON] =
        {"reason", DF_COLUMN_TEXT,
         "null when kept; else `rank` (above `select.per_cluster`), `total` (above what "
         "`select.total` leaves for its cluster)"},
    [DF_SELECT_CLUSTER] = {"cluster", DF_COLUMN_INT, "as in cluster"},
    [DF_SELECT_RANK] = {"rank", DF_COLUMN_INT, "1: the first of its cluster"},
    [DF_SELECT_KEY] = {"key", DF_COLUMN_REAL,
                       "what it is ranked by, the highest first: `select.by`; null: no score"},
    [DF_SELECT_COLUMNS] = {0},
};
const df_table_type df_select_table = {
    .name = "select",
    .about = "one row per row that dedup kept",
    .per_image = true,
    .columns = select_columns,
    .passed = "kept",
    .why = "reason",
    .decides = DF_SELECT_KEPT,
    .reason = DF_SELECT_REASON,
};
