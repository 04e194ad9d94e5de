#include "tables/look.h"

static const df_column look_columns[] = {
    [DF_LOOK_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_LOOK_KIND] = {"kind", DF_COLUMN_TEXT, "`image`, `cell` or `box`"},
    [DF_LOOK_ITEM] =
        {"item", DF_COLUMN_INT,
         "0; 0..8 row by row in a 3x3 grid; index of the box among its image's rows in `detect`"},
    [DF_LOOK_COLOURS] = {"colours", DF_COLUMN_TEXTS,
                         "names of the colours, the largest first, at most 4"},
    [DF_LOOK_SHARES] = {"shares", DF_COLUMN_REALS, "share of each colour, in [0, 1]"},
    [DF_LOOK_BRIGHTNESS] = {"brightness", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_LOOK_CONTRAST] = {"contrast", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_LOOK_SATURATION] = {"saturation", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_LOOK_DETAIL] = {"detail", DF_COLUMN_REAL, "in [0, 1]: 0 even, 1 busy or sharp"},
    [DF_LOOK_COLUMNS] = {0},
};
const df_table_type df_look_table = {
    .name = "look",
    .about = "the image, its nine cells, its boxes",
    .columns = look_columns,
};
