#include "tables/dedup.h"

static const df_column dedup_columns[] = {
    [DF_DEDUP_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_DEDUP_KEPT] = {"kept", DF_COLUMN_BOOL, "it stays in the dataset"},
    [DF_DEDUP_REASON] =
        {"reason", DF_COLUMN_TEXT,
         "null when kept; else `similar` (like an earlier image of its cluster), `copy` (of an "
         "image anywhere, by perceptual hash), `no vector`"},
    [DF_DEDUP_NEAREST_PART] =
        {"nearest_part", DF_COLUMN_INT,
         "part of the image that suppressed a removed one; of a kept one: of the earlier image of "
         "its cluster that it is most like; null when it is the first there"},
    [DF_DEDUP_NEAREST_ROW] = {"nearest_row", DF_COLUMN_INT, "row of that image"},
    [DF_DEDUP_SIMILARITY] = {"similarity", DF_COLUMN_REAL, "cosine of the two"},
    [DF_DEDUP_HASH_DISTANCE] = {"hash_distance", DF_COLUMN_INT,
                                "bits of the perceptual hashes that differ; null unless `copy`"},
    [DF_DEDUP_COLUMNS] = {0},
};
const df_table_type df_dedup_table = {
    .name = "dedup",
    .about = "one row per row of embed",
    .per_image = true,
    .columns = dedup_columns,
    .passed = "kept",
    .why = "reason",
    .decides = DF_DEDUP_KEPT,
    .reason = DF_DEDUP_REASON,
};
