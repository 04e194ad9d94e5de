/* Every table of a dataset, in the order in which stages write them. */
#ifndef DF_TABLES_TABLES_H
#define DF_TABLES_TABLES_H
#include "tables/caption.h"
#include "tables/check.h"
#include "tables/cluster.h"
#include "tables/dedup.h"
#include "tables/detect.h"
#include "tables/embed.h"
#include "tables/filter.h"
#include "tables/fuse.h"
#include "tables/ingest.h"
#include "tables/look.h"
#include "tables/read.h"
#include "tables/select.h"
#include "tables/tag.h"

enum { DF_TABLES_MAX = 32 };
extern const df_table_type *const df_tables[];                       /* NULL-terminated */
/* The stages whose tables decide that an image stays, as a stage's `reads` names them. */
#define DF_DECIDERS "filter", "dedup", "select"
#endif
