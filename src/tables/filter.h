/* What `filter` writes: which images stay. */
#ifndef DF_TABLES_FILTER_H
#define DF_TABLES_FILTER_H
#include "dataset/table.h"

/* One row per image. */
enum { DF_FILTER_ROW, DF_FILTER_KEPT, DF_FILTER_REASON, DF_FILTER_DETAIL, DF_FILTER_COLUMNS };
extern const df_table_type df_filter_table;
#endif
