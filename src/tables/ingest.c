#include "tables/ingest.h"

static const df_column ingest_columns[] = {
    [DF_INGEST_ROW] = {"row", DF_COLUMN_INT, "0, 1, ... within the part"},
    [DF_INGEST_PATH] =
        {"path", DF_COLUMN_TEXT,
         "what a user calls the image: its path below the input, `shard.tar/member` for tars; "
         "unique"},
    [DF_INGEST_SOURCE] =
        {"source", DF_COLUMN_TEXT,
         "file that holds the bytes, relative to the input (`.` when the input is that file)"},
    [DF_INGEST_OFFSET] = {"offset", DF_COLUMN_INT, "first byte in `source`; null for a whole file"},
    [DF_INGEST_SIZE] = {"size", DF_COLUMN_INT, "bytes"},
    [DF_INGEST_HASH] =
        {"hash", DF_COLUMN_TEXT,
         "XXH3-128 of the bytes, 32 hex digits; null when `ingest.hash` is false or the bytes "
         "cannot be read"},
    [DF_INGEST_FORMAT] = {"format", DF_COLUMN_TEXT,
                          "jpeg, png, webp, gif, bmp, tiff, avif, heic; null when unknown"},
    [DF_INGEST_WIDTH] =
        {"width", DF_COLUMN_INT,
         "pixels of the upright image, from the header (of a row that was not fetched: from the "
         "list); null when unknown"},
    [DF_INGEST_HEIGHT] = {"height", DF_COLUMN_INT, "as `width`"},
    [DF_INGEST_ORIENTATION] = {"orientation", DF_COLUMN_INT, "EXIF 1..8; null when unknown"},
    [DF_INGEST_ALT_TEXT] = {"alt_text", DF_COLUMN_TEXT,
                            "from the web, cleaned; null when there is none"},
    [DF_INGEST_URL] = {"url", DF_COLUMN_TEXT, "where the image came from; null when unknown"},
    [DF_INGEST_PROBLEM] =
        {"problem", DF_COLUMN_TEXT,
         "null, or `unreadable` (no image, broken header), `missing` (no such file, while others "
         "are there), `truncated`, `not fetched` (a URL without a file: `path` is the URL, "
         "`source` null)"},
    [DF_INGEST_DETAIL] = {"detail", DF_COLUMN_TEXT,
                          "the words for it, or why a sidecar could not be read; null"},
    [DF_INGEST_COLUMNS] = {0},
};
const df_table_type df_ingest_table = {
    .name = "ingest",
    .about = "one row per image",
    .per_image = true,
    .columns = ingest_columns,
    .passed = "problem IS NULL",
    .why = "problem",
};

static const df_column skipped_columns[] = {
    [DF_SKIPPED_PATH] =
        {"path", DF_COLUMN_TEXT,
         "`list.csv:12 PATH` for row 12 of a list; bytes of a name that are no plain UTF-8 text "
         "are written `\\xNN`"},
    [DF_SKIPPED_REASON] = {"reason", DF_COLUMN_TEXT, "why it was passed over"},
    [DF_SKIPPED_COLUMNS] = {0},
};
const df_table_type df_skipped_table = {
    .name = "ingest/skipped",
    .about = "one row per input that is no image row; in `ingest/skipped.parquet`",
    .columns = skipped_columns,
};
