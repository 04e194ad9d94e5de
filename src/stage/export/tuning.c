#include "stage/export/tuning.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/stream.h"
#include "tables/joined.h"
#include "stage/export/conversation.h"
#include "tables/fuse.h"
#include "tables/caption.h"
#include "tables/check.h"
#include "tables/cluster.h"
#include "tables/ingest.h"

enum { TRAIN, HELD_OUT, SIDES };
static const char *const names[SIDES] = {"export/tuning/train.json", "export/tuning/held_out.json"};

typedef struct {
    df_stream file[SIDES];
    /* conversations; left out: failed the check, no caption */
    int64_t n[SIDES], n_failed, n_empty;
    df_tuning_split split;
    df_str text;
} tuning;

/* What an image shares with those that it must not be parted from. */
static int side_of(const tuning *t, const df_joined *j, int64_t row)
{
    df_str key = {0};
    if (df_joined_has(j, &df_cluster_table, row, DF_CLUSTER_CLUSTER))
        df_str_printf(&key, "%lld cluster %lld", (long long)t->split.seed,
                      (long long)df_joined_int(j, &df_cluster_table, row, DF_CLUSTER_CLUSTER, 0));
    else
        df_str_printf(&key, "%lld image %s %s", (long long)t->split.seed,
                      df_joined_text(j, &df_ingest_table, row, DF_INGEST_HASH),
                      df_joined_has(j, &df_ingest_table, row, DF_INGEST_HASH)
                          ? ""
                          : df_joined_text(j, &df_ingest_table, row, DF_INGEST_PATH));
    const double place =
        (double)(df_hash_64(df_str_text(&key), key.size) >> 11) / (double)(1ull << 53);
    df_str_free(&key);
    return place < t->split.held_out ? HELD_OUT : TRAIN;
}

static df_status put(tuning *t, int side, df_error *err)
{
    return df_stream_put(&t->file[side], &t->text, err);
}

/* Writes an image's prompt and caption to its half of the tuning set; counts those without a
 * caption, or with one that failed. */
static df_status put_row(tuning *t, const df_joined *j, int64_t row, df_error *err)
{
    char id[DF_PLACE_ID_MAX];
    if (!df_joined_has(j, &df_fuse_table, row, DF_FUSE_TUNING_PROMPT))
        return DF_OK;
    if (!df_joined_has(j, &df_caption_table, row, DF_CAPTION_CAPTION)) {
        t->n_empty++;
        return DF_OK;
    }
    if (strcmp(df_joined_text(j, &df_check_table, row, DF_CHECK_VERDICT), "pass") != 0) {
        t->n_failed++;
        return DF_OK;
    }
    const int side = side_of(t, j, row);
    df_place_print((df_place){j->part, row}, id);
    df_str_clear(&t->text);
    df_str_append(&t->text, t->n[side]++ ? ",\n" : "[\n");
    df_conversation_append(&t->text, id, df_joined_text(j, &df_ingest_table, row, DF_INGEST_PATH),
                           df_joined_text(j, &df_fuse_table, row, DF_FUSE_TUNING_PROMPT),
                           df_joined_text(j, &df_caption_table, row, DF_CAPTION_CAPTION));
    return put(t, side, err);
}

static df_status put_parts(tuning *t, const df_dataset *ds, const df_run *run, df_error *err)
{
    df_status status = DF_OK;
    for (int part = 0; status == DF_OK && part < df_dataset_parts(ds); part++) {
        df_joined j;
        if (df_run_stopped(run))
            return df_stopped(err);
        DF_TRY(df_joined_open(&j, ds, part, err));
        for (int64_t row = 0; status == DF_OK && row < j.n_rows; row++)
            status = put_row(t, &j, row, err);
        df_joined_close(&j);
    }
    return status;
}

static df_status close_file(tuning *t, int side, df_error *err)
{
    df_str_clear(&t->text);
    df_str_append(&t->text, t->n[side] ? "\n]\n" : "[]\n");
    DF_TRY(put(t, side, err));
    return df_stream_commit(&t->file[side], err);
}

static df_status remove_files(const df_dataset *ds, df_error *err)
{
    for (int side = 0; side < SIDES; side++)
        DF_TRY(df_folder_remove(df_dataset_files(ds), names[side], err));
    df_folder_remove_empty(df_dataset_files(ds), "export/tuning");
    return DF_OK;
}

/* Whether fuse wrote tuning prompts: the first row of any part says so. */
static df_status has_prompts(const df_dataset *ds, bool *has, df_error *err)
{
    df_table *fuse = NULL;
    *has = false;
    if (df_dataset_parts(ds) == 0 || !df_dataset_has_all(ds, "fuse"))
        return DF_OK;
    for (int part = 0; !*has && part < df_dataset_parts(ds); part++) {
        DF_TRY(df_dataset_read(ds, &df_fuse_table, part, &fuse, err));
        *has = df_table_rows(fuse) > 0 && !df_table_null(fuse, 0, DF_FUSE_TUNING_PROMPT);
        const bool decided = df_table_rows(fuse) > 0;
        df_table_close(fuse);
        if (decided)
            break;
    }
    return DF_OK;
}

df_status df_export_tuning(const df_dataset *ds, df_tuning_split split, const df_run *run,
                           df_error *err)
{
    bool has;
    DF_TRY(has_prompts(ds, &has, err));
    if (!has)
        return remove_files(ds, err);
    tuning t = {.split = split};
    df_status status = DF_OK;
    for (int side = 0; status == DF_OK && side < SIDES; side++)
        status = df_stream_open(&t.file[side], df_dataset_files(ds), names[side], err);
    if (status == DF_OK)
        status = put_parts(&t, ds, run, err);
    for (int side = 0; status == DF_OK && side < SIDES; side++)
        status = close_file(&t, side, err);
    for (int side = 0; side < SIDES; side++)
        df_stream_drop(&t.file[side]);
    if (status == DF_OK)
        df_run_note(run,
                    "export: tuning: %lld conversations to train on, %lld held out; left out: %lld "
                    "failed the check, "
                    "%lld have no caption",
                    (long long)t.n[TRAIN], (long long)t.n[HELD_OUT], (long long)t.n_failed,
                    (long long)t.n_empty);
    df_str_free(&t.text);
    return status;
}
