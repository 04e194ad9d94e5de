/* What the experts saw in one image. Plain data; all text and arrays live in the arena into which
 * they were gathered. Boxes and quadrilaterals are in pixels of the upright full image, origin top
 * left. */
#ifndef DF_EVIDENCE_EVIDENCE_H
#define DF_EVIDENCE_EVIDENCE_H
#include <stdbool.h>
#include <stdint.h>

enum { DF_COLOURS_MAX = 4 };
/* A colour by name, as "dark grey", and its share of the region in (0, 1]. */
typedef struct {
    const char *name;
    double share;
} df_colour;

/* How a region looks. All numbers are in [0, 1]; detail is local contrast (0: even, 1: busy or
 * sharp). */
typedef struct {
    df_colour colours[DF_COLOURS_MAX];       /* largest share first */
    int n_colours;                           /* 0: the region was not examined */
    double brightness, contrast, saturation, detail;
} df_region;

/* item: index among the image's raw records of that kind, by which fused evidence points back at
 * its origin. */
/* A tag: the name of something in the image. score in [0, 1]; source as for a box. */
typedef struct {
    const char *label;
    double score;
    int item;
    const char *source;
} df_tag;
typedef struct {
    /* source: name of the model's card, "a+b" when experts agree; NULL: not known */
    const char *label, *source;
    double score, x0, y0, x1, y1;
    int item;
    df_region look;
    /* 2 or more: the box stands for so many objects of the label; else for one */
    int count;
} df_box;
typedef struct {
    const char *text;
    double score, x[4], y[4];                /* clockwise from the text's top left */
    int item;
    /* from 0, in reading order; the lines of a paragraph follow each other */
    int paragraph;
} df_line;

typedef struct {
    const char *path, *alt_text;             /* alt_text: "" when there is none */
    int64_t width, height;                   /* upright full image */
    const df_tag *tags;
    int n_tags;        /* by falling score */
    const df_box *boxes;
    int n_boxes;       /* by falling score */
    const df_line *lines;
    int n_lines;       /* in reading order */
    df_region whole;                         /* n_colours 0 when `look` did not run */
    df_region cells[9];                      /* 3x3 grid, row-major */
} df_evidence;
#endif
