/* What `check` writes. */
#ifndef DF_TABLES_CHECK_H
#define DF_TABLES_CHECK_H
#include "dataset/table.h"

/* One row per caption. */
enum {
    DF_CHECK_ROW,
    DF_CHECK_VERDICT,
    DF_CHECK_REASONS,
    DF_CHECK_DETAIL,
    DF_CHECK_WORDS,
    DF_CHECK_TEXT_RECALL,
    DF_CHECK_OBJECT_RECALL,
    DF_CHECK_REPETITION,
    DF_CHECK_OBJECTS_NAMED,
    DF_CHECK_OBJECTS_INVENTED,
    DF_CHECK_COLUMNS
};
extern const df_table_type df_check_table;

/* The parts of a caption that evidence supports, in order, not overlapping. */
enum {
    DF_CHECK_SUPPORT_ROW,
    DF_CHECK_SUPPORT_FIRST,
    DF_CHECK_SUPPORT_END,
    DF_CHECK_SUPPORT_KIND,
    DF_CHECK_SUPPORT_ITEM,
    DF_CHECK_SUPPORT_COLUMNS
};
extern const df_table_type df_check_support_table;
#endif
