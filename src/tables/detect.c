#include "tables/detect.h"

static const df_column detect_columns[] = {
    [DF_DETECT_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_DETECT_LABEL] = {"label", DF_COLUMN_TEXT,
                         "what the box holds (of an open-set model: the tag it was asked for)"},
    [DF_DETECT_SCORE] = {"score", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_DETECT_X0] = {"x0", DF_COLUMN_REAL, "left side, pixels"},
    [DF_DETECT_Y0] = {"y0", DF_COLUMN_REAL, "top side"},
    [DF_DETECT_X1] = {"x1", DF_COLUMN_REAL, "right side"},
    [DF_DETECT_Y1] = {"y1", DF_COLUMN_REAL, "bottom side"},
    [DF_DETECT_SOURCE] = {"source", DF_COLUMN_TEXT, "name of the model card"},
    [DF_DETECT_COLUMNS] = {0},
};
const df_table_type df_detect_table = {
    .name = "detect",
    .about = "any number of rows per image, by model, then falling score",
    .columns = detect_columns,
};
