#include "tables/check.h"

static const df_column check_columns[] = {
    [DF_CHECK_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CHECK_VERDICT] = {"verdict", DF_COLUMN_TEXT, "`pass` or `fail`"},
    [DF_CHECK_REASONS] = {"reasons", DF_COLUMN_TEXT, "codes joined by `; `, empty when it passes"},
    [DF_CHECK_DETAIL] = {"detail", DF_COLUMN_TEXT, "the same with the words that gave the reason"},
    [DF_CHECK_WORDS] = {"words", DF_COLUMN_INT, "of the caption"},
    [DF_CHECK_TEXT_RECALL] =
        {"text_recall", DF_COLUMN_REAL,
         "share of the text lines that the caption tells; null when there are none"},
    [DF_CHECK_OBJECT_RECALL] = {"object_recall", DF_COLUMN_REAL,
                                "share of the objects that it tells; null when there are none"},
    [DF_CHECK_REPETITION] = {"repetition", DF_COLUMN_REAL,
                             "share of four-word runs that came before"},
    [DF_CHECK_OBJECTS_NAMED] = {"objects_named", DF_COLUMN_INT, "things that the caption names"},
    [DF_CHECK_OBJECTS_INVENTED] = {"objects_invented", DF_COLUMN_INT,
                                   "those of them that no evidence holds"},
    [DF_CHECK_SUPPORT] =
        {"support", DF_COLUMN_TEXT,
         "JSON: `[[first byte, end byte, \"box\", item], ...]`, the parts of the caption that "
         "evidence supports (`box`, `line`, `tag`, `look`, `alt`), in order, not overlapping"},
    [DF_CHECK_COLUMNS] = {0},
};
const df_table_type df_check_table = {
    .name = "check",
    .about = "one row per caption",
    .columns = check_columns,
    .passed = "verdict = 'pass'",
    .why = "verdict",
};
