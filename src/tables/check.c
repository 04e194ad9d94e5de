#include "tables/check.h"

static const df_column check_columns[] = {
    [DF_CHECK_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CHECK_VERDICT] = {"verdict", DF_COLUMN_TEXT, "`pass` or `fail`"},
    [DF_CHECK_REASONS] = {"reasons", DF_COLUMN_TEXTS, "codes; none when it passes"},
    [DF_CHECK_DETAIL] = {"detail", DF_COLUMN_TEXTS,
                         "each reason with its words: `short: 2 words, at least 3`"},
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
    [DF_CHECK_COLUMNS] = {0},
};
const df_table_type df_check_table = {
    .name = "check",
    .about = "one row per caption",
    .per_image = true,
    .columns = check_columns,
    .passed = "verdict = 'pass'",
    .why = "verdict",
};

static const df_column check_support_columns[] = {
    [DF_CHECK_SUPPORT_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CHECK_SUPPORT_FIRST] = {"first_byte", DF_COLUMN_INT, "first byte of the part"},
    [DF_CHECK_SUPPORT_END] = {"end_byte", DF_COLUMN_INT, "byte after the last"},
    [DF_CHECK_SUPPORT_KIND] = {"kind", DF_COLUMN_TEXT, "`box`, `line`, `tag`, `look` or `alt`"},
    [DF_CHECK_SUPPORT_ITEM] = {"item", DF_COLUMN_INT,
                               "index of the evidence among its kind, as in `fuse/evidence`"},
    [DF_CHECK_SUPPORT_COLUMNS] = {0},
};
const df_table_type df_check_support_table = {
    .name = "check/support",
    .about = "the parts of a caption that evidence supports, in order, not overlapping",
    .columns = check_support_columns,
};
