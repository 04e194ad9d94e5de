/* The tiles of a picture, and the merging of the boxes that are found in them. */
#include "vision/slices.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* in pixels; a smaller tile is only a blurred close-up of the same picture */
enum { SIDE_MIN = 200 };
/* two boxes with at least this intersection over union are one object */
static const double SAME = 0.5;
static const double PART = 0.6;              /* intersection over the smaller */
/* as a share of a tile's side; a box that comes this near to a border is cut by it */
static const double MARGIN = 0.02;

static int tiles_along(int length, int side, double overlap)
{
    if (length <= side)
        return 1;
    const double step = side * (1 - overlap);
    return 1 + (int)ceil((length - side) / step - 1e-9);
}

df_slice_grid df_slice_grid_of(int width, int height, const df_slicing *how)
{
    df_slice_grid grid = {.width = width, .height = height};
    const int longest = width > height ? width : height;
    if (how->slices < 2)
        return grid;
    const int side = (int)ceil(longest / (how->slices - (how->slices - 1) * how->overlap));
    grid.side = side > SIDE_MIN ? side : SIDE_MIN;
    if (grid.side >= longest)
        return grid;
    grid.columns = tiles_along(width, grid.side, how->overlap);
    grid.rows = tiles_along(height, grid.side, how->overlap);
    grid.largest = how->overlap * grid.side;
    return grid;
}

/* Where tile i of n begins along a side. The first tile begins with the picture, the last one ends
 * with it, and the others lie evenly between. */
static int start_of(int length, int side, int i, int n)
{
    return n == 1 ? 0 : (int)((int64_t)(length - side) * i / (n - 1));
}

df_slice df_slice_at(const df_slice_grid *grid, int i)
{
    assert(i >= 0 && i < grid->columns * grid->rows);
    df_slice tile = {.x0 = start_of(grid->width, grid->side, i % grid->columns, grid->columns),
                     .y0 = start_of(grid->height, grid->side, i / grid->columns, grid->rows)};
    tile.x1 = tile.x0 + grid->side < grid->width ? tile.x0 + grid->side : grid->width;
    tile.y1 = tile.y0 + grid->side < grid->height ? tile.y0 + grid->side : grid->height;
    return tile;
}

bool df_slice_keeps(const df_slice_grid *grid, const df_slice *tile, const df_box *box)
{
    const double margin = MARGIN * grid->side;
    if (box->x1 - box->x0 > grid->largest || box->y1 - box->y0 > grid->largest)
        return false;
    return (tile->x0 == 0 || box->x0 > tile->x0 + margin) &&
           (tile->y0 == 0 || box->y0 > tile->y0 + margin) &&
           (tile->x1 == grid->width || box->x1 < tile->x1 - margin) &&
           (tile->y1 == grid->height || box->y1 < tile->y1 - margin);
}

static double area(const df_box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static double shared(const df_box *a, const df_box *b)
{
    const double width = fmin(a->x1, b->x1) - fmax(a->x0, b->x0),
                 height = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return width > 0 && height > 0 ? width * height : 0;
}

/* Insertion sort by falling score, which is stable; there are few boxes. */
static void sort_by_score(df_box *boxes, int n)
{
    for (int i = 1; i < n; i++) {
        const df_box box = boxes[i];
        int at = i;
        for (; at > 0 && boxes[at - 1].score < box.score; at--)
            boxes[at] = boxes[at - 1];
        boxes[at] = box;
    }
}

/* Whether a tile's box adds nothing to the kept boxes. It is the same object as one of them (the
 * box with the higher score then takes its place), or a part of one. */
static bool is_known(df_box *kept, int n_kept, const df_box *box)
{
    for (int i = 0; i < n_kept; i++) {
        const double both = shared(&kept[i], box);
        if (both <= 0 || strcmp(kept[i].label, box->label) != 0)
            continue;
        if (both >= SAME * (area(&kept[i]) + area(box) - both)) {
            if (box->score > kept[i].score)
                kept[i] = *box;
            return true;
        }
        if (both >= PART * fmin(area(box), area(&kept[i])))
            return true;
    }
    return false;
}

int df_slices_merge(df_box *boxes, int n_whole, int n)
{
    int n_kept = n_whole;
    sort_by_score(boxes + n_whole, n - n_whole);
    for (int i = n_whole; i < n; i++)
        if (!is_known(boxes, n_kept, &boxes[i]))
            boxes[n_kept++] = boxes[i];
    sort_by_score(boxes, n_kept);
    for (int i = 0; i < n_kept; i++)
        boxes[i].item = i;
    return n_kept;
}
