#include "pipeline/sight.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tables/source.h"
#include "tables/ingest.h"

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
    if (!df_table_null(t, sight->row, DF_INGEST_PROBLEM)) {
        snprintf(detail->message, sizeof detail->message, "%s",
                 df_table_text(t, sight->row, DF_INGEST_DETAIL));
        problem(sight, df_table_text(t, sight->row, DF_INGEST_PROBLEM), detail->message);
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
        status = reduction == 1 ? df_image_decode(pixels->bytes, pixels->size, DF_SIGHT_SIDE_PX,
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

void df_sight_add(df_sight *sight, df_image_rows rows)
{
    assert(sight->n_seen < DF_SEEN_MAX);
    sight->seen[sight->n_seen++] = rows;
}
