/* What `tag` writes: evidence. */
#ifndef DF_TABLES_TAG_H
#define DF_TABLES_TAG_H
#include "dataset/table.h"

/* Any number of rows per image, by falling score. */
enum { DF_TAG_ROW, DF_TAG_TAG, DF_TAG_SCORE, DF_TAG_SOURCE, DF_TAG_COLUMNS };
extern const df_table_type df_tag_table;
#endif
