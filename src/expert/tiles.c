/* Runs a detector tile by tile and merges the boxes. */
#include "expert/tiles.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    df_expert_handle *expert;
    const df_image *image;
    const df_queries *queries;
    const df_slicing *how;
    df_slice_grid grid;
    df_arena *arena;                         /* for what outlives a tile */
    df_box *boxes;                           /* malloc */
    size_t n, room;
    const char *trouble;
} showing;

static df_status no_memory(df_error *err)
{
    return df_no_memory(err, "look at tiles");
}

static df_status append_box(showing *s, const df_box *box, df_error *err)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 64;
        df_box *more = realloc(s->boxes, room * sizeof *more);
        if (!more)
            return no_memory(err);
        s->boxes = more;
        s->room = room;
    }
    s->boxes[s->n++] = *box;
    return DF_OK;
}

/* Takes over those boxes of a tile that count, in pixels of the full image. They come in pixels of
 * the tile, with labels that may live in its arena. */
static df_status take_boxes(showing *s, const df_slice *tile, const df_percept *seen, df_error *err)
{
    const double scale_x = (double)s->image->full_width / s->image->width,
                 scale_y = (double)s->image->full_height / s->image->height,
                 least = df_expert_card(s->expert, 0)->threshold + s->how->extra;
    for (int i = 0; i < seen->n_boxes; i++) {
        df_box box = seen->boxes[i];
        box.x0 += tile->x0;
        box.x1 += tile->x0;
        box.y0 += tile->y0;
        box.y1 += tile->y0;
        if (box.score < least || !df_slice_keeps(&s->grid, tile, &box))
            continue;
        box.x0 *= scale_x;
        box.x1 *= scale_x;
        box.y0 *= scale_y;
        box.y1 *= scale_y;
        box.label = df_arena_strdup(s->arena, box.label);
        if (!box.label)
            return no_memory(err);
        DF_TRY(append_box(s, &box, err));
    }
    return DF_OK;
}

/* Shows one tile to the expert and keeps what it sees; a tile without an answer is noted. */
static df_status run_tile(showing *s, int i, df_error *err)
{
    const df_slice tile = df_slice_at(&s->grid, i);
    df_image part = {0};
    /* freed after each tile, so that many tiles need no more memory than one */
    df_arena arena = {0};
    df_percept seen = {0};
    df_error why = {""};
    DF_TRY(df_image_crop(s->image, tile.x0, tile.y0, tile.x1, tile.y1, &part, err));
    df_status status = df_expert_perceive(s->expert, &part, s->queries, &arena, &seen, &why);
    if (status == DF_OK)
        status = df_arena_check(&arena, "look at a tile", &why);
    if (status == DF_OK)
        status = take_boxes(s, &tile, &seen, &why);
    if (status == DF_FORMAT) {
        status = DF_OK;
        if (!s->trouble)
            s->trouble = df_arena_printf(s->arena, "tile %d of %d: %s", i + 1,
                                         s->grid.columns * s->grid.rows, why.message);
    }
    df_arena_reset(&arena);
    df_image_free(&part);
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
}

/* Joins the boxes of the whole picture with those of its tiles. */
static df_status merge_boxes(showing *s, df_percept *seen, df_error *err)
{
    const size_t n_whole = (size_t)seen->n_boxes;
    df_box *boxes = df_arena_alloc(s->arena, n_whole + s->n + 1, sizeof *boxes);
    if (!boxes)
        return no_memory(err);
    if (n_whole)
        memcpy(boxes, seen->boxes, n_whole * sizeof *boxes);
    if (s->n)
        memcpy(boxes + n_whole, s->boxes, s->n * sizeof *boxes);
    seen->n_boxes = df_slices_merge(boxes, (int)n_whole, (int)(n_whole + s->n));
    seen->boxes = boxes;
    if (!seen->trouble)
        seen->trouble = s->trouble;
    return DF_OK;
}

df_status df_tiles_perceive(df_expert_handle *expert, const df_image *image,
                            const df_queries *queries, const df_slicing *how, df_arena *arena,
                            df_percept *seen, df_error *err)
{
    showing s = {.expert = expert,
                 .image = image,
                 .queries = queries,
                 .how = how,
                 .arena = arena,
                 .grid = df_slice_grid_of(image->width, image->height, how)};
    df_status status = DF_OK;
    for (int i = 0; i < s.grid.columns * s.grid.rows && status == DF_OK; i++)
        status = run_tile(&s, i, err);
    if (status == DF_OK && s.grid.columns > 0)
        status = merge_boxes(&s, seen, err);
    free(s.boxes);
    return status;
}
