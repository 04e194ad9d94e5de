#include "tables/tag.h"

static const df_column tag_columns[] = {
    [DF_TAG_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_TAG_TAG] = {"tag", DF_COLUMN_TEXT, "what the image shows"},
    [DF_TAG_SCORE] = {"score", DF_COLUMN_REAL, "in [0, 1]"},
    [DF_TAG_SOURCE] = {"source", DF_COLUMN_TEXT, "name of the model card"},
    [DF_TAG_COLUMNS] = {0},
};
const df_table_type df_tag_table = {
    .name = "tag",
    .about = "any number of rows per image, by falling score",
    .columns = tag_columns,
};
