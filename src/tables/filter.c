#include "tables/filter.h"

static const df_column filter_columns[] = {
    [DF_FILTER_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_FILTER_KEPT] = {"kept", DF_COLUMN_BOOL, "it stays in the dataset"},
    [DF_FILTER_REASON] =
        {"reason", DF_COLUMN_TEXT,
         "null when kept; else `small`, `aspect`, `no size`, `unreadable`, `truncated`, `missing`, "
         "`not fetched`, `changed`, `duplicate`, `unsafe`"},
    [DF_FILTER_DETAIL] = {"detail", DF_COLUMN_TEXT,
                          "the words for it: \"short edge 300 px is below 448\""},
    [DF_FILTER_COLUMNS] = {0},
};
const df_table_type df_filter_table = {
    .name = "filter",
    .about = "one row per image",
    .per_image = true,
    .columns = filter_columns,
    .passed = "kept",
    .why = "reason",
    .decides = DF_FILTER_KEPT,
    .reason = DF_FILTER_REASON,
};
