/* Finds small objects: a detector sees a picture once as a whole and once more in overlapping tiles
 * (SAHI, arXiv 2202.06934). This file says where the tiles lie, which of their boxes count, and how
 * these are merged with the boxes of the whole. */
#ifndef DF_VISION_SLICES_H
#define DF_VISION_SLICES_H
#include "evidence/evidence.h"

enum { DF_SLICES_MAX = 8 }; /* tiles along the long side */

typedef struct {
    int slices; /* tiles along the long side; below 2: none */
    /* how much neighbouring tiles share, as a share of a tile's side, in (0, 0.5] */
    double overlap;
    /* a tile's box needs this much more than the detector's threshold */
    double extra;
} df_slicing;

/* All in pixels. columns 0: no tiles. largest: the overlap; an object with sides up to this lies
 * whole in some tile wherever it is. */
typedef struct {
    int width, height, side, columns, rows;
    double largest;
} df_slice_grid;
typedef struct {
    int x0, y0, x1, y1;
} df_slice;

/* Square tiles that cover width x height evenly. A picture lower than a tile has one row of them. A
 * picture that is too small to show more in parts has none. */
df_slice_grid df_slice_grid_of(int width, int height, const df_slicing *how);
/* Tile i of columns * rows, row by row. */
df_slice df_slice_at(const df_slice_grid *grid, int i);
/* Whether a box counts (in pixels of the picture) that was found in this tile. It does not count
 * when a border of the tile cuts it, unless the picture ends there too: the next tile has it whole.
 * Nor does it count when it is larger than the overlap: the whole picture shows such an object
 * well, and with its surroundings. */
bool df_slice_keeps(const df_slice_grid *grid, const df_slice *tile, const df_box *box);
/* Merges the boxes of the tiles into those of the whole picture. boxes [n]: n_whole of the whole
 * picture, then those of the tiles, of one source. A tile's box and another box of its label are
 * one object when their intersection over union is at least 0.5; the one with the higher score
 * stays. A tile's box that covers or lies within another by 0.6 of the smaller area is a part of it
 * and is dropped. Sorts by falling score (ties: the whole picture's first, then input order),
 * numbers `item`, and returns how many stay, at the front. */
int df_slices_merge(df_box *boxes, int n_whole, int n);
#endif
