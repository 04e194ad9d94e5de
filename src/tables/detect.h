/* What `detect` writes: evidence. */
#ifndef DF_TABLES_DETECT_H
#define DF_TABLES_DETECT_H
#include "dataset/table.h"

/* Any number of rows per image, by model, then falling score. */
enum {
    DF_DETECT_ROW,
    DF_DETECT_LABEL,
    DF_DETECT_SCORE,
    DF_DETECT_X0,
    DF_DETECT_Y0,
    DF_DETECT_X1,
    DF_DETECT_Y1,
    DF_DETECT_SOURCE,
    DF_DETECT_COLUMNS
};
extern const df_table_type df_detect_table;
#endif
