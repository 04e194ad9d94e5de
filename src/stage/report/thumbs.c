#include "stage/report/thumbs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/path.h"
#include "base/pool.h"
#include "tables/source.h"
#include "tables/ingest.h"

typedef struct {
    const df_thumbs *thumbs;
    const df_table *ingest;
    int part;
    const int64_t *rows;
    int64_t side;
    df_thumb_name *names;
} job;

static df_status shrink(const job *j, int64_t row, uint8_t **jpeg, size_t *jpeg_size, df_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    df_image image = {0};
    DF_TRY(df_source_read(j->thumbs->ds, j->ingest, row, &bytes, &size, err));
    df_status status = df_image_decode(bytes, size, (int)j->side, &image, err);
    if (status == DF_OK)
        status = df_image_encode_jpeg(&image, (int)j->thumbs->quality, jpeg, jpeg_size, err);
    free(bytes);
    df_image_free(&image);
    return status;
}

/* *made stays false for an image that cannot be shown: it is shown as that. */
static df_status make_thumb(const job *j, int64_t row, const char *name, bool *made, df_error *err)
{
    uint8_t *jpeg = NULL;
    size_t jpeg_size = 0;
    df_error why = {""};
    df_status status = shrink(j, row, &jpeg, &jpeg_size, &why);
    *made = status == DF_OK;
    if (*made)
        status = df_folder_write(df_dataset_files(j->thumbs->ds), name, jpeg, jpeg_size, err);
    else if (df_is_of_one_image(status))
        status = DF_OK;
    else
        status = df_fail(err, status, "report: %.150s: %.300s",
                         df_table_text(j->ingest, row, DF_INGEST_PATH), why.message);
    free(jpeg);
    return status;
}

/* The name holds what the picture depends on: one that is there is right. */
static df_status show_thumb(void *ctx, int64_t item, int thread, df_error *err)
{
    (void)thread;
    const job *j = ctx;
    if (df_run_stopped(j->thumbs->run))
        return df_stopped(err);
    int64_t row = j->rows[item];
    char id[DF_PLACE_ID_MAX], path[PATH_MAX], within[DF_THUMB_NAME + 32], *name = j->names[item];
    df_place_print((df_place){j->part, row}, id);
    const char *hash = df_table_text(j->ingest, row, DF_INGEST_HASH);
    snprintf(name, DF_THUMB_NAME, "%s-%.12s-%d-%d.jpg", id, *hash ? hash : "x", (int)j->side,
             (int)j->thumbs->quality);
    snprintf(within, sizeof within, "report/thumbs/%s", name);
    DF_TRY(df_path(path, err, "%s/%s", df_dataset_folder(j->thumbs->ds), within));
    bool made = *hash && df_file_exists(path);
    if (!made && df_table_null(j->ingest, row, DF_INGEST_PROBLEM))
        DF_TRY(make_thumb(j, row, within, &made, err));
    if (!made)
        *name = '\0';
    return DF_OK;
}

df_status df_thumbs_make(df_thumbs *t, int part, const df_table *ingest, const int64_t *rows,
                         int64_t n, int64_t side, df_thumb_name *names, df_error *err)
{
    job j = {t, ingest, part, rows, side, names};
    DF_TRY(df_pool_run(t->run->n_threads > 0 ? t->run->n_threads : 1, n, show_thumb, &j, err));
    for (int64_t i = 0, stored; i < n; i++) {
        const char *name = df_arena_strdup(&t->arena, names[i]);
        if (!name)
            return df_no_memory(err, "report");
        DF_TRY(df_map_put(&t->shown, name, 1, &stored, err));
    }
    return DF_OK;
}

static bool is_not_shown(const char *name, const void *ctx)
{
    const df_thumbs *t = ctx;
    return df_map_find(&t->shown, name, 0) == 0;
}

df_status df_thumbs_remove_others(const df_thumbs *t, df_error *err)
{
    return df_folder_remove_chosen(df_dataset_files(t->ds), "report/thumbs", is_not_shown, t, err);
}

void df_thumbs_free(df_thumbs *t)
{
    df_map_free(&t->shown);
    df_arena_reset(&t->arena);
}
