#include "stage/export_tuning.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "dataset/joined.h"
#include "stage/conversation.h"

enum { TRAIN, HELD_OUT, SIDES };
static const char *const names[SIDES] = {"train.json", "held_out.json"};

typedef struct {
    FILE *file[SIDES];
    char tmp[SIDES][PATH_MAX];
    int64_t n[SIDES], n_failed, n_empty;     /* conversations; left out: failed the check, no caption */
    df_tuning_split split;
    df_str text;
} tuning;

/* What an image shares with those that it must not be parted from. */
static int side_of(const tuning *t, const df_joined *j, int64_t row)
{
    df_str key = {0};
    if (df_joined_has(j, DF_OF_CLUSTER, row, "cluster"))
        df_str_printf(&key, "%lld cluster %lld", (long long)t->split.seed,
                      (long long)df_joined_int(j, DF_OF_CLUSTER, row, "cluster", 0));
    else
        df_str_printf(&key, "%lld image %s %s", (long long)t->split.seed, df_joined_text(j, DF_OF_INGEST, row, "hash"),
                      df_joined_has(j, DF_OF_INGEST, row, "hash") ? "" : df_joined_text(j, DF_OF_INGEST, row, "path"));
    const double place = (double)(df_hash_64(df_str_text(&key), key.size) >> 11) / (double)(1ull << 53);
    df_str_free(&key);
    return place < t->split.held_out ? HELD_OUT : TRAIN;
}

static df_status put(tuning *t, int side, df_error *err)
{
    if (t->text.failed)
        return df_fail(err, DF_NOMEM, "write %s: out of memory", t->tmp[side]);
    if (fwrite(t->text.data, 1, t->text.size, t->file[side]) != t->text.size)
        return df_fail(err, DF_IO, "write %s: %s", t->tmp[side], strerror(errno));
    return DF_OK;
}

static df_status put_row(tuning *t, const df_joined *j, int64_t row, df_error *err)
{
    char id[DF_ROW_ID_MAX];
    if (!df_joined_has(j, DF_OF_FUSE, row, "tuning_prompt"))
        return DF_OK;
    if (!df_joined_has(j, DF_OF_CAPTION, row, "caption")) {
        t->n_empty++;
        return DF_OK;
    }
    if (strcmp(df_joined_text(j, DF_OF_CHECK, row, "verdict"), "pass") != 0) {
        t->n_failed++;
        return DF_OK;
    }
    const int side = side_of(t, j, row);
    df_row_id(j->part, row, id);
    df_str_clear(&t->text);
    df_str_append(&t->text, t->n[side]++ ? ",\n" : "[\n");
    df_conversation_append(&t->text, id, df_joined_text(j, DF_OF_INGEST, row, "path"),
                           df_joined_text(j, DF_OF_FUSE, row, "tuning_prompt"),
                           df_joined_text(j, DF_OF_CAPTION, row, "caption"));
    return put(t, side, err);
}

static df_status put_parts(tuning *t, const df_dataset *ds, const df_run *run, df_error *err)
{
    df_status status = DF_OK;
    for (int part = 0; status == DF_OK && part < df_dataset_parts(ds); part++) {
        df_joined j;
        if (df_run_stopped(run))
            return DF_STOPPED;
        DF_TRY(df_joined_open(&j, ds, part, err));
        for (int64_t row = 0; status == DF_OK && row < j.n_rows; row++)
            status = put_row(t, &j, row, err);
        df_joined_close(&j);
    }
    return status;
}

static df_status open_file(tuning *t, const char *folder, int side, df_error *err)
{
    if ((size_t)snprintf(t->tmp[side], PATH_MAX, "%s/%s.tmp", folder, names[side]) >= PATH_MAX)
        return df_fail(err, DF_IO, "write %s: path is too long", names[side]);
    t->file[side] = fopen(t->tmp[side], "wb");
    return t->file[side] ? DF_OK : df_fail(err, DF_IO, "write %s: %s", t->tmp[side], strerror(errno));
}

static df_status close_file(tuning *t, int side, df_error *err)
{
    char path[PATH_MAX];
    df_str_clear(&t->text);
    df_str_append(&t->text, t->n[side] ? "\n]\n" : "[]\n");
    DF_TRY(put(t, side, err));
    snprintf(path, sizeof path, "%.*s", (int)(strlen(t->tmp[side]) - strlen(".tmp")), t->tmp[side]);
    const int failed = fclose(t->file[side]);
    t->file[side] = NULL;
    return failed ? df_fail(err, DF_IO, "write %s: %s", path, strerror(errno))
                  : df_file_commit(t->tmp[side], path, err);
}

static void remove_files(const char *folder)
{
    char path[PATH_MAX];
    for (int side = 0; side < SIDES; side++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, names[side]) < sizeof path)
            unlink(path);
    rmdir(folder);
}

static df_status has_prompts(const df_dataset *ds, bool *has, df_error *err)
{
    df_table *fuse = NULL;
    *has = false;
    if (df_dataset_parts(ds) == 0 || !df_dataset_has_all(ds, "fuse"))
        return DF_OK;
    for (int part = 0; !*has && part < df_dataset_parts(ds); part++) {
        DF_TRY(df_dataset_read(ds, "fuse", part, &fuse, err));
        *has = df_table_rows(fuse) > 0 && !df_table_null(fuse, 0, df_table_column(fuse, "tuning_prompt"));
        const bool decided = df_table_rows(fuse) > 0;
        df_table_close(fuse);
        if (decided)
            break;
    }
    return DF_OK;
}

df_status df_export_tuning(const df_dataset *ds, const char *folder, df_tuning_split split, const df_run *run,
                           df_error *err)
{
    char own[PATH_MAX];
    bool has;
    if ((size_t)snprintf(own, sizeof own, "%s/tuning", folder) >= sizeof own)
        return df_fail(err, DF_IO, "export: path is too long");
    DF_TRY(has_prompts(ds, &has, err));
    if (!has) {
        remove_files(own);
        return DF_OK;
    }
    tuning t = {.split = split};
    df_status status = df_file_mkdir(own, err);
    for (int side = 0; status == DF_OK && side < SIDES; side++)
        status = open_file(&t, own, side, err);
    if (status == DF_OK)
        status = put_parts(&t, ds, run, err);
    for (int side = 0; status == DF_OK && side < SIDES; side++)
        status = close_file(&t, side, err);
    for (int side = 0; side < SIDES; side++) {
        if (t.file[side])
            fclose(t.file[side]);
        if (status != DF_OK && t.tmp[side][0])
            unlink(t.tmp[side]);
    }
    if (status == DF_OK)
        df_run_note(run,
                    "export: tuning: %lld conversations to train on, %lld held out; left out: %lld failed the check, "
                    "%lld have no caption",
                    (long long)t.n[TRAIN], (long long)t.n[HELD_OUT], (long long)t.n_failed, (long long)t.n_empty);
    df_str_free(&t.text);
    return status;
}
