/* What `fuse` writes: prompts, the evidence in them, and what was left out. */
#ifndef DF_TABLES_FUSE_H
#define DF_TABLES_FUSE_H
#include "dataset/table.h"

/* One row per kept image (with `fuse.draw`: per drawn image). */
enum {
    DF_FUSE_ROW,
    DF_FUSE_PROMPT,
    DF_FUSE_N_TAGS,
    DF_FUSE_N_BOXES,
    DF_FUSE_N_LINES,
    DF_FUSE_EVIDENCE_HASH,
    DF_FUSE_TUNING_PROMPT,
    DF_FUSE_COLUMNS
};
extern const df_table_type df_fuse_table;

/* What fusion kept of the evidence. */
enum {
    DF_FUSE_EVIDENCE_ROW,
    DF_FUSE_EVIDENCE_KIND,
    DF_FUSE_EVIDENCE_ITEM,
    DF_FUSE_EVIDENCE_TEXT,
    DF_FUSE_EVIDENCE_SCORE,
    DF_FUSE_EVIDENCE_SOURCE,
    DF_FUSE_EVIDENCE_X0,
    DF_FUSE_EVIDENCE_Y0,
    DF_FUSE_EVIDENCE_X1,
    DF_FUSE_EVIDENCE_Y1,
    DF_FUSE_EVIDENCE_COUNT,
    DF_FUSE_EVIDENCE_COLUMNS
};
extern const df_table_type df_fuse_evidence_table;

/* What the prompt does not tell, and why; a raw record that is in neither table is part of one that
 * is. */
enum {
    DF_FUSE_LEFT_ROW,
    DF_FUSE_LEFT_KIND,
    DF_FUSE_LEFT_ITEM,
    DF_FUSE_LEFT_TEXT,
    DF_FUSE_LEFT_SCORE,
    DF_FUSE_LEFT_SOURCE,
    DF_FUSE_LEFT_X0,
    DF_FUSE_LEFT_Y0,
    DF_FUSE_LEFT_X1,
    DF_FUSE_LEFT_Y1,
    DF_FUSE_LEFT_REASON,
    DF_FUSE_LEFT_COLUMNS
};
extern const df_table_type df_fuse_left_table;
#endif
