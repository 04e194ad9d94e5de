/* report: a page to look at. It opens from the file system, so its data are scripts: data/stats.js with the numbers,
 * data/images-0000.js ... with 100 images each. index.html is written last: a page that is there is whole. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/pool.h"
#include "dataset/gather.h"
#include "dataset/source.h"
#include "io/json.h"
#include "stage/report_row.h"
#include "stage/stage.h"

#define ASSET_BYTES_MAX ((size_t)4 << 20)
#define STATS_BYTES_MAX ((size_t)64 << 20)
enum { CHUNK_IMAGES = 100, THUMB_NAME = DF_ROW_ID_MAX + 40 };
static const char *const assets[] = {"style.css",  "store.js",   "marks.js", "detail.js",
                                     "gallery.js", "numbers.js", "page.js",  "index.html"};

typedef struct { int64_t images, rejected, side, quality; } report_config;

/* Every n-th of what there is, so that at most `max` are shown and they come from everywhere. */
typedef struct { int64_t max, total, seen; } sampler;

typedef struct {
    const df_dataset *ds;
    const df_run *run;
    const report_config *config;
    sampler kept, rejected;
    df_str chunk;
    df_map thumbs;                           /* the names of the pictures shown */
    df_arena names;
    int64_t n_shown, n_chunks, in_chunk;
} report;

/* What is shown of one part. */
typedef struct {
    const report *r;
    const df_table *ingest;
    int part;
    int64_t *rows, n;
    char (*thumbs)[THUMB_NAME];              /* "" where the image could not be decoded */
} showing;

static bool sample(sampler *s)
{
    int64_t i = s->seen++;
    if (s->total <= s->max)
        return s->max > 0;
    double step = (double)s->max / (double)s->total;         /* exact enough: totals are far below 2^53 */
    return (int64_t)((double)(i + 1) * step) > (int64_t)((double)i * step);
}

static df_status in_report(const report *r, const char *name, char path[PATH_MAX], df_error *err)
{
    if ((size_t)snprintf(path, PATH_MAX, "%s/report/%s", df_dataset_folder(r->ds), name) >= PATH_MAX)
        return df_fail(err, DF_IO, "report: path is too long");
    return DF_OK;
}

/* ---- thumbnails ---- */

static df_status make_thumb(const showing *s, int64_t row, const char *path, df_error *err)
{
    uint8_t *bytes = NULL, *jpeg = NULL;
    size_t size = 0, jpeg_size = 0;
    df_image image = {0};
    df_error quiet;                          /* an image that cannot be shown is shown as that */
    bool made = df_source_read(s->r->ds, s->ingest, row, &bytes, &size, &quiet) == DF_OK &&
                df_image_decode(bytes, size, (int)s->r->config->side, &image, &quiet) == DF_OK &&
                df_image_encode_jpeg(&image, (int)s->r->config->quality, &jpeg, &jpeg_size, &quiet) == DF_OK;
    df_status status = made ? df_file_write(path, jpeg, jpeg_size, err) : DF_FORMAT;
    free(bytes);
    free(jpeg);
    df_image_free(&image);
    return status;
}

/* The name holds what the picture depends on: one that is there is right. */
static df_status show_thumb(void *ctx, int64_t item, int thread, df_error *err)
{
    (void)thread;
    const showing *s = ctx;
    if (df_run_stopped(s->r->run))
        return df_fail(err, DF_STOPPED, "stopped");
    int64_t row = s->rows[item];
    char id[DF_ROW_ID_MAX], path[PATH_MAX], name[THUMB_NAME + 8], *thumb = s->thumbs[item];
    df_row_id(s->part, row, id);
    const char *hash = df_table_text(s->ingest, row, df_table_column(s->ingest, "hash"));
    snprintf(thumb, THUMB_NAME, "%s-%.12s-%d-%d.jpg", id, *hash ? hash : "x", (int)s->r->config->side,
             (int)s->r->config->quality);
    snprintf(name, sizeof name, "thumbs/%s", thumb);
    DF_TRY(in_report(s->r, name, path, err));
    if (*hash && df_file_exists(path))
        return DF_OK;
    df_status status = make_thumb(s, row, path, err);
    if (status == DF_FORMAT)
        *thumb = '\0';
    return status == DF_FORMAT ? DF_OK : status;
}

/* ---- images ---- */

static df_status flush(report *r, df_error *err)
{
    if (r->in_chunk == 0)
        return DF_OK;
    char name[40], path[PATH_MAX];
    snprintf(name, sizeof name, "data/images-%04lld.js", (long long)r->n_chunks);
    DF_TRY(in_report(r, name, path, err));
    df_str_append(&r->chunk, "\n]);\n");
    if (r->chunk.failed)
        return df_fail(err, DF_NOMEM, "write %s: out of memory", path);
    DF_TRY(df_file_write(path, r->chunk.data, r->chunk.size, err));
    df_str_clear(&r->chunk);
    r->n_chunks++;
    r->in_chunk = 0;
    return DF_OK;
}

static df_status remember(report *r, const char *thumb, df_error *err)
{
    int64_t stored;
    char *name = df_arena_strdup(&r->names, thumb);
    return name ? df_map_put(&r->thumbs, name, 1, &stored, err) : df_fail(err, DF_NOMEM, "report: out of memory");
}

static df_status append_images(report *r, const showing *s, const df_joined *j, const df_evidence *evidence,
                               df_error *err)
{
    for (int64_t i = 0; i < s->n; i++) {
        DF_TRY(remember(r, s->thumbs[i], err));
        df_str_append(&r->chunk, r->in_chunk ? ",\n" : "densefusion.add([\n");
        df_report_row(&r->chunk, j, s->rows[i], &evidence[s->rows[i]], s->thumbs[i]);
        r->n_shown++;
        if (++r->in_chunk == CHUNK_IMAGES)
            DF_TRY(flush(r, err));
    }
    return DF_OK;
}

static const char *const reads[] = {"ingest", "filter", "dedup", "select",  "tag",   "detect",
                                    "read",   "look",   "fuse",  "caption", "check", "stats", NULL};

static df_status choose(report *r, showing *s, df_error *err)
{
    bool *kept = NULL;
    int64_t n = 0;
    DF_TRY(df_dataset_kept(r->ds, reads, s->part, &kept, &n, err));
    s->rows = malloc(((size_t)n + 1) * sizeof *s->rows);
    for (int64_t row = 0; s->rows && row < n; row++)
        if (sample(kept[row] ? &r->kept : &r->rejected))
            s->rows[s->n++] = row;
    free(kept);
    s->thumbs = s->rows ? calloc((size_t)s->n + 1, sizeof *s->thumbs) : NULL;
    return s->thumbs ? DF_OK : df_fail(err, DF_NOMEM, "report: out of memory");
}

static df_status show(report *r, showing *s, df_error *err)
{
    df_joined j = {0};
    df_evidence_tables tables = {0};
    df_arena arena = {0};
    df_evidence *evidence = NULL;
    int64_t n_rows = 0;
    df_status status = df_joined_open(&j, r->ds, s->part, err);
    if (status == DF_OK)
        status = df_evidence_tables_open(&tables, r->ds, s->part, true, err);
    if (status == DF_OK)
        status = df_evidence_gather(&tables, &arena, &evidence, &n_rows, err);
    if (status == DF_OK) {
        s->ingest = j.table[DF_OF_INGEST];
        status = df_pool_run(r->run->n_threads > 0 ? r->run->n_threads : 1, s->n, show_thumb, s, err);
    }
    if (status == DF_OK)
        status = append_images(r, s, &j, evidence, err);
    df_arena_reset(&arena);
    df_evidence_tables_close(&tables);
    df_joined_close(&j);
    return status;
}

static df_status show_part(report *r, int part, df_error *err)
{
    showing s = {.r = r, .part = part};
    df_status status = choose(r, &s, err);
    if (status == DF_OK && s.n)
        status = show(r, &s, err);
    free(s.rows);
    free(s.thumbs);
    return status;
}

static df_status count_images(report *r, df_error *err)
{
    for (int part = 0; part < df_dataset_parts(r->ds); part++) {
        bool *kept = NULL;
        int64_t n = 0;
        DF_TRY(df_dataset_kept(r->ds, reads, part, &kept, &n, err));
        for (int64_t row = 0; row < n; row++)
            (*(kept[row] ? &r->kept.total : &r->rejected.total))++;
        free(kept);
    }
    return DF_OK;
}

/* ---- the rest of the page ---- */

static const char *dataset_name(const df_dataset *ds)
{
    const char *input = df_dataset_input(ds), *slash = strrchr(input, '/');
    return slash && slash[1] ? slash + 1 : input;
}

static df_status write_stats(const report *r, df_error *err)
{
    char path[PATH_MAX], *stats = NULL;
    size_t size = 0;
    if ((size_t)snprintf(path, sizeof path, "%s/stats/stats.json", df_dataset_folder(r->ds)) >= sizeof path)
        return df_fail(err, DF_IO, "report: path is too long");
    if (df_file_exists(path))
        DF_TRY(df_file_read(path, STATS_BYTES_MAX, &stats, &size, err));
    df_str out = {0};
    df_str_append(&out, "densefusion.start({\"name\":");
    df_json_append_text(&out, dataset_name(r->ds));
    df_str_printf(
        &out, ",\"chunks\":%lld,\"shown\":%lld,\"kept\":%lld,\"rejected\":%lld,\"stats\":", (long long)r->n_chunks,
        (long long)r->n_shown, (long long)r->kept.total, (long long)r->rejected.total);
    df_str_append(&out, stats ? stats : "null");
    df_str_append(&out, "});\n");
    free(stats);
    df_status status = in_report(r, "data/stats.js", path, err);
    if (status == DF_OK)
        status = out.failed ? df_fail(err, DF_NOMEM, "write %s: out of memory", path)
                            : df_file_write(path, out.data, out.size, err);
    df_str_free(&out);
    return status;
}

static df_status read_asset(const df_run *run, const char *name, char **bytes, size_t *size, df_error *err)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/report/%s", run->share ? run->share : ".", name) >= sizeof path)
        return df_fail(err, DF_IO, "report: path is too long");
    return df_file_read(path, ASSET_BYTES_MAX, bytes, size, err);
}

/* A newer page is made again. */
static df_status report_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    (void)config;
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++) {
        char *bytes, hex[DF_HASH_HEX];
        size_t size;
        DF_TRY(read_asset(run, assets[i], &bytes, &size, err));
        df_hash_hex(bytes, size, hex);
        free(bytes);
        df_str_printf(out, "%s=%s\n", assets[i], hex);
    }
    return DF_OK;
}

static df_status copy_assets(const report *r, df_error *err)
{
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++) {
        char to[PATH_MAX], *bytes;
        size_t size;
        DF_TRY(in_report(r, assets[i], to, err));
        DF_TRY(read_asset(r->run, assets[i], &bytes, &size, err));
        df_status status = df_file_write(to, bytes, size, err);
        free(bytes);
        DF_TRY(status);
    }
    return DF_OK;
}

/* Pictures and chunks of an earlier report that showed others. */
static void remove_stale(const report *r)
{
    char name[40], path[PATH_MAX];
    DIR *thumbs = in_report(r, "thumbs", path, NULL) == DF_OK ? opendir(path) : NULL;
    for (struct dirent *e; thumbs && (e = readdir(thumbs));)
        if (e->d_name[0] != '.' && df_map_find(&r->thumbs, e->d_name, 0) == 0)
            unlinkat(dirfd(thumbs), e->d_name, 0);
    if (thumbs)
        closedir(thumbs);
    for (int64_t i = r->n_chunks;; i++) {
        snprintf(name, sizeof name, "data/images-%04lld.js", (long long)i);
        if (in_report(r, name, path, NULL) != DF_OK || unlink(path) != 0)
            return;
    }
}

static df_status make_folders(const report *r, df_error *err)
{
    const char *const names[] = {"data", "thumbs"};
    char path[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        DF_TRY(in_report(r, names[i], path, err));
        DF_TRY(df_file_mkdir(path, err));
    }
    return DF_OK;
}

static df_status show_all(report *r, df_error *err)
{
    int n_parts = df_dataset_parts(r->ds);
    DF_TRY(make_folders(r, err));
    DF_TRY(count_images(r, err));
    for (int part = 0; part < n_parts; part++) {
        if (df_run_stopped(r->run))
            return df_fail(err, DF_STOPPED, "stopped");
        DF_TRY(show_part(r, part, err));
        df_run_progress(r->run, "report", part + 1, n_parts);
    }
    DF_TRY(flush(r, err));
    remove_stale(r);
    DF_TRY(write_stats(r, err));
    return copy_assets(r, err);
}

/* Always the whole dataset, whatever run->parts chooses. */
static df_status report_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const report_config *c = config;
    report r = {.ds = ds, .run = run, .config = c, .kept = {.max = c->images}, .rejected = {.max = c->rejected}};
    df_status status = show_all(&r, err);
    df_str_free(&r.chunk);
    df_map_free(&r.thumbs);
    df_arena_reset(&r.names);
    return status;
}

#define AT(field) offsetof(report_config, field)
static const df_option options[] = {
    {"images", DF_OPT_INT, AT(images), "1000", 0, 1e6, "most images to show, evenly chosen when there are more"},
    {"rejected", DF_OPT_INT, AT(rejected), "200", 0, 1e6, "most rejected images to show, evenly chosen"},
    {"side", DF_OPT_INT, AT(side), "768", 64, 4096, "long side of the pictures in the page, pixels"},
    {"quality", DF_OPT_INT, AT(quality), "82", 1, 100, "JPEG quality of the pictures in the page"},
    {0},
};
const df_stage df_stage_report = {
    .name = "report",
    .summary = "make a page to look at: images, evidence, captions, numbers",
    .reads = reads,
    .options = options,
    .config_size = sizeof(report_config),
    .run = report_run,
    .depends = report_depends,
};
