/* The files by which machines share a round of k-means: little-endian int64, parts, then counts,
 * then sums. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "stage/cluster/work.h"

static const char magic[8] = "DFSUMS1";

typedef struct {
    char magic[8];
    int64_t k, d, n_parts;
} sums_header;

static size_t sums_size(int k, int d, int64_t n_parts)
{
    return sizeof(sums_header) +
           ((size_t)n_parts + (size_t)k + (size_t)k * (size_t)d) * sizeof(int64_t);
}

/* "00003.0-9,12.sums": which parts are summed can be seen without opening it. Long lists are cut
 * short. */
static void name_of(int round, const int *parts, int n_parts, char *name, size_t size)
{
    size_t at = (size_t)snprintf(name, size, "%05d.", round);
    for (int i = 0; i < n_parts && at < size - 64;) {
        int end = i;
        while (end + 1 < n_parts && parts[end + 1] == parts[end] + 1)
            end++;
        at += (size_t)(end > i ? snprintf(name + at, size - at, "%s%d-%d", i ? "," : "", parts[i],
                                          parts[end])
                               : snprintf(name + at, size - at, "%s%d", i ? "," : "", parts[i]));
        i = end + 1;
    }
    snprintf(name + at, size - at, ".sums");
}

df_status df_cluster_work_write_sums(const df_cluster_work *w, const int *parts, int n_parts,
                                     const int64_t *sum, const int64_t *count, df_error *err)
{
    char name[200], within[256];
    size_t size = sums_size(w->k, w->d, n_parts);
    int64_t *bytes = malloc(size);
    if (!bytes)
        return df_no_memory(err, "sums of %d clusters", w->k);
    name_of(w->round, parts, n_parts, name, sizeof name);
    snprintf(within, sizeof within, "cluster/work/%s", name);
    sums_header header = {.k = w->k, .d = w->d, .n_parts = n_parts};
    memcpy(header.magic, magic, sizeof magic);
    memcpy(bytes, &header, sizeof header);
    int64_t *to = bytes + sizeof header / sizeof *bytes;
    for (int i = 0; i < n_parts; i++)
        *to++ = parts[i];
    memcpy(to, count, (size_t)w->k * sizeof *count);
    memcpy(to + w->k, sum, (size_t)w->k * (size_t)w->d * sizeof *sum);
    df_status status = df_folder_write(df_dataset_files(w->ds), within, bytes, size, err);
    free(bytes);
    return status;
}

static df_status mark(const int64_t *parts, int64_t n_parts, const char *path, bool *seen,
                      int n_all, df_error *err)
{
    for (int64_t i = 0; i < n_parts; i++) {
        if (parts[i] < 0 || parts[i] >= n_all)
            return df_fail(err, DF_FORMAT, "%s: part %lld is not one of this dataset", path,
                           (long long)parts[i]);
        if (seen[parts[i]])
            return df_fail(
                err, DF_FORMAT,
                "%s: part %lld is in another sums file of this round too: remove one of them", path,
                (long long)parts[i]);
        seen[parts[i]] = true;
    }
    return DF_OK;
}

/* False: no sums of vectors are as large. */
static bool add(int64_t *sum, const int64_t *more, size_t n)
{
    bool fits = true;
    for (size_t i = 0; i < n; i++)
        fits &= !__builtin_add_overflow(sum[i], more[i], &sum[i]);
    return fits;
}

/* Adds one machine's sums and counts. seen: parts that were counted already, to find a part that
 * comes twice. */
static df_status add_file(const df_cluster_work *w, const char *path, bool *seen, int64_t *sum,
                          int64_t *count, df_error *err)
{
    int n_all = df_dataset_parts(w->ds);
    char *bytes;
    size_t size;
    DF_TRY(df_file_read(path, sums_size(w->k, w->d, n_all), &bytes, &size, err));
    sums_header header = {{0}, 0, 0, 0};
    if (size >= sizeof header)
        memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.k != w->k || header.d != w->d ||
        header.n_parts < 0 || header.n_parts > n_all ||
        size != sums_size(w->k, w->d, header.n_parts)) {
        free(bytes);
        return df_fail(
            err, DF_FORMAT,
            "%s: not the sums of %d clusters of %d dimensions: remove it and map its parts again",
            path, w->k, w->d);
    }
    const int64_t *parts = (const int64_t *)(const void *)(bytes + sizeof header);
    df_status status = mark(parts, header.n_parts, path, seen, n_all, err);
    const int64_t *counts = parts + header.n_parts, *sums = counts + w->k;
    if (status == DF_OK &&
        (!add(count, counts, (size_t)w->k) || !add(sum, sums, (size_t)w->k * (size_t)w->d)))
        status =
            df_fail(err, DF_FORMAT, "%s: it is damaged: remove it and map its parts again", path);
    free(bytes);
    return status;
}

static df_status all_seen(const df_cluster_work *w, const bool *seen, df_error *err)
{
    int n = df_dataset_parts(w->ds), missing = 0, first = -1;
    for (int part = n - 1; part >= 0; part--) {
        missing += !seen[part];
        first = seen[part] ? first : part;
    }
    return missing == 0 ? DF_OK
                        : df_fail(err, DF_FORMAT,
                                  "round %d: %d of %d parts are not mapped yet, part %d is the "
                                  "first: densefusion "
                                  "kmeans map %s --parts %d",
                                  w->round + 1, missing, n, first, df_dataset_folder(w->ds), first);
}

typedef struct {
    const df_cluster_work *w;
    bool *seen;
    int64_t *sum, *count;
} reading;

/* Adds a file of cluster/work if it holds sums of this round. */
static df_status add_if_sums(void *ctx, const char *name, df_error *err)
{
    const reading *r = ctx;
    char path[PATH_MAX], prefix[16];
    const size_t length = strlen(name),
                 n = (size_t)snprintf(prefix, sizeof prefix, "%05d.", r->w->round);
    if (strncmp(name, prefix, n) != 0 || length < 5 || strcmp(name + length - 5, ".sums") != 0)
        return DF_OK;
    DF_TRY(df_path(path, err, "%s/cluster/work/%s", df_dataset_folder(r->w->ds), name));
    return add_file(r->w, path, r->seen, r->sum, r->count, err);
}

df_status df_cluster_work_read_sums(const df_cluster_work *w, int64_t *sum, int64_t *count,
                                    df_error *err)
{
    reading r = {w, calloc((size_t)df_dataset_parts(w->ds) + 1, sizeof *r.seen), sum, count};
    if (!r.seen)
        return df_no_memory(err, NULL);
    df_status status = df_cluster_work_list(w->ds, add_if_sums, &r, err);
    if (status == DF_OK)
        status = all_seen(w, r.seen, err);
    free(r.seen);
    return status;
}
