/* Lines that stand under each other as one piece of text: what a writer would have typed without
 * stopping. */
#ifndef DF_VISION_TEXT_BLOCK_H
#define DF_VISION_TEXT_BLOCK_H
#include <stdbool.h>
#include "base/status.h"
#include "evidence/evidence.h"

typedef struct {
    double left, top, right, bottom;
} df_extent;

/* A line on the page turned level. own: as seen by a reader that turns the page by `quarter`
 * quarters more. */
typedef struct {
    df_line line;
    /* 0: along the page's lines; 1: downward; 2: upside down; 3: upward */
    int quarter;
    df_extent page, own;
    bool first;                              /* begins a paragraph */
} df_placed_line;

typedef struct {
    int from, n;                             /* lines [from, from + n) */
    int rows;                                /* pieces of one row count once */
    df_extent page;                          /* around them */
    double height;                           /* of a row */
} df_text_block;

/* Sorts lines [n] so that each block's follow each other as they are read, and writes the blocks,
 * room for n of them, in no order of their own. The result does not depend on the order of the
 * input. Returns their number, -1: out of memory.
 *
 *   a row      pieces side by side, less than a height apart, that the text detector saw as several
 *   a block    rows of like height, script and direction, less than a line apart, that share an
 * edge or their middle paragraphs begin after a gap wider than the block's own, at an indented row,
 * at a bullet, and after a row that ends its sentence short of the edge
 *
 * Short pieces beside each other are a table's cells: no block goes down through them. */
int df_text_blocks(df_placed_line *lines, int n, df_text_block *blocks);
#endif
