/* What `look` writes: evidence. */
#ifndef DF_TABLES_LOOK_H
#define DF_TABLES_LOOK_H
#include "dataset/table.h"

/* The image, its nine cells, its boxes. */
enum {
    DF_LOOK_ROW,
    DF_LOOK_KIND,
    DF_LOOK_ITEM,
    DF_LOOK_COLOURS,
    DF_LOOK_SHARES,
    DF_LOOK_BRIGHTNESS,
    DF_LOOK_CONTRAST,
    DF_LOOK_SATURATION,
    DF_LOOK_DETAIL,
    DF_LOOK_COLUMNS
};
extern const df_table_type df_look_table;
#endif
