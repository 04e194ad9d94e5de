/* report: a page to look at. It opens from the file system, so its data are scripts: data/stats.js
 * with the numbers, data/images-0000.js ... with 100 images each, data/clusters.js. index.html is
 * written last: a page that is there is whole. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "tables/gather.h"
#include "tables/tables.h"
#include "io/json_writer.h"
#include "stage/report/clusters.h"
#include "stage/report/row.h"
#include "stage/report/thumbs.h"
#include "stage/stage.h"
#include "tables/check.h"
#include "tables/kept.h"
#include "tables/fuse.h"

#define ASSET_BYTES_MAX ((size_t)4 << 20)
#define STATS_BYTES_MAX ((size_t)64 << 20)
enum { CHUNK_IMAGES = 100 };
static const char *const assets[] = {"style.css",   "store.js",   "marks.js",
                                     "detail.js",   "gallery.js", "numbers.js",
                                     "clusters.js", "page.js",    "index.html"};

typedef struct {
    int64_t images, rejected, side, quality;
    df_report_clusters_config clusters;
} report_config;

/* Every n-th of what there is, so that at most `max` are shown and they come from everywhere. */
typedef struct {
    int64_t max, total, seen;
} sampler;

typedef struct {
    const df_dataset *ds;
    const df_run *run;
    const report_config *config;
    sampler kept, rejected;
    df_str chunk;
    df_thumbs thumbs;
    int64_t n_shown, n_chunks, in_chunk;
    bool has_clusters;
} report;

/* What is shown of one part. */
typedef struct {
    const report *r;
    const df_table *ingest;
    int part;
    int64_t *rows, n;
    df_thumb_name *thumbs;                   /* "" where the image could not be decoded */
} showing;

static bool sample(sampler *s)
{
    int64_t i = s->seen++;
    if (s->total <= s->max)
        return s->max > 0;
    /* exact enough: totals are far below 2^53 */
    double step = (double)s->max / (double)s->total;
    return (int64_t)((double)(i + 1) * step) > (int64_t)((double)i * step);
}

/* ---- images ---- */

static df_status flush(report *r, df_error *err)
{
    if (r->in_chunk == 0)
        return DF_OK;
    char name[64];
    snprintf(name, sizeof name, "report/data/images-%04lld.js", (long long)r->n_chunks);
    df_str_append(&r->chunk, "\n]);\n");
    if (r->chunk.failed)
        return df_no_memory(err, "write %s", name);
    DF_TRY(df_folder_write(df_dataset_files(r->ds), name, r->chunk.data, r->chunk.size, err));
    df_str_clear(&r->chunk);
    r->n_chunks++;
    r->in_chunk = 0;
    return DF_OK;
}

static df_status append_images(report *r, const showing *s, const df_joined *j,
                               const df_evidence *evidence, const df_table *left,
                               const df_table *support, df_error *err)
{
    for (int64_t i = 0; i < s->n; i++) {
        df_str_append(&r->chunk, r->in_chunk ? ",\n" : "densefusion.add([\n");
        df_report_row(&r->chunk, j, s->rows[i], &evidence[s->rows[i]], left, support, s->thumbs[i]);
        r->n_shown++;
        if (++r->in_chunk == CHUNK_IMAGES)
            DF_TRY(flush(r, err));
    }
    return DF_OK;
}

static const char *const reads[] = {"ingest", "cluster", DF_DECIDERS, "tag",   "detect", "read",
                                    "look",   "fuse",    "caption",   "check", "stats",  NULL};

static df_status choose(report *r, showing *s, df_error *err)
{
    bool *kept = NULL;
    int64_t n = 0;
    DF_TRY(df_kept_rows(r->ds, reads, s->part, &kept, &n, err));
    s->rows = malloc(((size_t)n + 1) * sizeof *s->rows);
    for (int64_t row = 0; s->rows && row < n; row++)
        if (sample(kept[row] ? &r->kept : &r->rejected))
            s->rows[s->n++] = row;
    free(kept);
    s->thumbs = s->rows ? calloc((size_t)s->n + 1, sizeof *s->thumbs) : NULL;
    return s->thumbs ? DF_OK : df_no_memory(err, "report");
}

/* Writes the chosen images of one part, with everything that is known of them. */
static df_status show(report *r, showing *s, df_error *err)
{
    df_joined j = {0};
    df_evidence_tables tables = {0};
    df_arena arena = {0};
    df_evidence *evidence = NULL;
    df_table *left = NULL, *support = NULL;
    int64_t n_rows = 0;
    df_status status = df_joined_open(&j, r->ds, s->part, err);
    if (status == DF_OK)
        status = df_evidence_tables_open(&tables, r->ds, s->part, true, err);
    if (status == DF_OK)
        status = df_evidence_gather(&tables, &arena, &evidence, &n_rows, err);
    if (status == DF_OK && tables.fused && df_dataset_has_part(r->ds, "fuse/left", s->part))
        status = df_dataset_read(r->ds, &df_fuse_left_table, s->part, &left, err);
    if (status == DF_OK && df_joined_table(&j, &df_check_table))
        status = df_dataset_read(r->ds, &df_check_support_table, s->part, &support, err);
    if (status == DF_OK) {
        s->ingest = df_joined_table(&j, &df_ingest_table);
        status = df_thumbs_make(&r->thumbs, s->part, s->ingest, s->rows, s->n, r->config->side,
                                s->thumbs, err);
    }
    if (status == DF_OK)
        status = append_images(r, s, &j, evidence, left, support, err);
    df_arena_reset(&arena);
    df_table_close(support);
    df_table_close(left);
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
    int n_parts = df_dataset_parts(r->ds);
    for (int part = 0; part < n_parts; part++) {
        bool *kept = NULL;
        int64_t n = 0;
        DF_TRY(df_kept_rows(r->ds, reads, part, &kept, &n, err));
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

/* Writes data/stats.js: the counts of the page and the numbers of stats. */
static df_status write_stats(const report *r, df_error *err)
{
    char path[PATH_MAX], *stats = NULL;
    size_t size = 0;
    DF_TRY(df_path(path, err, "%s/stats/stats.json", df_dataset_folder(r->ds)));
    if (df_file_exists(path))
        DF_TRY(df_file_read(path, STATS_BYTES_MAX, &stats, &size, err));
    df_str out = {0};
    df_json_writer w = {.out = &out, .compact = true};
    df_str_append(&out, "densefusion.start(");
    df_json_begin_object(&w, NULL);
    df_json_put_text(&w, "name", dataset_name(r->ds));
    df_json_put_int(&w, "chunks", r->n_chunks);
    df_json_put_int(&w, "shown", r->n_shown);
    df_json_put_int(&w, "kept", r->kept.total);
    df_json_put_int(&w, "rejected", r->rejected.total);
    df_json_put_bool(&w, "clusters", r->has_clusters);
    df_json_put_raw(&w, "stats", stats ? stats : "null");
    df_json_end(&w);
    df_str_append(&out, ");\n");
    free(stats);
    df_status status = out.failed ? df_no_memory(err, "report")
                                  : df_folder_write(df_dataset_files(r->ds), "report/data/stats.js",
                                                    out.data, out.size, err);
    df_str_free(&out);
    return status;
}

static df_status read_asset(const df_run *run, const char *name, char **bytes, size_t *size,
                            df_error *err)
{
    char path[PATH_MAX];
    DF_TRY(df_path(path, err, "%s/report/%s", run->share ? run->share : ".", name));
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
        char name[64], *bytes;
        size_t size;
        snprintf(name, sizeof name, "report/%s", assets[i]);
        DF_TRY(read_asset(r->run, assets[i], &bytes, &size, err));
        df_status status = df_folder_write(df_dataset_files(r->ds), name, bytes, size, err);
        free(bytes);
        DF_TRY(status);
    }
    return DF_OK;
}

static bool is_later_chunk(const char *name, const void *ctx)
{
    long long chunk;
    return sscanf(name, "images-%lld.js", &chunk) == 1 && chunk >= *(const int64_t *)ctx;
}

/* Pictures and chunks of an earlier report that showed others. */
static df_status remove_stale(const report *r, df_error *err)
{
    df_folder *files = df_dataset_files(r->ds);
    DF_TRY(df_thumbs_remove_others(&r->thumbs, err));
    if (!r->has_clusters)
        DF_TRY(df_folder_remove(files, "report/data/clusters.js", err));
    return df_folder_remove_chosen(files, "report/data", is_later_chunk, &r->n_chunks, err);
}

static df_status write_clusters(report *r, df_error *err)
{
    df_str out = {0};
    df_status status = df_report_clusters(&out, &r->thumbs, &r->config->clusters, err);
    if (status == DF_OK && out.failed)
        status = df_no_memory(err, "report");
    r->has_clusters = status == DF_OK && out.size > 0;
    if (r->has_clusters)
        status = df_folder_write(df_dataset_files(r->ds), "report/data/clusters.js", out.data,
                                 out.size, err);
    df_str_free(&out);
    return status;
}

/* Writes the whole page, part by part. */
static df_status show_all(report *r, df_error *err)
{
    int n_parts = df_dataset_parts(r->ds);
    DF_TRY(count_images(r, err));
    for (int part = 0; part < n_parts; part++) {
        if (df_run_stopped(r->run))
            return df_stopped(err);
        DF_TRY(show_part(r, part, err));
        df_run_progress(r->run, "report", part + 1, n_parts);
    }
    DF_TRY(flush(r, err));
    DF_TRY(write_clusters(r, err));
    DF_TRY(remove_stale(r, err));
    DF_TRY(write_stats(r, err));
    return copy_assets(r, err);
}

/* Always the whole dataset, whatever run->parts chooses. */
static df_status report_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const report_config *c = config;
    report r = {.ds = ds,
                .run = run,
                .config = c,
                .kept = {.max = c->images},
                .rejected = {.max = c->rejected},
                .thumbs = {.ds = ds, .run = run, .quality = c->quality}};
    df_status status = show_all(&r, err);
    df_str_free(&r.chunk);
    df_thumbs_free(&r.thumbs);
    return status;
}

#define AT(field) offsetof(report_config, field)
static const df_option options[] = {
    {"images", DF_OPT_INT, AT(images), "1000", 0, 1e6,
     "most images to show, evenly chosen when there are more"},
    {"rejected", DF_OPT_INT, AT(rejected), "200", 0, 1e6,
     "most rejected images to show, evenly chosen"},
    {"side", DF_OPT_INT, AT(side), "768", 64, 4096,
     "long side of the pictures in the page, pixels"},
    {"quality", DF_OPT_INT, AT(quality), "82", 1, 100, "JPEG quality of the pictures in the page"},
    {"clusters", DF_OPT_INT, AT(clusters.clusters), "24", 0, 10000, "largest clusters to show"},
    {"members", DF_OPT_INT, AT(clusters.members), "24", 1, 1000,
     "images of a cluster to show, nearest to its centroid first"},
    {"pairs", DF_OPT_INT, AT(clusters.pairs), "4", 1, 1000,
     "similar pairs to show of each hundredth of similarity"},
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
