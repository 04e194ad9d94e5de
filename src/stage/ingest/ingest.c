/* ingest: one row per image of the input. The input is listed anew in every run; rows that exist
 * stay what and where they are, new images go to new parts, and a part is a function of the listing
 * alone, so that a run that was killed and started again writes the same bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/pool.h"
#include "io/json_fields.h"
#include "stage/ingest/catalog.h"
#include "stage/stage.h"
#include "tables/ingest.h"

enum { HEADER_BYTES = 16 << 10, HEADER_GROWTH = 16, SIDECAR_MAX = 1 << 20, URL_MAX_BYTES = 4096 };

typedef struct {
    int64_t part_rows, alt_text_max;
    bool hash;
} ingest_config;

static const df_option options[] = {
    {"part_rows", DF_OPT_INT, offsetof(ingest_config, part_rows), "1000", 1, 100000,
     "images in a part: what a kill can lose of a stage's work"},
    {"hash", DF_OPT_BOOL, offsetof(ingest_config, hash), "true", 0, 1,
     "read every byte for the content hash; false reads headers alone"},
    {"alt_text_max", DF_OPT_INT, offsetof(ingest_config, alt_text_max), "2000", 0, 1e6,
     "bytes of alt-text to keep; 0 keeps none"},
    {0},
};

/* What was found out about one input. Text is in the arena of the work that holds it, problem is
 * static. */
typedef struct {
    int64_t size;
    bool sized, gone;                        /* gone: there is no such file */
    char hash[DF_HASH_HEX];
    /* format is unknown where the header could not be read */
    df_image_info info;
    const char *alt_text, *url, *problem, *detail;
} finding;

/* A row of an earlier run. */
typedef struct {
    int64_t size;
    char hash[DF_HASH_HEX];
    int part;
    bool seen;
} known_row;
typedef struct {
    df_map by_path;
    df_arena paths;
    known_row *rows;
    int64_t n, capacity, n_seen;
} known_rows;

typedef struct {
    df_dataset *ds;
    const ingest_config *config;
    const df_run *run;
    df_catalog *catalog;
    known_rows known;
    int n_parts;
    int64_t n_new, n_broken, n_unfetched, n_changed;
    char changed_path[256];                  /* the first of the changed ones, and how */
} work;

/* ---- one image ---- */

typedef struct {
    const work *w;
    const df_input *inputs;
    finding *findings;
    df_arena *arenas;
} batch;

/* *out is NULL where nothing is left of the text, or there was none. */
static df_status clean(df_arena *arena, const char *text, size_t max_bytes, const char **out,
                       df_error *err)
{
    df_str cleaned = {0};
    if (text)
        df_str_append_clean(&cleaned, text, strlen(text), max_bytes);
    *out = cleaned.size ? df_arena_strdup(arena, df_str_text(&cleaned)) : NULL;
    bool failed = cleaned.failed || (cleaned.size && !*out);
    df_str_free(&cleaned);
    return failed ? df_no_memory(err, "ingest") : DF_OK;
}

static df_status set_problem(finding *f, df_arena *arena, const char *problem, const char *words,
                             df_error *err)
{
    f->problem = problem;
    f->detail = df_arena_strdup(arena, words);
    return f->detail ? DF_OK : df_no_memory(err, "ingest");
}

static df_status read_sidecar(const work *w, df_piece piece, df_arena *arena, char **text,
                              size_t *size, df_error *err)
{
    uint8_t *bytes = NULL;
    int64_t whole;
    piece.source = df_catalog_source(w->catalog, piece.source);
    DF_TRY(df_source_piece(df_catalog_root(w->catalog), piece, SIDECAR_MAX, &bytes, size, &whole,
                           err));
    *text = df_arena_alloc(arena, *size + 1, 1);
    if (*text)
        memcpy(*text, bytes, *size);
    free(bytes);
    return *text ? DF_OK : df_no_memory(err, "%s", piece.source);
}

/* A sidecar that can't be read costs the alt-text, not the image; the row says so. */
static df_status read_words(const work *w, const df_input *in, df_arena *arena, finding *f,
                            df_error *err)
{
    static const char *const text_names[] = {"caption", "text",        "alt_text", "alt",
                                             "title",   "description", NULL};
    static const char *const url_names[] = {"url", "image_url", NULL};
    df_json_field fields[] = {{text_names, NULL}, {url_names, NULL}, {0}};
    const char *alt = in->alt_text, *url = in->url;
    char *text = NULL;
    size_t size = 0;
    df_error why = {""};
    df_status status = DF_OK;
    if (in->text.source)
        status = read_sidecar(w, in->text, arena, &text, &size, &why);
    if (status == DF_OK && text && strspn(text, " \t\r\n") < size)
        alt = text;
    if (status == DF_OK && in->json.source)
        status = read_sidecar(w, in->json, arena, &text, &size, &why);
    if (status == DF_OK && in->json.source)
        status = df_json_fields(text, size, "sidecar", arena, fields, &why);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s", why.message);
    if (status != DF_OK)
        DF_TRY(clean(arena, why.message, 300, &f->detail, err));
    DF_TRY(clean(arena, alt ? alt : fields[0].text, (size_t)w->config->alt_text_max, &f->alt_text,
                 err));
    return clean(arena, url ? url : fields[1].text, URL_MAX_BYTES, &f->url, err);
}

/* Reads as much as the header needs: most lie in the first kilobytes, some behind a big colour
 * profile or preview. */
static df_status read_image(const work *w, const df_input *in, uint8_t **bytes, size_t *size,
                            finding *f, df_error *err)
{
    df_piece piece = in->data;
    piece.source = df_catalog_source(w->catalog, piece.source);
    df_error ignored;
    size_t limit = w->config->hash ? SIZE_MAX : HEADER_BYTES;
    for (;;) {
        DF_TRY(
            df_source_piece(df_catalog_root(w->catalog), piece, limit, bytes, size, &f->size, err));
        f->sized = true;
        if ((int64_t)*size >= f->size || limit >= DF_SOURCE_BYTES_MAX ||
            df_image_sniff(*bytes, *size) == DF_FORMAT_UNKNOWN ||
            df_image_probe(*bytes, *size, &f->info, &ignored) == DF_OK)
            return DF_OK;
        free(*bytes);
        *bytes = NULL;
        limit *= HEADER_GROWTH;
    }
}

/* Looks at one input: its size, its header, its hash. What is wrong with it is noted, not an
 * error. */
static df_status look_at(const work *w, const df_input *in, df_arena *arena, finding *f,
                         df_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    df_error why = {""};
    f->gone = in->missing && !in->unfetched;
    if (in->missing)
        return set_problem(f, arena, in->unfetched ? "not fetched" : "missing", in->missing, err);
    df_status status = read_image(w, in, &bytes, &size, f, &why);
    if (status != DF_OK && !df_is_of_one_image(status))
        return df_fail(err, status, "%s", why.message);
    f->gone = status == DF_MISSING;
    if (status != DF_OK)
        return set_problem(f, arena, "unreadable", why.message, err);
    if (w->config->hash)
        df_hash_hex(bytes, size, f->hash);
    if (size == 0)
        status = set_problem(f, arena, "unreadable", "empty file", err);
    else if (df_image_probe(bytes, size, &f->info, &why) != DF_OK) {
        f->info.format = df_image_sniff(bytes, size);
        status = set_problem(f, arena, "unreadable", why.message, err);
    }
    free(bytes);
    return status;
}

static df_status examine(void *ctx, int64_t item, int thread, df_error *err)
{
    const batch *b = ctx;
    const df_input *in = &b->inputs[item];
    finding *f = &b->findings[item];
    df_arena *arena = &b->arenas[thread];
    DF_TRY(read_words(b->w, in, arena, f, err));
    return look_at(b->w, in, arena, f, err);
}

/* Rows stay for ever: where not one file of a part is there, it is the input that is away. */
static df_status check_present(const df_input *inputs, const finding *findings, int64_t n,
                               df_error *err)
{
    int64_t n_files = 0, n_gone = 0, first = -1;
    for (int64_t i = 0; i < n; i++) {
        n_files += !inputs[i].unfetched;
        n_gone += findings[i].gone;
        first = first < 0 && findings[i].gone ? i : first;
    }
    if (n_gone < 2 || n_gone < n_files)
        return DF_OK;
    return df_fail(
        err, DF_IO,
        "%s: %.200s, nor are the %lld files beside it there: bring them back (are they "
        "mounted?) and run again; an empty file in its place says that it is gone for good",
        inputs[first].path, findings[first].detail, (long long)n_gone - 1);
}

/* ---- one part ---- */

/* Appends an image's row of ingest. */
static df_status append_row(df_table *t, const df_input *in, const finding *f, df_error *err)
{
    bool known = f->info.format != DF_FORMAT_UNKNOWN, sized = known && f->info.width > 0;
    int64_t width = sized ? f->info.width : in->width, height = sized ? f->info.height : in->height;
    df_value v[DF_INGEST_COLUMNS] = {
        [DF_INGEST_ROW] = DF_INT(df_table_rows(t)),
        [DF_INGEST_PATH] = DF_TEXT(in->path),
        [DF_INGEST_SOURCE] = DF_TEXT(in->data.source),
        [DF_INGEST_OFFSET] = in->data.offset < 0 ? DF_NULL : DF_INT(in->data.offset),
        [DF_INGEST_SIZE] = f->sized ? DF_INT(f->size) : DF_NULL,
        [DF_INGEST_HASH] = f->hash[0] ? DF_TEXT(f->hash) : DF_NULL,
        [DF_INGEST_FORMAT] = known ? DF_TEXT(df_image_format_name(f->info.format)) : DF_NULL,
        [DF_INGEST_WIDTH] = width > 0 ? DF_INT(width) : DF_NULL,
        [DF_INGEST_HEIGHT] = height > 0 ? DF_INT(height) : DF_NULL,
        [DF_INGEST_ORIENTATION] = sized ? DF_INT(f->info.orientation) : DF_NULL,
        [DF_INGEST_ALT_TEXT] = DF_TEXT(f->alt_text),
        [DF_INGEST_URL] = DF_TEXT(f->url),
        [DF_INGEST_PROBLEM] = DF_TEXT(f->problem),
        [DF_INGEST_DETAIL] = DF_TEXT(f->detail),
    };
    return df_table_append(t, v, err);
}

/* Writes a part of ingest and counts what is in it. */
static df_status write_rows(work *w, const df_input *inputs, const finding *findings, int64_t n,
                            df_error *err)
{
    df_table *t = NULL;
    df_status status = df_table_create(&t, df_ingest_table.columns, err);
    for (int64_t i = 0; status == DF_OK && i < n; i++) {
        status = append_row(t, &inputs[i], &findings[i], err);
        w->n_broken += findings[i].problem && !inputs[i].unfetched;
        w->n_unfetched += inputs[i].unfetched;
    }
    if (status == DF_OK)
        status = df_dataset_write(w->ds, "ingest", w->n_parts, t, err);
    df_table_close(t);
    if (status == DF_OK) {
        w->n_parts++;
        w->n_new += n;
    }
    return status;
}

/* Looks at the inputs of a part on all threads, then writes its rows. */
static df_status write_part(work *w, const df_input *inputs, int64_t n, df_error *err)
{
    int n_threads = w->run->n_threads > 1 ? w->run->n_threads : 1;
    batch b = {.w = w,
               .inputs = inputs,
               .findings = calloc((size_t)n, sizeof *b.findings),
               .arenas = calloc((size_t)n_threads, sizeof *b.arenas)};
    df_status status = DF_OK;
    if (!b.findings || !b.arenas)
        status = df_no_memory(err, "ingest %lld images", (long long)n);
    if (status == DF_OK)
        status = df_pool_run(n_threads, n, examine, &b, err);
    if (status == DF_OK)
        status = check_present(inputs, b.findings, n, err);
    if (status == DF_OK)
        status = write_rows(w, inputs, b.findings, n, err);
    for (int t = 0; b.arenas && t < n_threads; t++)
        df_arena_reset(&b.arenas[t]);
    free(b.arenas);
    free(b.findings);
    return status;
}

/* ---- rows of earlier runs ---- */

static known_row *known_add(known_rows *k)
{
    if (k->n == k->capacity) {
        int64_t capacity = k->capacity ? k->capacity * 2 : 1024;
        known_row *rows = realloc(k->rows, (size_t)capacity * sizeof *rows);
        if (!rows)
            return NULL;
        k->rows = rows;
        k->capacity = capacity;
    }
    return &k->rows[k->n];
}

/* Notes the rows of a part that an earlier run wrote, so that none is ingested twice. */
static df_status known_read(known_rows *k, const df_table *t, int part, df_error *err)
{
    for (int64_t row = 0; row < df_table_rows(t); row++) {
        const char *path = df_arena_strdup(&k->paths, df_table_text(t, row, DF_INGEST_PATH));
        known_row *known = known_add(k);
        if (!path || !known)
            return df_no_memory(err, "read the rows of earlier runs");
        *known = (known_row){.part = part,
                             .size = df_table_null(t, row, DF_INGEST_SIZE)
                                         ? -1
                                         : df_table_int(t, row, DF_INGEST_SIZE)};
        snprintf(known->hash, sizeof known->hash, "%s", df_table_text(t, row, DF_INGEST_HASH));
        int64_t stored;
        DF_TRY(df_map_put(&k->by_path, path, k->n, &stored, err));
        k->n++;
    }
    return DF_OK;
}

static df_status known_open(work *w, df_error *err)
{
    for (int part = 0; part < w->n_parts; part++) {
        df_table *t = NULL;
        DF_TRY(df_dataset_read(w->ds, &df_ingest_table, part, &t, err));
        df_status status = known_read(&w->known, t, part, err);
        df_table_close(t);
        DF_TRY(status);
    }
    return DF_OK;
}

static void known_free(known_rows *k)
{
    df_map_free(&k->by_path);
    df_arena_reset(&k->paths);
    free(k->rows);
    *k = (known_rows){0};
}

/* False when the part was written after the file was last touched; when that can't be told, the
 * file is read again. */
static bool is_older(const work *w, int part, int64_t changed_ns)
{
    struct stat st;
    char *path = df_dataset_part_path(w->ds, "ingest", part, "parquet");
    bool newer = path && stat(path, &st) == 0 &&
                 (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec > changed_ns;
    free(path);
    return !newer;
}

/* A file that was touched since its row was written is read again; without a hash its size must do.
 * *how stays NULL when nothing changed. */
static df_status how_changed(const work *w, const df_input *in, const known_row *known,
                             const char **how, df_error *err)
{
    static const char *const other = "other bytes than before";
    uint8_t *bytes = NULL;
    size_t size = 0;
    int64_t whole;
    char hash[DF_HASH_HEX];
    *how = NULL;
    if (in->missing) {
        *how = known->size < 0 ? NULL : "gone";
        return DF_OK;
    }
    if (in->data.offset >= 0 && in->data.size != known->size) {
        *how = other;
        return DF_OK;
    }
    if (in->data.offset < 0 && !is_older(w, known->part, in->changed_ns))
        return DF_OK;
    df_piece piece = in->data;
    piece.source = df_catalog_source(w->catalog, piece.source);
    df_status status = df_source_piece(df_catalog_root(w->catalog), piece,
                                       known->hash[0] ? SIZE_MAX : 0, &bytes, &size, &whole, err);
    if (status != DF_OK) {
        *how = known->size < 0 ? NULL : other;
        return df_is_of_one_image(status) ? DF_OK : status;
    }
    df_hash_hex(bytes, size, hash);
    free(bytes);
    *how =
        whole == known->size && (!known->hash[0] || strcmp(hash, known->hash) == 0) ? NULL : other;
    return DF_OK;
}

/* Keeps in `inputs` what has no row yet; notes what changed under a row. */
static df_status drop_known(work *w, df_input *inputs, int64_t *n, df_error *err)
{
    int64_t n_kept = 0;
    for (int64_t i = 0; i < *n; i++) {
        int64_t at = df_map_find(&w->known.by_path, inputs[i].path, -1);
        if (at < 0) {
            inputs[n_kept++] = inputs[i];
            continue;
        }
        w->known.rows[at].seen = true;
        w->known.n_seen++;
        const char *why;
        DF_TRY(how_changed(w, &inputs[i], &w->known.rows[at], &why, err));
        if (why && w->n_changed++ == 0)
            snprintf(w->changed_path, sizeof w->changed_path, "%s: %s", inputs[i].path, why);
    }
    *n = n_kept;
    return DF_OK;
}

/* An input that had images and holds nothing at all is the place of a share that is away. */
static df_status check_input(const work *w, df_error *err)
{
    if (w->known.n == 0 || df_catalog_found(w->catalog) > 0)
        return DF_OK;
    return df_fail(
        err, DF_IO,
        "%s is there, but empty, and had %lld images: bring it back (is it mounted?) and run "
        "again",
        df_catalog_input(w->catalog), (long long)w->known.n);
}

/* Says how many images of earlier runs are gone from the input or have changed. */
static void note_vanished(const work *w)
{
    int64_t n = w->known.n - w->known.n_seen;
    const char *first = NULL;
    for (size_t i = 0; n > 0 && i < w->known.by_path.capacity; i++) {
        const df_map_slot *slot = &w->known.by_path.slots[i];
        if (slot->key && !w->known.rows[slot->value].seen &&
            (!first || strcmp(slot->key, first) < 0))
            first = slot->key;
    }
    if (n > 0)
        df_run_note(w->run,
                    "ingest: %lld images vanished from the input (first: %s); their rows stay",
                    (long long)n, first ? first : "");
    if (w->n_changed > 0)
        df_run_note(w->run,
                    "ingest: %lld images changed since they were ingested (first: %s); their rows "
                    "stay as they were, "
                    "give a changed image a new name to have it described",
                    (long long)w->n_changed, w->changed_path);
}

/* ---- the run ---- */

typedef struct {
    const char *reason;
    int64_t n;
} tally;

static int by_count(const void *a, const void *b)
{
    const tally *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->reason, y->reason);
}

/* "3 hidden, 1 unsupported type": the commonest reasons first. Kinds beyond the limit share the
 * last place. */
static df_status describe_skipped(const df_table *t, df_str *out, df_error *err)
{
    enum { KINDS_MAX = 64, SHOWN = 4 };
    tally tallies[KINDS_MAX];
    df_map kinds = {0};
    size_t n = 0;
    df_status status = DF_OK;
    for (int64_t row = 0; status == DF_OK && row < df_table_rows(t); row++) {
        const char *reason = n < KINDS_MAX - 1 ? df_table_text(t, row, 1) : "other";
        int64_t at = df_map_find(&kinds, df_table_text(t, row, 1), -1);
        if (at < 0)
            status = df_map_put(&kinds, reason, (int64_t)n, &at, err);
        if (status == DF_OK && (size_t)at == n)
            tallies[n++] = (tally){reason, 0};
        if (status == DF_OK)
            tallies[at].n++;
    }
    df_map_free(&kinds);
    if (n > 1)
        qsort(tallies, n, sizeof *tallies, by_count);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        df_str_printf(out, "%s%lld %s", i ? ", " : "", (long long)tallies[i].n, tallies[i].reason);
    if (n > SHOWN)
        df_str_append(out, ", ...");
    return status == DF_OK && out->failed ? df_no_memory(err, "ingest") : status;
}

static df_status write_skipped(const work *w, df_error *err)
{
    return df_dataset_write_table(w->ds, "ingest/skipped.parquet", df_catalog_skipped(w->catalog),
                                  err);
}

/* One line in which the counts add up; an input without any image is an error, said with the same
 * words. */
static df_status sum_up(const work *w, df_error *err)
{
    int64_t n_skipped = df_table_rows(df_catalog_skipped(w->catalog)),
            found = df_catalog_found(w->catalog);
    int64_t n_images = found - n_skipped - df_catalog_sidecars(w->catalog);
    df_str why = {0};
    df_status status = describe_skipped(df_catalog_skipped(w->catalog), &why, err);
    if (status == DF_OK && w->n_parts == 0)
        status = df_fail(err, DF_FORMAT, "%s: no image in it%s%s", df_catalog_input(w->catalog),
                         n_skipped ? "; skipped: " : " (it is empty)", df_str_text(&why));
    else if (status == DF_OK)
        df_run_note(w->run,
                    "ingest: %lld found: %lld images (%lld new, %lld of these broken), %lld "
                    "sidecars, %lld skipped%s%s%s",
                    (long long)found, (long long)n_images, (long long)w->n_new,
                    (long long)w->n_broken, (long long)df_catalog_sidecars(w->catalog),
                    (long long)n_skipped, n_skipped ? " (" : "", df_str_text(&why),
                    n_skipped ? ")" : "");
    if (status == DF_OK && w->n_unfetched)
        df_run_note(w->run,
                    "ingest: %lld rows are URLs without a file: fetch them with img2dataset, or "
                    "keep them for "
                    "vectors made elsewhere with --filter.unfetched=true",
                    (long long)w->n_unfetched);
    df_str_free(&why);
    return status;
}

/* A part never spans two groups, so that what one tar holds depends on no other. */
static df_status write_group(work *w, df_input *inputs, int64_t n, df_error *err)
{
    DF_TRY(drop_known(w, inputs, &n, err));
    for (int64_t at = 0; at < n;) {
        int64_t take = n - at < w->config->part_rows ? n - at : w->config->part_rows;
        if (df_run_stopped(w->run))
            return df_stopped(err);
        DF_TRY(write_part(w, inputs + at, take, err));
        at += take;
        df_run_progress(w->run, "ingest", w->known.n_seen + w->n_new,
                        w->known.n_seen + w->n_new + n - at);
    }
    return DF_OK;
}

static df_status write_all(work *w, df_error *err)
{
    df_arena arena = {0};
    df_status status = DF_OK;
    for (bool more = true; status == DF_OK && more;) {
        df_input *inputs;
        int64_t n;
        status = df_catalog_next(w->catalog, &arena, &inputs, &n, &more, err);
        if (status == DF_OK && n > 0)
            status = write_group(w, inputs, n, err);
        df_arena_reset(&arena);
    }
    return status;
}

/* The rows of one input must never be taken for another's. */
static df_status bind_input(work *w, df_error *err)
{
    const char *was = df_dataset_input(w->ds), *is = df_catalog_input(w->catalog);
    if (strcmp(was, is) == 0)
        return DF_OK;
    if (w->n_parts > 0)
        return df_fail(err, DF_CONFIG,
                       "%s was made from %s, not from %s: choose another output folder",
                       df_dataset_folder(w->ds), was, is);
    return df_dataset_set_input(w->ds, is, err);
}

/* Lists the input, and adds the images that are new as parts. */
static df_status ingest_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    work w = {.ds = ds, .config = config, .run = run, .n_parts = df_dataset_parts(ds)};
    const char *input = run->input && run->input[0] ? run->input : df_dataset_input(ds);
    if (!input[0])
        return df_fail(err, DF_CONFIG, "ingest: name the folder, tar or list to read");
    df_status status = df_catalog_open(&w.catalog, input, df_dataset_folder(ds), err);
    if (status == DF_OK)
        status = bind_input(&w, err);
    if (status == DF_OK)
        status = known_open(&w, err);
    if (status == DF_OK)
        status = write_all(&w, err);
    if (status == DF_OK)
        status = check_input(&w, err);
    if (status == DF_OK)
        status = write_skipped(&w, err);
    if (status == DF_OK)
        note_vanished(&w);
    if (status == DF_OK)
        status = sum_up(&w, err);
    known_free(&w.known);
    df_catalog_close(w.catalog);
    return status;
}

const df_stage df_stage_ingest = {
    .name = "ingest",
    .summary = "find the images: size from the header, alt-text, content hash",
    .reads = (const char *const[]){NULL},
    .table = &df_ingest_table,
    .options = options,
    .config_size = sizeof(ingest_config),
    .run = ingest_run,
};
