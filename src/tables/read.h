/* What `read` writes: evidence. */
#ifndef DF_TABLES_READ_H
#define DF_TABLES_READ_H
#include "dataset/table.h"

/* Any number of rows per image, in reading order. */
enum {
    DF_READ_ROW,
    DF_READ_TEXT,
    DF_READ_SCORE,
    DF_READ_X0,
    DF_READ_Y0,
    DF_READ_X1,
    DF_READ_Y1,
    DF_READ_X2,
    DF_READ_Y2,
    DF_READ_X3,
    DF_READ_Y3,
    DF_READ_PARAGRAPH,
    DF_READ_COLUMNS
};
extern const df_table_type df_read_table;
#endif
