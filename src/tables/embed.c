#include "tables/embed.h"

static const df_column embed_columns[] = {
    [DF_EMBED_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_EMBED_PHASH] = {"phash", DF_COLUMN_INT,
                        "64-bit difference hash of the picture; null when there are no pixels"},
    [DF_EMBED_PROBLEM] =
        {"problem", DF_COLUMN_TEXT,
         "null: it has a vector; else `not a number` (or infinite), `zero`, `infinite` (a vector "
         "of `embed.from`), or why there was nothing to take it from: `missing`, `unreadable`, "
         "`truncated`, `changed`, `not fetched`"},
    [DF_EMBED_COLUMNS] = {0},
};
const df_table_type df_embed_table = {
    .name = "embed",
    .about = "one row per image that filter kept; the vectors are in `part-00000.npy`",
    .columns = embed_columns,
    .passed = "problem IS NULL",
    .why = "problem",
};
