/* What `ingest` writes: the images of the input, and what of it is none. */
#ifndef DF_TABLES_INGEST_H
#define DF_TABLES_INGEST_H
#include "dataset/table.h"

/* One row per image. */
enum {
    DF_INGEST_ROW,
    DF_INGEST_PATH,
    DF_INGEST_SOURCE,
    DF_INGEST_OFFSET,
    DF_INGEST_SIZE,
    DF_INGEST_HASH,
    DF_INGEST_FORMAT,
    DF_INGEST_WIDTH,
    DF_INGEST_HEIGHT,
    DF_INGEST_ORIENTATION,
    DF_INGEST_ALT_TEXT,
    DF_INGEST_URL,
    DF_INGEST_PROBLEM,
    DF_INGEST_DETAIL,
    DF_INGEST_COLUMNS
};
extern const df_table_type df_ingest_table;

/* One row per input that is no image row; in `ingest/skipped.parquet`. */
enum { DF_SKIPPED_PATH, DF_SKIPPED_REASON, DF_SKIPPED_COLUMNS };
extern const df_table_type df_skipped_table;
#endif
