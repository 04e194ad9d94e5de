#include "tables/fuse.h"

static const df_column fuse_columns[] = {
    [DF_FUSE_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_FUSE_PROMPT] = {"prompt", DF_COLUMN_TEXT, "what the engine is asked"},
    [DF_FUSE_N_TAGS] = {"n_tags", DF_COLUMN_INT, "tags in the prompt"},
    [DF_FUSE_N_BOXES] = {"n_boxes", DF_COLUMN_INT, "boxes in it"},
    [DF_FUSE_N_LINES] = {"n_lines", DF_COLUMN_INT, "lines of text in it"},
    [DF_FUSE_EVIDENCE_HASH] = {"evidence_hash", DF_COLUMN_TEXT, "hash of the evidence"},
    [DF_FUSE_TUNING_PROMPT] =
        {"tuning_prompt", DF_COLUMN_TEXT,
         "with `fuse.tuning_prompt`: the same evidence in another template; else null"},
    [DF_FUSE_COLUMNS] = {0},
};
const df_table_type df_fuse_table = {
    .name = "fuse",
    .about = "one row per kept image (with `fuse.draw`: per drawn image)",
    .per_image = true,
    .columns = fuse_columns,
};

static const df_column fuse_evidence_columns[] = {
    [DF_FUSE_EVIDENCE_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_FUSE_EVIDENCE_KIND] = {"kind", DF_COLUMN_TEXT, "`tag`, `box` or `line`"},
    [DF_FUSE_EVIDENCE_ITEM] = {"item", DF_COLUMN_INT, "index of the best raw record of that kind"},
    [DF_FUSE_EVIDENCE_TEXT] = {"text", DF_COLUMN_TEXT, "tag, label or line of text"},
    [DF_FUSE_EVIDENCE_SCORE] =
        {"score", DF_COLUMN_REAL,
         "of tags and boxes: belief, 0.5 is just believed; of lines the score of the reader"},
    [DF_FUSE_EVIDENCE_SOURCE] = {"source", DF_COLUMN_TEXT,
                                 "`a+b` when experts agree; null for lines"},
    [DF_FUSE_EVIDENCE_X0] = {"x0", DF_COLUMN_REAL,
                             "left side, pixels; null for tags; of a line: around its corners"},
    [DF_FUSE_EVIDENCE_Y0] = {"y0", DF_COLUMN_REAL, "top side"},
    [DF_FUSE_EVIDENCE_X1] = {"x1", DF_COLUMN_REAL, "right side"},
    [DF_FUSE_EVIDENCE_Y1] = {"y1", DF_COLUMN_REAL, "bottom side"},
    [DF_FUSE_EVIDENCE_COUNT] =
        {"count", DF_COLUMN_INT,
         "of boxes: 1, or how many objects of the label are within these sides"},
    [DF_FUSE_EVIDENCE_COLUMNS] = {0},
};
const df_table_type df_fuse_evidence_table = {
    .name = "fuse/evidence",
    .about = "what fusion kept of the evidence",
    .columns = fuse_evidence_columns,
};

static const df_column fuse_left_columns[] = {
    [DF_FUSE_LEFT_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_FUSE_LEFT_KIND] = {"kind", DF_COLUMN_TEXT, "`tag`, `box` or `line`"},
    [DF_FUSE_LEFT_ITEM] = {"item", DF_COLUMN_INT, "index of the best raw record of that kind"},
    [DF_FUSE_LEFT_TEXT] = {"text", DF_COLUMN_TEXT, "tag, label or line of text"},
    [DF_FUSE_LEFT_SCORE] =
        {"score", DF_COLUMN_REAL,
         "of tags and boxes: belief, 0.5 is just believed; of lines the score of the reader"},
    [DF_FUSE_LEFT_SOURCE] = {"source", DF_COLUMN_TEXT, "`a+b` when experts agree; null for lines"},
    [DF_FUSE_LEFT_X0] = {"x0", DF_COLUMN_REAL,
                         "left side, pixels; null for tags; of a line: around its corners"},
    [DF_FUSE_LEFT_Y0] = {"y0", DF_COLUMN_REAL, "top side"},
    [DF_FUSE_LEFT_X1] = {"x1", DF_COLUMN_REAL, "right side"},
    [DF_FUSE_LEFT_Y1] = {"y1", DF_COLUMN_REAL, "bottom side"},
    [DF_FUSE_LEFT_REASON] =
        {"reason", DF_COLUMN_TEXT,
         "`score`, `repeated`, `general` (a narrower tag is told), `conflict` (a surer box of "
         "another name is in its place), `counted` (in the count of another), `inside` (a longer "
         "line), `budget`, `broken`"},
    [DF_FUSE_LEFT_COLUMNS] = {0},
};
const df_table_type df_fuse_left_table = {
    .name = "fuse/left",
    .about = "what the prompt does not tell, and why; a raw record that is in neither table "
             "is part of one that is",
    .columns = fuse_left_columns,
};
