/* stats: what the dataset is, in numbers. Each part is summed alone, on any thread; the sums are
 * whole numbers, so that the order in which they are joined does not show. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"
#include "base/pool.h"
#include "tables/joined.h"
#include "io/json_writer.h"
#include "language/prose.h"
#include "language/tally.h"
#include "stage/stage.h"
#include "tables/look.h"
#include "tables/tables.h"

#define LEXICON_BYTES_MAX ((size_t)64 << 20)
static const char *const lexicon_files[] = {"en-lexicon.txt", "en-morphology.txt",
                                            "en-context.txt"};

typedef struct {
    int64_t top;
} stats_config;

typedef enum {
    BINS_WORDS,
    BINS_SENTENCES,
    BINS_TAGS,
    BINS_BOXES,
    BINS_LINES,
    BINS_EDGE,
    BINS_COUNT
} bins_of;
static const struct {
    const char *name;
    int64_t step;
} bins_table[BINS_COUNT] = {{"words", 10}, {"sentences", 1},  {"tags", 1},
                            {"boxes", 1},  {"text_lines", 1}, {"short_edge", 128}};

typedef enum {
    TALLY_VERDICTS,
    TALLY_REASONS,
    TALLY_TAGS,
    TALLY_LABELS,
    TALLY_COLOURS,
    TALLY_FORMATS,
    TALLY_ENGINES,
    TALLY_SKIPPED,
    TALLY_UNCAPTIONED,
    TALLY_FAILED,
    TALLY_COUNT
} tally_of;
static const char *const tally_names[TALLY_SKIPPED] = {"verdicts", "reasons", "tags",   "labels",
                                                       "colours",  "formats", "engines"};

typedef struct {
    int64_t rows, kept;
    /* by the deciding tables, in the order of df_tables: one has a part, images it removed, why */
    bool decided[DF_TABLES_MAX];
    int64_t removed[DF_TABLES_MAX];
    df_tally reasons[DF_TABLES_MAX];
    int64_t captions, passed, with_text, with_boxes, with_tags;
    /* things that captions name, those without evidence, captions with one */
    int64_t named, invented, inventing;
    df_prose_count prose;
    df_bins bins[BINS_COUNT];
    df_tally tallies[TALLY_COUNT];
    df_prose_space space;
} sums;

typedef struct {
    const df_dataset *ds;
    const df_run *run;
    df_pos_tagger *tagger; /* NULL: no lexicon is installed */
    char *lexicon[3];
    sums *sums; /* one per thread */
} stats_work;

/* ---- one part ---- */

static df_status add_text(df_tally *tally, const char *text, df_error *err)
{
    return df_tally_add(tally, text, strlen(text), 1, err);
}

/* The verdict, the reasons, and the first reason for the funnel, where every
 * caption counts once. */
static df_status add_verdict(sums *s, const df_joined *j, int64_t row, df_error *err)
{
    int64_t n;
    const char *verdict = df_joined_text(j, &df_check_table, row, DF_CHECK_VERDICT);
    const char *const *reasons = df_joined_texts(j, &df_check_table, row, DF_CHECK_REASONS, &n);
    if (!*verdict)
        return add_text(&s->tallies[TALLY_FAILED], "not checked yet", err);
    DF_TRY(add_text(&s->tallies[TALLY_VERDICTS], verdict, err));
    for (int64_t i = 0; i < n; i++)
        DF_TRY(add_text(&s->tallies[TALLY_REASONS], reasons[i], err));
    if (strcmp(verdict, "pass") == 0) {
        s->passed++;
        return DF_OK;
    }
    return add_text(&s->tallies[TALLY_FAILED], n ? reasons[0] : verdict, err);
}

/* Counts a caption: its words, what it invents, its verdict; or why there is none. */
static df_status add_caption(const stats_work *w, sums *s, const df_joined *j, int64_t row,
                             df_error *err)
{
    if (!df_joined_has(j, &df_caption_table, row, DF_CAPTION_CAPTION)) {
        const char *why = df_joined_text(j, &df_caption_table, row, DF_CAPTION_ERROR);
        const bool undrawn = df_joined_table(j, &df_fuse_table) &&
                             !df_joined_has(j, &df_fuse_table, row, DF_FUSE_PROMPT);
        return add_text(&s->tallies[TALLY_UNCAPTIONED],
                        *why      ? why
                        : undrawn ? "not drawn"
                                  : "not captioned yet",
                        err);
    }
    df_prose_count one = {0};
    DF_TRY(df_prose_measure(w->tagger,
                            df_joined_text(j, &df_caption_table, row, DF_CAPTION_CAPTION),
                            &s->space, &one, err));
    s->captions++;
    s->prose.characters += one.characters;
    s->prose.words += one.words;
    s->prose.sentences += one.sentences;
    s->prose.tokens += one.tokens;
    for (int pos = 0; pos < DF_POS_COUNT; pos++)
        s->prose.pos[pos] += one.pos[pos];
    df_bins_add(&s->bins[BINS_WORDS], one.words);
    df_bins_add(&s->bins[BINS_SENTENCES], one.sentences);
    const int64_t invented = df_joined_int(j, &df_check_table, row, DF_CHECK_OBJECTS_INVENTED, 0);
    s->named += df_joined_int(j, &df_check_table, row, DF_CHECK_OBJECTS_NAMED, 0);
    s->invented += invented;
    s->inventing += invented > 0;
    DF_TRY(add_text(&s->tallies[TALLY_ENGINES],
                    df_joined_text(j, &df_caption_table, row, DF_CAPTION_ENGINE), err));
    return add_verdict(s, j, row, err);
}

/* Counts an image: which stage removed it, or its size, format and caption. */
static df_status add_image(const stats_work *w, sums *s, const df_joined *j, int64_t row,
                           df_error *err)
{
    s->rows++;
    const char *why;
    const df_table_type *by = NULL;
    bool kept = df_joined_kept(j, row, &by, &why);
    for (int i = 0; !kept && df_tables[i]; i++)
        if (df_tables[i] == by) {
            s->removed[i]++;
            return add_text(&s->reasons[i], why, err);
        }
    s->kept++;
    int64_t width = df_joined_int(j, &df_ingest_table, row, DF_INGEST_WIDTH, 0),
            height = df_joined_int(j, &df_ingest_table, row, DF_INGEST_HEIGHT, 0);
    df_bins_add(&s->bins[BINS_EDGE], width < height ? width : height);
    const char *format = df_joined_text(j, &df_ingest_table, row, DF_INGEST_FORMAT);
    DF_TRY(add_text(&s->tallies[TALLY_FORMATS], *format ? format : "unknown", err));
    return add_caption(w, s, j, row, err);
}

/* The rows of one evidence table: text counted, and how many each image has. kind: of
 * fuse/evidence, NULL for raw tables. */
typedef struct {
    const df_table *table;
    const char *kind;
    int text;
    df_tally *tally;
} evidence;

static df_status add_evidence(const evidence *e, int64_t *per_row, int64_t n_rows, df_error *err)
{
    for (int64_t i = 0; i < df_table_rows(e->table); i++) {
        int64_t row = df_table_int(e->table, i, DF_ROW);
        if (row < 0 || row >= n_rows ||
            (e->kind && strcmp(df_table_text(e->table, i, DF_FUSE_EVIDENCE_KIND), e->kind) != 0))
            continue;
        per_row[row]++;
        if (e->tally)
            DF_TRY(add_text(e->tally, df_table_text(e->table, i, e->text), err));
    }
    return DF_OK;
}

/* What fusion kept where it ran, else what the expert said. NULL: neither. */
static df_status open_evidence(const df_dataset *ds, int part, const df_table_type *expert,
                               df_table **table, bool *fused, df_error *err)
{
    *fused = df_dataset_has_part(ds, df_fuse_evidence_table.name, part);
    if (!*fused && !df_dataset_has_part(ds, expert->name, part))
        return DF_OK;
    return df_dataset_read(ds, *fused ? &df_fuse_evidence_table : expert, part, table, err);
}

/* Counts the tags, boxes or lines of a part's images, and how many images have any. */
static df_status add_kind(const stats_work *w, sums *s, const df_joined *j, int kind, df_error *err)
{
    static const struct {
        const df_table_type *expert;
        const char *kind;
        int text;
        bins_of bins;
        int tally;
    } kinds[] = {{&df_tag_table, "tag", DF_TAG_TAG, BINS_TAGS, TALLY_TAGS},
                 {&df_detect_table, "box", DF_DETECT_LABEL, BINS_BOXES, TALLY_LABELS},
                 {&df_read_table, "line", DF_READ_TEXT, BINS_LINES, -1}};
    df_table *table = NULL;
    bool fused = false;
    DF_TRY(open_evidence(w->ds, j->part, kinds[kind].expert, &table, &fused, err));
    int64_t *per_row = calloc((size_t)j->n_rows + 1, sizeof *per_row),
            *with[] = {&s->with_tags, &s->with_boxes, &s->with_text};
    df_status status = per_row ? DF_OK : df_no_memory(err, "count %s", kinds[kind].expert->name);
    if (status == DF_OK && table) {
        evidence e = {table, fused ? kinds[kind].kind : NULL,
                      fused ? DF_FUSE_EVIDENCE_TEXT : kinds[kind].text,
                      kinds[kind].tally < 0 ? NULL : &s->tallies[kinds[kind].tally]};
        status = add_evidence(&e, per_row, j->n_rows, err);
    }
    for (int64_t row = 0; status == DF_OK && table && row < j->n_rows; row++)
        if (df_joined_kept(j, row, NULL, NULL)) {
            df_bins_add(&s->bins[kinds[kind].bins], per_row[row]);
            *with[kind] += per_row[row] > 0;
        }
    free(per_row);
    df_table_close(table);
    return status;
}

/* The colour that covers most of each image. */
static df_status add_colours(const stats_work *w, sums *s, const df_joined *j, df_error *err)
{
    if (!df_dataset_has_part(w->ds, "look", j->part))
        return DF_OK;
    df_table *look = NULL;
    DF_TRY(df_dataset_read(w->ds, &df_look_table, j->part, &look, err));
    df_status status = DF_OK;
    for (int64_t i = 0; i < df_table_rows(look) && status == DF_OK; i++) {
        int64_t n;
        const char *const *colours = df_table_texts(look, i, DF_LOOK_COLOURS, &n);
        if (n && strcmp(df_table_text(look, i, DF_LOOK_KIND), "image") == 0)
            status = add_text(&s->tallies[TALLY_COLOURS], colours[0], err);
    }
    df_table_close(look);
    return status;
}

/* Counts a part into the sums of its thread. */
static df_status add_part(void *ctx, int64_t part, int thread, df_error *err)
{
    const stats_work *w = ctx;
    sums *s = &w->sums[thread];
    if (df_run_stopped(w->run))
        return df_stopped(err);
    df_joined j;
    DF_TRY(df_joined_open(&j, w->ds, (int)part, err));
    df_status status = DF_OK;
    for (int i = 0; df_tables[i]; i++)
        s->decided[i] |= df_tables[i]->decides && j.table[i];
    for (int64_t row = 0; row < j.n_rows && status == DF_OK; row++)
        status = add_image(w, s, &j, row, err);
    for (int kind = 0; kind < 3 && status == DF_OK; kind++)
        status = add_kind(w, s, &j, kind, err);
    if (status == DF_OK)
        status = add_colours(w, s, &j, err);
    df_joined_close(&j);
    return status;
}

/* ---- all parts ---- */

/* Adds the sums of another thread. */
static df_status join(sums *a, const sums *b, df_error *err)
{
    a->rows += b->rows;
    a->kept += b->kept;
    for (int i = 0; df_tables[i]; i++) {
        a->decided[i] |= b->decided[i];
        a->removed[i] += b->removed[i];
        DF_TRY(df_tally_join(&a->reasons[i], &b->reasons[i], err));
    }
    a->captions += b->captions;
    a->passed += b->passed;
    a->named += b->named;
    a->invented += b->invented;
    a->inventing += b->inventing;
    a->with_text += b->with_text;
    a->with_boxes += b->with_boxes;
    a->with_tags += b->with_tags;
    a->prose.characters += b->prose.characters;
    a->prose.words += b->prose.words;
    a->prose.sentences += b->prose.sentences;
    a->prose.tokens += b->prose.tokens;
    for (int i = 0; i < DF_POS_COUNT; i++)
        a->prose.pos[i] += b->prose.pos[i];
    for (int i = 0; i < BINS_COUNT; i++)
        df_bins_join(&a->bins[i], &b->bins[i]);
    for (int i = 0; i < TALLY_COUNT; i++)
        DF_TRY(df_tally_join(&a->tallies[i], &b->tallies[i], err));
    return DF_OK;
}

static df_status add_skipped(const df_dataset *ds, df_tally *tally, df_error *err)
{
    df_table *t = NULL;
    df_status status = df_dataset_skipped(ds, &t, err);
    for (int64_t i = 0; status == DF_OK && t && i < df_table_rows(t); i++) {
        const char *reason = df_table_text(t, i, 0);
        status = df_tally_add(tally, reason, strlen(reason), df_table_int(t, i, 1), err);
    }
    df_table_close(t);
    return status;
}

/* ---- stats.json ---- */

static void put_entries(df_json_writer *w, const char *name, const df_tally *t, size_t top)
{
    df_json_begin_object(w, name);
    for (size_t i = 0; i < t->n && i < top; i++)
        df_json_put_int(w, t->entries[i].text, t->entries[i].n);
    df_json_end(w);
}

static void put_step(df_json_writer *w, const char *stage, int64_t in, int64_t kept,
                     const df_tally *dropped)
{
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "stage", stage);
    df_json_put_int(w, "in", in);
    df_json_put_int(w, "kept", kept);
    put_entries(w, "dropped", dropped, dropped->n);
    df_json_end(w);
}

static void put_mean(df_json_writer *w, const char *name, int64_t sum, int64_t n)
{
    df_json_put_real(w, name, n > 0 ? (double)sum / (double)n : (double)NAN);
}

/* Writes the rows of the paper's Table 1: means a caption, and shares of the parts of speech. */
static void put_table1(df_json_writer *w, const sums *s, bool tagged)
{
    static const struct {
        const char *name;
        df_pos pos;
    } shares[] = {{"nouns", DF_POS_NOUN},
                  {"adjectives", DF_POS_ADJECTIVE},
                  {"adverbs", DF_POS_ADVERB},
                  {"verbs", DF_POS_VERB},
                  {"numerals", DF_POS_NUMERAL}};
    df_json_begin_object(w, "table1");
    df_json_put_int(w, "samples", s->captions);
    put_mean(w, "characters", s->prose.characters, s->captions);
    put_mean(w, "words", s->prose.words, s->captions);
    put_mean(w, "sentences", s->prose.sentences, s->captions);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        put_mean(w, shares[i].name, s->prose.pos[shares[i].pos], tagged ? s->prose.tokens : 0);
    df_json_end(w);
}

static void put_funnel(df_json_writer *w, const sums *s)
{
    const df_tally *t = s->tallies;
    df_json_begin_list(w, "funnel");
    put_step(w, "ingest", s->rows + df_tally_total(&t[TALLY_SKIPPED]), s->rows, &t[TALLY_SKIPPED]);
    int64_t left = s->rows;
    for (int i = 0; df_tables[i]; i++)
        if (s->decided[i]) {
            put_step(w, df_tables[i]->name, left, left - s->removed[i], &s->reasons[i]);
            left -= s->removed[i];
        }
    put_step(w, "caption", s->kept, s->captions, &t[TALLY_UNCAPTIONED]);
    put_step(w, "check", s->captions, s->passed, &t[TALLY_FAILED]);
    df_json_end(w);
}

static void put_bins(df_json_writer *w, const char *name, const df_bins *b)
{
    int last = DF_BINS - 1;
    while (last > 0 && b->counts[last] == 0)
        last--;
    df_json_begin_object(w, name);
    df_json_put_int(w, "step", b->step);
    df_json_put_bool(w, "open", last == DF_BINS - 1);
    df_json_begin_list(w, "counts");
    for (int i = 0; i <= last; i++)
        df_json_put_int(w, NULL, b->counts[i]);
    df_json_end(w);
    df_json_end(w);
}

static void put_images(df_json_writer *w, const sums *s)
{
    df_json_begin_object(w, "images");
    df_json_put_int(w, "rows", s->rows);
    df_json_put_int(w, "kept", s->kept);
    df_json_put_int(w, "captions", s->captions);
    df_json_put_int(w, "passed", s->passed);
    df_json_put_int(w, "with_text", s->with_text);
    df_json_put_int(w, "with_boxes", s->with_boxes);
    df_json_put_int(w, "with_tags", s->with_tags);
    df_json_end(w);
}

/* Writes all of stats.json. */
static void put_all(df_json_writer *w, const sums *s, bool tagged, size_t top)
{
    df_json_begin_object(w, NULL);
    df_json_put_int(w, "version", 1);
    put_table1(w, s, tagged);
    put_funnel(w, s);
    put_images(w, s);
    df_json_begin_object(w, "chair");
    df_json_put_int(w, "named", s->named);
    put_mean(w, "objects", s->invented, s->named);
    put_mean(w, "captions", s->inventing, s->captions);
    df_json_end(w);
    df_json_begin_object(w, "distributions");
    for (int i = 0; i < BINS_COUNT; i++)
        put_bins(w, bins_table[i].name, &s->bins[i]);
    df_json_end(w);
    df_json_begin_object(w, "counts");
    for (int i = 0; i < TALLY_SKIPPED; i++)
        put_entries(w, tally_names[i], &s->tallies[i], top);
    df_json_end(w);
    df_json_end(w);
    df_str_append(w->out, "\n");
}

static df_status write_stats(const df_dataset *ds, sums *s, bool tagged, size_t top, df_error *err)
{
    for (int i = 0; i < TALLY_COUNT; i++)
        df_tally_sort(&s->tallies[i]);
    for (int i = 0; i < DF_TABLES_MAX; i++)
        df_tally_sort(&s->reasons[i]);
    df_str out = {0};
    df_json_writer w = {.out = &out, .lines = 2};
    put_all(&w, s, tagged, top);
    df_status status = out.failed ? df_no_memory(err, "stats")
                                  : df_folder_write(df_dataset_files(ds), "stats/stats.json",
                                                    out.data, out.size, err);
    df_str_free(&out);
    return status;
}

/* ---- the lexicon ---- */

static df_status lexicon_path(char path[PATH_MAX], const df_run *run, int i, df_error *err)
{
    return df_path(path, err, "%s/lexicon/%s", run->share ? run->share : ".", lexicon_files[i]);
}

/* Reads the lexicon of the part-of-speech tagger; without one, shares of parts of speech are
 * left out. */
static df_status open_tagger(stats_work *w, df_error *err)
{
    char path[PATH_MAX];
    for (int i = 0; i < 3; i++) {
        DF_TRY(lexicon_path(path, w->run, i, err));
        if (!df_file_exists(path)) {
            df_run_note(w->run,
                        "stats: %s is missing: parts of speech are left out; set-up installs it",
                        path);
            return DF_OK;
        }
        size_t size;
        DF_TRY(df_file_read(path, LEXICON_BYTES_MAX, &w->lexicon[i], &size, err));
    }
    return df_pos_tagger_open(&w->tagger, w->lexicon[0], w->lexicon[1], w->lexicon[2], err);
}

/* The lexicon is part of the fingerprint. */
static df_status stats_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    (void)config;
    char path[PATH_MAX], hex[DF_HASH_HEX] = "none";
    for (int i = 0; i < 3; i++) {
        DF_TRY(lexicon_path(path, run, i, err));
        char *text = NULL;
        size_t size;
        if (df_file_exists(path)) {
            DF_TRY(df_file_read(path, LEXICON_BYTES_MAX, &text, &size, err));
            df_hash_hex(text, size, hex);
            free(text);
        }
        df_str_printf(out, "%s=%s\n", lexicon_files[i], hex);
    }
    return DF_OK;
}

/* ---- the stage ---- */

static void free_sums(sums *s)
{
    for (int i = 0; i < TALLY_COUNT; i++)
        df_tally_free(&s->tallies[i]);
    for (int i = 0; i < DF_TABLES_MAX; i++)
        df_tally_free(&s->reasons[i]);
    free(s->space.tokens);
}

/* Always the whole dataset: run->parts chooses work, not what is summed. */
static df_status stats_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    const stats_config *c = config;
    int n_threads = run->n_threads > 0 ? run->n_threads : 1;
    stats_work w = {.ds = ds, .run = run, .sums = calloc((size_t)n_threads, sizeof(sums))};
    if (!w.sums)
        return df_no_memory(err, "stats");
    for (int t = 0; t < n_threads; t++)
        for (int i = 0; i < BINS_COUNT; i++)
            w.sums[t].bins[i].step = bins_table[i].step;
    df_status status = open_tagger(&w, err);
    if (status == DF_OK)
        status = df_pool_run(n_threads, df_dataset_parts(ds), add_part, &w, err);
    for (int t = 1; t < n_threads && status == DF_OK; t++)
        status = join(&w.sums[0], &w.sums[t], err);
    if (status == DF_OK)
        status = add_skipped(ds, &w.sums[0].tallies[TALLY_SKIPPED], err);
    if (status == DF_OK)
        status = write_stats(ds, &w.sums[0], w.tagger != NULL, (size_t)c->top, err);
    for (int t = 0; t < n_threads; t++)
        free_sums(&w.sums[t]);
    df_pos_tagger_close(w.tagger);
    for (int i = 0; i < 3; i++)
        free(w.lexicon[i]);
    free(w.sums);
    return status;
}

static const df_option options[] = {
    {"top", DF_OPT_INT, offsetof(stats_config, top), "100", 1, 1e6,
     "how many tags, labels and colours are listed, most frequent first"},
    {0},
};
const df_stage df_stage_stats = {
    .name = "stats",
    .summary = "count words, parts of speech, evidence and what each stage kept",
    .reads = (const char *const[]){"ingest", DF_DECIDERS, "tag", "detect", "read", "look", "fuse",
                                   "caption", "check", NULL},
    .options = options,
    .config_size = sizeof(stats_config),
    .run = stats_run,
    .depends = stats_depends,
};
