/* Small objects: a picture is shown to a detector once as a whole and once more in overlapping
 * tiles (SAHI, arXiv 2202.06934). Here: where the tiles lie, which of their boxes count, and how
 * they join those of the whole. */
#ifndef DF_VISION_SLICES_H
#define DF_VISION_SLICES_H
#include "evidence/evidence.h"

enum { DF_SLICES_MAX = 8 };                  /* tiles along the long side */

typedef struct {
    int slices;                              /* tiles along the long side; below 2: none */
    /* of neighbouring tiles, share of their side, (0, 0.5] */
    double overlap;
    /* a tile's box counts from the detector's threshold + extra on */
    double extra;
} df_slicing;

/* Pixels. columns 0: no tiles. largest: an object up to this side lies whole in a tile wherever it
 * is: the overlap. */
typedef struct {
    int width, height, side, columns, rows;
    double largest;
} df_slice_grid;
typedef struct {
    int x0, y0, x1, y1;
} df_slice;

/* Square tiles that cover width x height evenly; a picture lower than a tile has one row of them.
 * No tiles for a picture too small to show more in parts. */
df_slice_grid df_slice_grid_of(int width, int height, const df_slicing *how);
/* Tile i of columns * rows, row by row. */
df_slice df_slice_at(const df_slice_grid *grid, int i);
/* Whether a box (pixels of the picture) counts that was seen in this tile. Not when a border of the
 * tile that is none of the picture's cuts it: the next tile has it whole. Nor when it is larger
 * than the overlap: the whole picture shows such an object well, and with what is around it. */
bool df_slice_keeps(const df_slice_grid *grid, const df_slice *tile, const df_box *box);
/* boxes: n_whole of the whole picture, then those kept of the tiles, of one source. A tile's box
 * and another of its label are one object when they overlap by half (intersection over union): the
 * surer stays. One that shares more than 0.6 of the smaller of the two is a part of it, and goes.
 * Sorts by falling score (ties: the whole picture's first, then as they came), numbers `item`, and
 * returns how many stay, at the front. */
int df_slices_merge(df_box *boxes, int n_whole, int n);
#endif
