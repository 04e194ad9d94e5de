#include "tables/read.h"

static const df_column read_columns[] = {
    [DF_READ_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_READ_TEXT] = {"text", DF_COLUMN_TEXT, "one line of text"},
    [DF_READ_SCORE] = {"score", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_READ_X0] = {"x0", DF_COLUMN_REAL,
                    "corners of the text, clockwise from its top left, pixels"},
    [DF_READ_Y0] = {"y0", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_X1] = {"x1", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_Y1] = {"y1", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_X2] = {"x2", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_Y2] = {"y2", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_X3] = {"x3", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_Y3] = {"y3", DF_COLUMN_REAL, "as `x0`"},
    [DF_READ_PARAGRAPH] = {"paragraph", DF_COLUMN_INT,
                           "0, 1, ... of the image; its lines follow each other"},
    [DF_READ_COLUMNS] = {0},
};
const df_table_type df_read_table = {
    .name = "read",
    .about = "any number of rows per image, in reading order",
    .columns = read_columns,
};
