/* What the experts saw in one image. Boxes and quads are in pixels of the upright full image, origin top left. */
#ifndef DF_DATASET_EVIDENCE_H
#define DF_DATASET_EVIDENCE_H
#include "base/arena.h"
#include "dataset/dataset.h"

typedef struct { const char *label; double score; } df_tag;
/* colour names: up to 2 of the 11 basic colour terms (+ shades like "dark grey"), "" when not looked at */
typedef struct { const char *label, *source; double score, x0, y0, x1, y1; const char *colour, *colour2; double brightness; } df_box;
typedef struct { const char *text; double score; double x[4], y[4]; } df_line;       /* quad clockwise from top left of the text */
typedef struct {
    const char *colours;                     /* "grey 0.41, blue 0.22, ..." by share, largest first */
    double brightness, contrast, saturation, sharpness;              /* all in [0, 1] */
    double detail[9], light[9];              /* 3x3 grid, row-major: local detail and mean luminance, in [0, 1] */
    const char *cell_colours;                /* 9 main colour names, row-major, separated by '|' */
    bool present;                            /* false when `look` did not run */
} df_look;
typedef struct {
    const char *path, *alt_text;             /* alt_text "" when none */
    int64_t width, height;
    const df_tag *tags;   int n_tags;        /* by falling score */
    const df_box *boxes;  int n_boxes;       /* by falling score */
    const df_line *lines; int n_lines;       /* in reading order */
    df_look look;
} df_evidence;

/* Evidence of every row of a part, from whatever stages have run (ingest must have). Everything lives in the arena.
 * *evidence has one entry per row of ingest, rejected rows too (with no tags, boxes, lines). */
df_status df_evidence_read(const df_dataset *ds, int part, df_arena *arena, df_evidence **evidence, int64_t *n_rows, df_error *err);
/* The same after `fuse`: boxes merged, weak ones dropped, lines de-duplicated (table fuse/boxes columns). */
#endif
