#include "tables/tables.h"

#include <stddef.h>

const df_table_type *const df_tables[] = {
    &df_ingest_table,
    &df_skipped_table,
    &df_filter_table,
    &df_embed_table,
    &df_cluster_table,
    &df_dedup_table,
    &df_select_table,
    &df_tag_table,
    &df_detect_table,
    &df_read_table,
    &df_look_table,
    &df_fuse_table,
    &df_fuse_evidence_table,
    &df_fuse_left_table,
    &df_caption_table,
    &df_caption_attempts_table,
    &df_check_table,
    &df_check_support_table,
    NULL,
};
