#include "pipeline/sight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables/source.h"
#include "pipeline/pass.h"
#include "tables/ingest.h"
#include "tables/tag.h"
#include "tables/detect.h"

static void problem(df_sight *sight, const char *what, const char *detail)
{
    sight->problem = what;
    sight->detail = detail;
}

const char *df_sight_path(const df_sight *sight)
{
    const df_table *t = sight->ingest;
    return t ? df_table_text(t, sight->row, DF_INGEST_PATH) : "the image";
}

void df_sight_take(df_sight *sight, const uint8_t *bytes, size_t size, df_pixels *pixels)
{
    pixels->bytes = bytes;
    pixels->size = size;
    if (df_image_probe(bytes, size, &pixels->info, &pixels->detail) != DF_OK)
        problem(sight, "unreadable", pixels->detail.message);
}

df_status df_sight_load(df_sight *sight, const df_dataset *ds, df_pixels *pixels, df_error *err)
{
    const df_table *t = sight->ingest;
    df_error *detail = &pixels->detail;
    int known = DF_INGEST_PROBLEM;
    if (!df_table_null(t, sight->row, known)) {
        snprintf(detail->message, sizeof detail->message, "%s",
                 df_table_text(t, sight->row, DF_INGEST_DETAIL));
        problem(sight, df_table_text(t, sight->row, known), detail->message);
        return DF_OK;
    }
    size_t size = 0;
    df_status status = df_source_read(ds, t, sight->row, &pixels->owned, &size, detail);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s", detail->message);
    if (status != DF_OK)
        problem(sight, status == DF_MISSING ? "missing" : "changed", detail->message);
    else
        df_sight_take(sight, pixels->owned, size, pixels);
    return DF_OK;
}

df_status df_sight_show(df_sight *sight, df_pixels *pixels, int edge, df_error *err)
{
    sight->image = NULL;
    if (sight->problem)
        return DF_OK;
    const int reduction = df_image_reduction(&pixels->info, edge);
    /* of 1, 2, 4, 8: 0 to 3 */
    df_image *picture = &pixels->pictures[reduction / 2 - reduction / 8];
    df_status status = DF_OK;
    if (!picture->rgb)
        status = reduction == 1 ? df_image_decode(pixels->bytes, pixels->size, DF_PASS_SIDE_PX,
                                                  picture, &pixels->detail)
                                : df_image_decode_reduced(pixels->bytes, pixels->size, reduction,
                                                          picture, &pixels->detail);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s: %.300s", df_sight_path(sight), pixels->detail.message);
    if (status == DF_OK)
        sight->image = picture;
    else
        problem(sight, df_image_is_cut(pixels->bytes, pixels->size) ? "truncated" : "unreadable",
                pixels->detail.message);
    return DF_OK;
}

void df_pixels_free(df_pixels *pixels)
{
    for (size_t i = 0; i < sizeof pixels->pictures / sizeof *pixels->pictures; i++)
        df_image_free(&pixels->pictures[i]);
    free(pixels->owned);
}

df_status df_sight_tags(df_sight *sight, const df_table *tag, int64_t first, int64_t end,
                        df_arena *arena, df_error *err)
{
    const int label = DF_TAG_TAG, score = DF_TAG_SCORE;
    df_tag *tags = df_arena_alloc(arena, (size_t)(end - first) + 1, sizeof *tags);
    for (int64_t i = first; tags && i < end; i++) {
        tags[i - first] = (df_tag){.label = df_arena_strdup(arena, df_table_text(tag, i, label)),
                                   .score = df_table_real(tag, i, score),
                                   .item = (int)(i - first)};
        if (!tags[i - first].label)
            tags = NULL;
    }
    if (!tags)
        return df_fail(err, DF_NOMEM, "tags of an image: out of memory");
    sight->tags = tags;
    sight->n_tags = (int)(end - first);
    return DF_OK;
}

df_status df_sight_boxes(df_sight *sight, const df_table *detect, int64_t first, int64_t end,
                         df_arena *arena, df_error *err)
{
    static const int at[] = {DF_DETECT_X0, DF_DETECT_Y0, DF_DETECT_X1, DF_DETECT_Y1};
    const int label = DF_DETECT_LABEL, source = DF_DETECT_SOURCE, score = DF_DETECT_SCORE;
    df_box *boxes = df_arena_alloc(arena, (size_t)(end - first) + 1, sizeof *boxes);
    if (!boxes)
        return df_fail(err, DF_NOMEM, "boxes of an image: out of memory");
    for (int64_t i = first; i < end; i++)
        boxes[i - first] =
            (df_box){.label = df_arena_strdup(arena, df_table_text(detect, i, label)),
                     .source = df_arena_strdup(arena, df_table_text(detect, i, source)),
                     .score = df_table_real(detect, i, score),
                     .item = (int)(i - first),
                     .x0 = df_table_real(detect, i, at[0]),
                     .y0 = df_table_real(detect, i, at[1]),
                     .x1 = df_table_real(detect, i, at[2]),
                     .y1 = df_table_real(detect, i, at[3])};
    for (int64_t i = 0; i < end - first; i++)
        if (!boxes[i].label || !boxes[i].source)
            return df_fail(err, DF_NOMEM, "boxes of an image: out of memory");
    sight->boxes = boxes;
    sight->n_boxes = (int)(end - first);
    return DF_OK;
}

df_status df_sight_hand_on(df_sight *sight, const char *stage, const df_table *table,
                           df_arena *arena, df_error *err)
{
    if (strcmp(stage, "tag") == 0)
        return df_sight_tags(sight, table, 0, df_table_rows(table), arena, err);
    if (strcmp(stage, "detect") == 0)
        return df_sight_boxes(sight, table, 0, df_table_rows(table), arena, err);
    return DF_OK;
}
