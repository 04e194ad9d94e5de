/* Gathers lines that stand under each other into blocks, one block for each piece of text that was
 * written without interruption. */
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
    int rows;                                /* number of rows; pieces side by side are one row */
    df_extent page;                          /* extent of all lines */
    double height;                           /* mean height of a row */
} df_text_block;

/* Sorts lines [n] so that the lines of each block stand together in reading order, and writes the
 * blocks (room for n), in no particular order. The result does not depend on the order of the
 * input. Returns the number of blocks; -1: out of memory.
 *
 *   a row    pieces side by side, less than a height apart, that the text detector saw as several
 *   a block  rows of similar height, script and direction, less than a line apart, that share an
 *            edge or their middle
 *
 * A paragraph begins after a gap that is wider than the block's usual one, at an indented row, at a
 * bullet, and after a row that ends its sentence well before the right edge.
 *
 * Short pieces side by side are the cells of a table. No block goes down through them. */
int df_text_blocks(df_placed_line *lines, int n, df_text_block *blocks);
#endif
