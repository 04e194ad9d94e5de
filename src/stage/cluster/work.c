#include "stage/cluster/work.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "io/npy.h"

#define TABLE_MAX ((size_t)1 << 30)

/* ---- what it is made from ---- */

/* The part's table in full and the two ends of its vectors: what changes when a part
 * is made anew. */
static df_status describe_part(const df_cluster_work *w, int part, df_str *out, df_error *err)
{
    char *path = df_dataset_part_path(w->ds, "embed", part, "parquet"), *bytes = NULL;
    char hex[DF_HASH_HEX], ends[DF_HASH_HEX];
    size_t size;
    int64_t first = df_vectors_first(w->vectors, part),
            n = df_vectors_first(w->vectors, part + 1) - first;
    df_status status =
        path ? df_file_read(path, TABLE_MAX, &bytes, &size, err) : df_no_memory(err, NULL);
    free(path);
    if (status != DF_OK)
        return status;
    df_hash_hex(bytes, size, hex);
    free(bytes);
    int64_t few = n < 64 ? n : 64;
    uint16_t *rows = calloc((size_t)few * (size_t)w->d * 2 + 1, sizeof *rows);
    status = rows ? df_vectors_read(w->vectors, first, few, rows, err) : df_no_memory(err, NULL);
    if (status == DF_OK)
        status = df_vectors_read(w->vectors, first + n - few, few,
                                 rows + (size_t)few * (size_t)w->d, err);
    if (status == DF_OK) {
        df_hash_hex(rows, (size_t)few * (size_t)w->d * 2 * sizeof *rows, ends);
        df_str_printf(out, "part %d %lld %s %s\n", part, (long long)n, hex, ends);
    }
    free(rows);
    return status;
}

static df_status describe(const df_cluster_work *w, df_str *out, df_error *err)
{
    const df_cluster_config *c = w->config;
    df_str_printf(out, "k=%d\niters=%lld\nstart=%s\nsample=%lld\nseed=%lld\n", w->k,
                  (long long)c->iters, c->start, (long long)c->sample, (long long)c->seed);
    int n_parts = df_dataset_parts(w->ds);
    for (int part = 0; part < n_parts; part++)
        DF_TRY(describe_part(w, part, out, err));
    return out->failed ? df_no_memory(err, NULL) : DF_OK;
}

/* A file in `work` that belongs to a round before this one. made.txt is of none. */
static bool is_before(const char *name, const void *ctx)
{
    int of;
    return sscanf(name, "%5d.", &of) == 1 && of < *(const int *)ctx;
}

static df_status remove_before(const df_dataset *ds, int round, df_error *err)
{
    return df_folder_remove_chosen(df_dataset_files(ds), "cluster/work", is_before, &round, err);
}

static df_status remove_work(const df_dataset *ds, df_error *err)
{
    DF_TRY(df_folder_remove(df_dataset_files(ds), "cluster/centroids.npy", err));
    return remove_before(ds, INT_MAX, err);
}

/* The line at which two texts part, for the message. */
static int first_difference(const char *a, const char *b)
{
    int end = 0;
    while (a[end] && a[end] == b[end])
        end++;
    while (end > 0 && a[end - 1] != '\n')
        end--;
    return end;
}

df_status df_cluster_work_list(const df_dataset *ds, df_cluster_work_visit *visit, void *ctx,
                               df_error *err)
{
    char folder[PATH_MAX];
    DF_TRY(df_path(folder, err, "%s/cluster/work", df_dataset_folder(ds)));
    DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? DF_OK
                               : df_fail(err, DF_IO, "open %s: %s", folder, strerror(errno));
    df_status status = DF_OK;
    for (struct dirent *e; status == DF_OK && (errno = 0, e = readdir(dir));)
        status = visit(ctx, e->d_name, err);
    if (status == DF_OK && errno != 0)
        status = df_fail(err, DF_IO, "list %s: %s", folder, strerror(errno));
    closedir(dir);
    return status;
}

static df_status note_round(void *ctx, const char *name, df_error *err)
{
    int *latest = ctx, round, end = 0;
    (void)err;
    if (sscanf(name, "%5d.npy%n", &round, &end) == 1 && end && !name[end] && round > *latest)
        *latest = round;
    return DF_OK;
}

/* Sets *round to the number of the last round on disk, -1 when there is none. */
static df_status find_latest_round(const df_dataset *ds, int *round, df_error *err)
{
    *round = -1;
    return df_cluster_work_list(ds, note_round, round, err);
}

bool df_cluster_work_finished(const df_dataset *ds)
{
    char path[PATH_MAX];
    return df_path(path, NULL, "%s/cluster/centroids.npy", df_dataset_folder(ds)) == DF_OK &&
           df_file_exists(path);
}

/* Compares what the rounds on disk were begun with and what is asked now. Another beginning is
 * an error, or, when fresh, removed. */
static df_status check_made(const df_cluster_work *w, const char *text, bool fresh, df_error *err)
{
    char path[PATH_MAX], *was = NULL;
    size_t size;
    /* Before made.txt, which comes before them: rounds without it are of no known making, and not
     * another machine's. */
    int latest;
    DF_TRY(find_latest_round(w->ds, &latest, err));
    const bool rounds = latest >= 0 || df_cluster_work_finished(w->ds);
    DF_TRY(df_path(path, err, "%s/cluster/work/made.txt", df_dataset_folder(w->ds)));
    if (df_file_exists(path))
        DF_TRY(df_file_read(path, TABLE_MAX, &was, &size, err));
    bool same = was && strcmp(was, text) == 0;
    df_status status = DF_OK;
    if (was && !same && !fresh) {
        const char *from = was + first_difference(was, text),
                   *now = text + first_difference(was, text);
        status = df_fail(err, DF_FORMAT,
                         "cluster/work was begun with `%.*s`, now it is `%.*s`: give the same "
                         "options, or remove "
                         "%s/cluster and begin anew",
                         (int)strcspn(from, "\n"), from, (int)strcspn(now, "\n"), now,
                         df_dataset_folder(w->ds));
    }
    bool other = was || rounds;
    free(was);
    if (status != DF_OK || same)
        return status;
    if (other)
        DF_TRY(remove_work(w->ds, err));
    /* Machines may begin at the same moment: the last one puts the same bytes there. */
    return df_folder_write(df_dataset_files(w->ds), "cluster/work/made.txt", text, strlen(text),
                           err);
}

/* ---- centroids ---- */

/* Reads k centroids of d values from a .npy file of the dataset, which may hold anything. */
static df_status read_centroids(const df_cluster_work *w, const char *name, float *centroid,
                                df_error *err)
{
    char path[PATH_MAX];
    df_npy *npy;
    DF_TRY(df_path(path, err, "%s/cluster/%s", df_dataset_folder(w->ds), name));
    DF_TRY(df_npy_open(&npy, path, err));
    df_npy_shape shape = df_npy_shape_of(npy);
    df_status status = shape.type == DF_NPY_FLOAT32 && shape.rows == w->k && shape.dim == w->d
                           ? df_npy_read(npy, 0, w->k, centroid, err)
                           : df_fail(err, DF_FORMAT, "%s: not %d centroids of %d float32 values",
                                     path, w->k, w->d);
    df_npy_close(npy);
    /* A NaN is no nearest centroid of any row, and sums of large values would overflow. */
    for (int64_t i = 0; status == DF_OK && i < (int64_t)w->k * w->d; i++)
        if (!(fabsf(centroid[i]) < 2))
            status = df_fail(err, DF_FORMAT,
                             "%s: centroid %lld is not of unit length; remove the file and run "
                             "cluster again",
                             path, (long long)(i / w->d));
    return status;
}

/* Writes centroids as float32 [k, d] to a .npy file of the dataset. */
static df_status write_centroids(const df_cluster_work *w, const char *name, const float *centroid,
                                 df_error *err)
{
    char within[64];
    df_draft draft;
    df_npy_writer *writer = NULL;
    snprintf(within, sizeof within, "cluster/%s", name);
    DF_TRY(df_folder_draft(df_dataset_files(w->ds), within, &draft, err));
    df_status status = df_npy_create(&writer, draft.path, DF_NPY_FLOAT32, w->d, err);
    if (status == DF_OK)
        status = df_npy_append(writer, centroid, w->k, err);
    if (status == DF_OK)
        status = df_npy_finish(writer, err);
    df_npy_writer_close(writer);
    if (status == DF_OK)
        return df_draft_commit(&draft, err);
    df_draft_drop(&draft);
    return status;
}

static df_status resume(df_cluster_work *w, df_error *err)
{
    char name[32];
    w->finished = df_cluster_work_finished(w->ds);
    DF_TRY(find_latest_round(w->ds, &w->round, err));
    /* and perhaps killed before the last rounds were gone */
    if (w->finished) {
        DF_TRY(remove_before(w->ds, INT_MAX, err));
        return read_centroids(w, "centroids.npy", w->centroid, err);
    }
    if (w->round < 0)
        return DF_OK;
    snprintf(name, sizeof name, "work/%05d.npy", w->round);
    return read_centroids(w, name, w->centroid, err);
}

static df_status count_clusters(df_cluster_work *w, df_error *err)
{
    int64_t k = w->config->k;
    for (int64_t root = 1; k == 0 && root <= 50000; root++)
        if (root * root >= w->n || root == 50000)
            k = root;
    if (w->n > 0 && k > w->n)
        return df_fail(err, DF_CONFIG,
                       "%lld vectors are fewer than the %lld clusters asked for: set cluster.k to "
                       "at most %lld",
                       (long long)w->n, (long long)k, (long long)w->n);
    w->k = (int)k;
    return DF_OK;
}

df_status df_cluster_work_open(df_cluster_work *w, df_dataset *ds, const df_cluster_config *config,
                               const df_run *run, bool fresh, df_error *err)
{
    *w = (df_cluster_work){.ds = ds, .config = config, .run = run, .round = -1};
    df_str text = {0};
    df_status status = df_vectors_open(&w->vectors, ds, err);
    if (status == DF_OK) {
        w->n = df_vectors_count(w->vectors);
        w->d = df_vectors_dim(w->vectors);
        status = count_clusters(w, err);
    }
    if (status == DF_OK && w->n > 0) {
        w->centroid = malloc((size_t)w->k * (size_t)w->d * sizeof *w->centroid);
        status = w->centroid ? describe(w, &text, err) : df_no_memory(err, "%d centroids", w->k);
        if (status == DF_OK)
            status = check_made(w, df_str_text(&text), fresh, err);
        if (status == DF_OK)
            status = resume(w, err);
    }
    df_str_free(&text);
    if (status != DF_OK)
        df_cluster_work_close(w);
    return status;
}

void df_cluster_work_close(df_cluster_work *w)
{
    df_vectors_close(w->vectors);
    free(w->centroid);
    *w = (df_cluster_work){0};
}

df_status df_cluster_work_start(df_cluster_work *w, df_error *err)
{
    if (w->round >= 0 || w->finished)
        return DF_OK;
    df_training t;
    DF_TRY(df_training_init(&t, w, NULL, 0, err));
    uint64_t seed = (uint64_t)w->config->seed;
    df_status status =
        strcmp(w->config->start, "plusplus") == 0
            ? df_kmeans_start_plus_plus(&t.rows, w->k, seed, w->run->n_threads, w->centroid, err)
            : df_kmeans_start_sample(&t.rows, w->k, seed, w->centroid, err);
    df_training_free(&t);
    if (status == DF_OK)
        status = write_centroids(w, "work/00000.npy", w->centroid, err);
    if (status == DF_OK)
        w->round = 0;
    return status;
}

df_status df_cluster_work_advance(df_cluster_work *w, const float *centroid, df_error *err)
{
    char name[32];
    size_t bytes = (size_t)w->k * (size_t)w->d * sizeof *centroid;
    bool last = memcmp(w->centroid, centroid, bytes) == 0 || w->round + 1 >= w->config->iters;
    snprintf(name, sizeof name, "work/%05d.npy", w->round + 1);
    DF_TRY(write_centroids(w, last ? "centroids.npy" : name, centroid, err));
    memcpy(w->centroid, centroid, bytes);
    w->round++;
    w->finished = last;
    /* of earlier rounds nothing is needed any more */
    return remove_before(w->ds, last ? INT_MAX : w->round, err);
}

/* ---- training rows ---- */

/* Reads vectors of the training set: those of the chosen parts, one range after the other, all
 * of them or a sample. */
static df_status read_training(void *ctx, int64_t first, int64_t n, uint16_t *out, df_error *err)
{
    const df_training *t = ctx;
    int range = 0;
    for (int64_t i = first; i < first + n;) {
        int64_t before = 0;
        for (range = 0; i - before >= t->end[range] - t->first[range]; range++)
            before += t->end[range] - t->first[range];
        int64_t row = t->first[range] + i - before, run = t->end[range] - row;
        run = run < first + n - i ? run : first + n - i;
        uint16_t *to = out + (size_t)(i - first) * (size_t)t->rows.d;
        if (t->m == t->n) {
            DF_TRY(df_vectors_read(t->vectors, row, run, to, err));
            i += run;
        } else {
            DF_TRY(
                df_vectors_read(t->vectors, df_sample_row(row, t->m, t->n, t->seed), 1, to, err));
            i++;
        }
    }
    return DF_OK;
}

/* The first training row at or after a vector. */
static int64_t training_at(const df_training *t, int64_t vector)
{
    int64_t low = 0, high = t->m;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int64_t at = t->m == t->n ? middle : df_sample_row(middle, t->m, t->n, t->seed);
        if (at < vector)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

df_status df_training_init(df_training *t, const df_cluster_work *w, const int *parts, int n_parts,
                           df_error *err)
{
    int64_t wanted = w->config->sample ? w->config->sample * w->k : w->n;
    *t = (df_training){.vectors = w->vectors,
                       .n = w->n,
                       .m = wanted < w->n ? wanted : w->n,
                       .seed = (uint64_t)w->config->seed + 1,
                       .n_ranges = parts ? n_parts : 1};
    t->first = calloc((size_t)t->n_ranges + 1, sizeof *t->first);
    t->end = calloc((size_t)t->n_ranges + 1, sizeof *t->end);
    if (!t->first || !t->end) {
        df_training_free(t);
        return df_no_memory(err, NULL);
    }
    t->end[0] = t->m;
    for (int i = 0; parts && i < n_parts; i++) {
        t->first[i] = training_at(t, df_vectors_first(w->vectors, parts[i]));
        t->end[i] = training_at(t, df_vectors_first(w->vectors, parts[i] + 1));
    }
    t->rows = (df_rows){.d = w->d, .read = read_training, .ctx = t};
    for (int i = 0; i < t->n_ranges; i++)
        t->rows.n += t->end[i] - t->first[i];
    return DF_OK;
}

void df_training_free(df_training *t)
{
    free(t->first);
    free(t->end);
    *t = (df_training){0};
}
