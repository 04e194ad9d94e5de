/* The working memory of dedup, on disk: records of all vectors, and how far the work is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "stage/dedup/dedup.h"
#include "stage/members.h"

size_t df_dedup_memory(const df_dedup *d)
{
    return (size_t)d->config->memory << 20;
}

const char *df_dedup_name(const char *what, char name[DF_DEDUP_NAME])
{
    snprintf(name, DF_DEDUP_NAME, "dedup/part-%s.partial", what);
    return name;
}

static const char state_format[] = "vectors %lld dim %d clusters %lld copies %lld next %lld\n";

df_status df_dedup_save(const df_dedup *d, df_error *err)
{
    char name[DF_DEDUP_NAME], text[256];
    DF_TRY(df_records_sync(d->items, err));
    DF_TRY(df_records_sync(d->found, err));
    snprintf(text, sizeof text, state_format, (long long)d->n, d->dim, (long long)d->n_clusters,
             (long long)d->copies_done, (long long)d->next_cluster);
    return df_folder_write(df_dataset_files(d->ds), df_dedup_name("state", name), text,
                           strlen(text), err);
}

/* What another run left, when it was at work on as many vectors; else from the beginning. */
static df_status load_state(df_dedup *d, const char *path, df_error *err)
{
    char *text = NULL;
    size_t size;
    long long n = 0, clusters = 0, copies = 0, next = 0;
    int dim = 0;
    if (!df_file_exists(path))
        return DF_OK;
    df_status status = df_file_read(path, 256, &text, &size, err);
    if (status != DF_OK)
        return status == DF_FORMAT ? DF_OK : status;
    if (sscanf(text, state_format, &n, &dim, &clusters, &copies, &next) == 5 && n == d->n &&
        dim == d->dim && clusters > 0 && clusters <= DF_CLUSTERS_MAX &&
        (copies == 0 || copies == 1) && next >= 0 && next <= clusters) {
        d->n_clusters = clusters;
        d->copies_done = copies;
        d->next_cluster = next;
    }
    free(text);
    return DF_OK;
}

static void forget_state(df_dedup *d)
{
    d->n_clusters = d->copies_done = d->next_cluster = 0;
}

static df_status open_pair(df_dedup *d, df_error *err)
{
    const char *const names[] = {"items", "found"};
    df_records **const files[] = {&d->items, &d->found};
    const size_t sizes[] = {sizeof(df_dedup_item), sizeof(df_dedup_found)};
    char name[DF_DEDUP_NAME];
    for (int i = 0; i < 2; i++) {
        df_dedup_name(names[i], name);
        if (d->n_clusters == 0)              /* what is there is of no known state */
            DF_TRY(df_folder_remove(df_dataset_files(d->ds), name, err));
        DF_TRY(df_records_open(files[i], df_dataset_files(d->ds), name, sizes[i], d->n, err));
    }
    return DF_OK;
}

void df_dedup_close_records(df_dedup *d)
{
    df_records_close(d->items);
    df_records_close(d->found);
    d->items = d->found = NULL;
}

/* place: of the vector before. */
static bool is_sound(const df_dedup *d, int n_parts, int64_t index, const df_dedup_item *item,
                     const df_dedup_found *found, int64_t place)
{
    const int32_t part = df_place_unpack(item->place).part;
    return part >= 0 && part < n_parts && item->place > place &&
           index >= df_vectors_first(d->vectors, part) &&
           index < df_vectors_first(d->vectors, part + 1) && item->cluster >= 0 &&
           item->cluster < d->n_clusters && found->nearest >= 0 && found->nearest <= d->n &&
           found->kind >= DF_FOUND_KEPT && found->kind <= DF_FOUND_COPY &&
           (found->kind == DF_FOUND_KEPT || found->nearest > 0);
}

/* The records of another run are foreign input. *sound: they can be gone on with. */
static df_status check_records(const df_dedup *d, bool *sound, df_error *err)
{
    enum { CHUNK = 1 << 10 };
    df_dedup_item items[CHUNK];
    df_dedup_found found[CHUNK];
    int64_t place = -1;
    const int n_parts = df_dataset_parts(d->ds);
    *sound = !df_records_fresh(d->items) && !df_records_fresh(d->found);
    for (int64_t first = 0; *sound && first < d->n; first += CHUNK) {
        const int64_t n = d->n - first < CHUNK ? d->n - first : CHUNK;
        DF_TRY(df_records_read(d->items, first, n, items, err));
        DF_TRY(df_records_read(d->found, first, n, found, err));
        for (int64_t i = 0; *sound && i < n; i++) {
            *sound = is_sound(d, n_parts, first + i, &items[i], &found[i], place);
            place = items[i].place;
        }
    }
    return DF_OK;
}

df_status df_dedup_open_records(df_dedup *d, df_error *err)
{
    char path[PATH_MAX], name[DF_DEDUP_NAME];
    bool sound = true;
    DF_TRY(df_path(path, err, "%s/%s", df_dataset_folder(d->ds), df_dedup_name("state", name)));
    DF_TRY(load_state(d, path, err));
    DF_TRY(open_pair(d, err));
    if (d->n_clusters > 0)
        DF_TRY(check_records(d, &sound, err));
    if (sound)
        return DF_OK;
    df_run_note(d->run,
                "dedup: what an earlier run left in part-*.partial is damaged: from the beginning");
    forget_state(d);
    df_dedup_close_records(d);
    return open_pair(d, err);
}
