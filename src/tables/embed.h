/* What `embed` writes beside its vectors. */
#ifndef DF_TABLES_EMBED_H
#define DF_TABLES_EMBED_H
#include "dataset/table.h"

/* One row per image that filter kept; the vectors are in `part-00000.npy`. */
enum { DF_EMBED_ROW, DF_EMBED_PHASH, DF_EMBED_PROBLEM, DF_EMBED_COLUMNS };
extern const df_table_type df_embed_table;
#endif
