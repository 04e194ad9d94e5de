/* fuse: all evidence of an image, weighed and written into the prompt that a captioner reads. */
#include "stage/fuse/fuse.h"
#include "evidence/evidence_hash.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "tables/gather.h"
#include "tables/tables.h"
#include "model/card.h"
#include "stage/fuse/draw.h"
#include "stage/stage.h"
#include "tables/fuse.h"
#include "tables/kept.h"

static const df_option options[] = {
    {"prompt", DF_OPT_TEXT, offsetof(df_fuse_config, prompt), "engine", 0, 0,
     "engine (short), meta (the paper's 18 rules), or the path of your own template "
     "(docs/FUSION.md)"},
    {"tuning_prompt", DF_OPT_TEXT, offsetof(df_fuse_config, tuning_prompt), NULL, 0, 0,
     "a second prompt from the same evidence, for the engine that will be tuned on these captions; "
     "values as for `prompt`"},
    {"draw", DF_OPT_INT, offsetof(df_fuse_config, draw), "0", 0, 1e9,
     "give a prompt, and so a caption, to this many random images of those kept; 0: to all (paper: "
     "100000 for the meta set)"},
    {"draw_seed", DF_OPT_INT, offsetof(df_fuse_config, draw_seed), "0", 0, 2147483647,
     "seed of the draw; with the same seed a larger draw holds every smaller one"},
    {"accept", DF_OPT_TEXT, offsetof(df_fuse_config, accept), "", 0, 0,
     "score from which each expert is believed by itself, as \"nanodet=0.7, owlv2=0.3\"; else its "
     "card's `accept`, else box_score or tag_score"},
    {"tag_score", DF_OPT_REAL, offsetof(df_fuse_config, fuse.tag_score), "0.5", 0, 1,
     "score from which a tag is believed, for taggers whose card has no `accept`"},
    {"max_tags", DF_OPT_INT, offsetof(df_fuse_config, fuse.max_tags), "10", 0, 1000,
     "most tags in a prompt"},
    {"box_score", DF_OPT_REAL, offsetof(df_fuse_config, fuse.merge.accept), "0.75", 0, 1,
     "score from which a box is believed, for detectors whose card has no `accept`; agreement with "
     "others lifts a lower one over it"},
    {"box_iou", DF_OPT_REAL, offsetof(df_fuse_config, fuse.merge.iou), "0.55", 0, 1,
     "overlap above which boxes of one label are one object (weighted box fusion's own default)"},
    {"same_place", DF_OPT_REAL, offsetof(df_fuse_config, fuse.merge.same_place), "0.9", 0, 1,
     "overlap above which boxes of two labels are one object; the narrower name is told, or the "
     "surer of two unrelated ones"},
    {"tag_weight", DF_OPT_REAL, offsetof(df_fuse_config, fuse.merge.tag_weight), "1", 0, 1,
     "how much a tag counts as a witness for boxes of its name, compared with a detector; 0: not "
     "at all"},
    {"max_boxes", DF_OPT_INT, offsetof(df_fuse_config, fuse.sample.budget), "32", 0, 10000,
     "boxes in a prompt, about 20 tokens each: enough for a busy scene, small beside the image "
     "itself"},
    {"small_area", DF_OPT_REAL, offsetof(df_fuse_config, fuse.sample.small_area), "0.01", 0, 1,
     "an object below this share of the image is small: a tenth of its side, what models overlook"},
    {"large_area", DF_OPT_REAL, offsetof(df_fuse_config, fuse.sample.large_area), "0.1", 0, 1,
     "an object from this share of the image on is large"},
    {"small_quota", DF_OPT_REAL, offsetof(df_fuse_config, fuse.sample.small_quota), "0.4", 0, 1,
     "share of max_boxes held for small objects: the largest, as the paper highlights them"},
    {"medium_quota", DF_OPT_REAL, offsetof(df_fuse_config, fuse.sample.medium_quota), "0.3", 0, 1,
     "share of max_boxes held for medium objects; large ones have the rest"},
    {"line_score", DF_OPT_REAL, offsetof(df_fuse_config, fuse.line_score), "0.7", 0, 1,
     "least score of a text line: below it blur is read as gibberish"},
    {"max_lines", DF_OPT_INT, offsetof(df_fuse_config, fuse.max_lines), "60", 0, 10000,
     "text lines in a prompt; the surest are kept"},
    {"max_tokens", DF_OPT_INT, offsetof(df_fuse_config, fuse.max_tokens), "1500", 0, 1000000,
     "most tokens of evidence in a prompt, estimated; the surest lines may use half, or what boxes "
     "and tags leave; 0: no limit"},
    {0},
};

/* ---- what fusion works with ---- */

static df_status open_prompt(df_prompt **out, const char *name, const char *share, df_str *depends,
                             df_error *err)
{
    const bool ours = strcmp(name, "engine") == 0 || strcmp(name, "meta") == 0;
    char path[PATH_MAX], hash[DF_HASH_HEX];
    char *text;
    size_t size;
    DF_TRY(ours ? df_path(path, err, "%s/prompts/%s.txt", share, name)
                : df_path(path, err, "%s", name));
    DF_TRY(df_file_read(path, DF_PROMPT_TEMPLATE_MAX, &text, &size, err));
    df_hash_hex(text, size, hash);
    df_str_printf(depends, "template=%s\n", hash);
    df_status status = df_prompt_open(out, path, text, size, err);
    free(text);
    return status;
}

static df_status kinds_path(const char *share, char path[PATH_MAX], df_error *err)
{
    return df_path(path, err, "%s/lexicon/kinds.txt", share);
}

/* Hashed, not opened: this is asked before every run. */
static df_status describe_kinds(const char *share, df_str *depends, df_error *err)
{
    char path[PATH_MAX], hash[DF_HASH_HEX] = "none", *text;
    size_t size;
    DF_TRY(kinds_path(share, path, err));
    if (df_file_exists(path)) {
        DF_TRY(df_file_read(path, DF_KINDS_BYTES_MAX, &text, &size, err));
        df_hash_hex(text, size, hash);
        free(text);
    }
    df_str_printf(depends, "kinds=%s\n", hash);
    return DF_OK;
}

/* Adds what a list says; of two entries for a source the first counts. `seps` part the entries,
 * `is` stands within one. */
static df_status add_accepts(df_fuser *f, df_accept *list, char *text, const char *seps, char is,
                             df_error *err)
{
    for (char *at = text; *(at += strspn(at, seps));) {
        char *end = at + strcspn(at, seps), *value = memchr(at, is, (size_t)(end - at)),
             *number_end = NULL;
        const bool last = *end == '\0';
        *end = '\0';
        const double score = value ? strtod(value + 1, &number_end) : NAN;
        if (!(score >= 0 && score <= 1) || number_end == value + 1 || *number_end || value == at)
            return df_fail(err, DF_CONFIG,
                           "fuse.accept: \"%.60s\" must be like nanodet=0.7, a score from 0 to 1",
                           at);
        *value = '\0';
        list[f->how.n_accept++] = (df_accept){at, score};
        at = last ? end : end + 1;
    }
    return DF_OK;
}

/* Reads from which score on each expert is believed: what the option says, then what the model
 * cards say. */
static df_status read_accepts(df_fuser *f, const df_fuse_config *config, const char *models,
                              df_str *depends, df_error *err)
{
    df_str cards = {0};
    df_status status = models ? df_cards_accept(models, &cards, err) : DF_OK;
    df_str_append(depends, df_str_text(&cards));
    char *given = df_arena_strdup(&f->arena, config->accept ? config->accept : "");
    char *known = df_arena_strdup(&f->arena, df_str_text(&cards));
    const size_t room = given && known ? (strlen(given) + strlen(known)) / 3 + 1 : 1;
    df_accept *list = df_arena_alloc(&f->arena, room, sizeof *list);
    if (status == DF_OK && (!given || !known || !list || cards.failed))
        status = df_no_memory(err, "fuse");
    f->how.accept = list;
    if (status == DF_OK)
        status = add_accepts(f, list, given, ", ", '=', err);
    if (status == DF_OK)
        status = add_accepts(f, list, known, "\n", ' ', err);
    df_str_free(&cards);
    return status;
}

/* Opens the files that options name; *depends receives their hashes. */
static df_status open_options(df_fuser *f, const df_fuse_config *config, const char *share,
                              const char *models, df_str *depends, df_error *err)
{
    DF_TRY(open_prompt(&f->prompt, config->prompt && *config->prompt ? config->prompt : "engine",
                       share, depends, err));
    if (config->tuning_prompt && *config->tuning_prompt)
        DF_TRY(open_prompt(&f->tuning, config->tuning_prompt, share, depends, err));
    DF_TRY(read_accepts(f, config, models, depends, err));
    return depends->failed ? df_no_memory(err, "fuse") : DF_OK;
}

df_status df_fuser_init(df_fuser *fuser, const df_fuse_config *config, const char *share,
                        const char *models, df_error *err)
{
    df_fuser fresh = {.how.options = &config->fuse};
    df_str unasked = {0};
    char path[PATH_MAX];
    share = share ? share : ".";
    df_status status = open_options(&fresh, config, share, models, &unasked, err);
    if (status == DF_OK)
        status = kinds_path(share, path, err);
    if (status == DF_OK)
        status = df_kinds_open(&fresh.kinds, path, err);
    df_str_free(&unasked);
    fresh.how.kinds = fresh.kinds;
    if (status == DF_OK)
        *fuser = fresh;
    else
        df_fuser_free(&fresh);
    return status;
}

void df_fuser_free(df_fuser *fuser)
{
    df_prompt_close(fuser->prompt);
    df_prompt_close(fuser->tuning);
    df_kinds_close(fuser->kinds);
    df_arena_reset(&fuser->arena);
    *fuser = (df_fuser){0};
}

static df_status fuse_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    df_fuser fuser = {0};
    const char *share = run->share ? run->share : ".";
    df_status status = open_options(&fuser, config, share, run->models, out, err);
    if (status == DF_OK)
        status = describe_kinds(share, out, err);
    df_fuser_free(&fuser);
    return status;
}

/* ---- one part ---- */

typedef struct {
    const df_fuser *fuser;
    df_table *prompts, *evidence, *left;
    const df_draw *draw;                     /* NULL: every image that was kept */
    df_arena arena;                          /* one image's */
    df_str text, tuning;
} fusing_part;

/* Appends the tags and boxes that the prompt tells to fuse/evidence. */
static df_status append_tags_and_boxes(const fusing_part *f, int64_t row, const df_evidence *e,
                                       df_error *err)
{
    for (int i = 0; i < e->n_tags; i++) {
        const df_tag *t = &e->tags[i];
        const df_value v[DF_FUSE_EVIDENCE_COLUMNS] = {[DF_FUSE_EVIDENCE_ROW] = DF_INT(row),
                                                      [DF_FUSE_EVIDENCE_KIND] = DF_TEXT("tag"),
                                                      [DF_FUSE_EVIDENCE_ITEM] = DF_INT(t->item),
                                                      [DF_FUSE_EVIDENCE_TEXT] = DF_TEXT(t->label),
                                                      [DF_FUSE_EVIDENCE_SCORE] = DF_REAL(t->score),
                                                      [DF_FUSE_EVIDENCE_SOURCE] =
                                                          t->source ? DF_TEXT(t->source) : DF_NULL};
        DF_TRY(df_table_append(f->evidence, v, err));
    }
    for (int i = 0; i < e->n_boxes; i++) {
        const df_box *b = &e->boxes[i];
        const df_value v[DF_FUSE_EVIDENCE_COLUMNS] = {
            [DF_FUSE_EVIDENCE_ROW] = DF_INT(row),
            [DF_FUSE_EVIDENCE_KIND] = DF_TEXT("box"),
            [DF_FUSE_EVIDENCE_ITEM] = DF_INT(b->item),
            [DF_FUSE_EVIDENCE_TEXT] = DF_TEXT(b->label),
            [DF_FUSE_EVIDENCE_SCORE] = DF_REAL(b->score),
            [DF_FUSE_EVIDENCE_SOURCE] = DF_TEXT(b->source),
            [DF_FUSE_EVIDENCE_X0] = DF_REAL(b->x0),
            [DF_FUSE_EVIDENCE_Y0] = DF_REAL(b->y0),
            [DF_FUSE_EVIDENCE_X1] = DF_REAL(b->x1),
            [DF_FUSE_EVIDENCE_Y1] = DF_REAL(b->y1),
            [DF_FUSE_EVIDENCE_COUNT] = DF_INT(b->count > 1 ? b->count : 1)};
        DF_TRY(df_table_append(f->evidence, v, err));
    }
    return DF_OK;
}

/* Appends the lines of text that the prompt tells, with the box around their corners. */
static df_status append_lines(const fusing_part *f, int64_t row, const df_evidence *e,
                              df_error *err)
{
    for (int i = 0; i < e->n_lines; i++) {
        const df_line *l = &e->lines[i];
        double x0 = l->x[0], x1 = x0, y0 = l->y[0], y1 = y0;
        for (int k = 1; k < 4; k++) {
            x0 = fmin(x0, l->x[k]);
            x1 = fmax(x1, l->x[k]);
            y0 = fmin(y0, l->y[k]);
            y1 = fmax(y1, l->y[k]);
        }
        const df_value v[DF_FUSE_EVIDENCE_COLUMNS] = {[DF_FUSE_EVIDENCE_ROW] = DF_INT(row),
                                                      [DF_FUSE_EVIDENCE_KIND] = DF_TEXT("line"),
                                                      [DF_FUSE_EVIDENCE_ITEM] = DF_INT(l->item),
                                                      [DF_FUSE_EVIDENCE_TEXT] = DF_TEXT(l->text),
                                                      [DF_FUSE_EVIDENCE_SCORE] = DF_REAL(l->score),
                                                      [DF_FUSE_EVIDENCE_X0] = DF_REAL(x0),
                                                      [DF_FUSE_EVIDENCE_Y0] = DF_REAL(y0),
                                                      [DF_FUSE_EVIDENCE_X1] = DF_REAL(x1),
                                                      [DF_FUSE_EVIDENCE_Y1] = DF_REAL(y1)};
        DF_TRY(df_table_append(f->evidence, v, err));
    }
    return DF_OK;
}

/* Appends what the prompt does not tell, and why. */
static df_status append_left(const fusing_part *f, int64_t row, const df_fused *fused,
                             df_error *err)
{
    for (int i = 0; i < fused->n_left; i++) {
        const df_left *l = &fused->left[i];
        const bool placed = strcmp(l->kind, "tag") != 0;
        const df_value v[DF_FUSE_LEFT_COLUMNS] = {
            [DF_FUSE_LEFT_ROW] = DF_INT(row),
            [DF_FUSE_LEFT_KIND] = DF_TEXT(l->kind),
            [DF_FUSE_LEFT_ITEM] = DF_INT(l->item),
            [DF_FUSE_LEFT_TEXT] = DF_TEXT(l->text),
            [DF_FUSE_LEFT_SCORE] = DF_REAL(l->score),
            [DF_FUSE_LEFT_SOURCE] = l->source ? DF_TEXT(l->source) : DF_NULL,
            [DF_FUSE_LEFT_X0] = placed ? DF_REAL(l->x0) : DF_NULL,
            [DF_FUSE_LEFT_Y0] = placed ? DF_REAL(l->y0) : DF_NULL,
            [DF_FUSE_LEFT_X1] = placed ? DF_REAL(l->x1) : DF_NULL,
            [DF_FUSE_LEFT_Y1] = placed ? DF_REAL(l->y1) : DF_NULL,
            [DF_FUSE_LEFT_REASON] = DF_TEXT(l->reason)};
        DF_TRY(df_table_append(f->left, v, err));
    }
    return DF_OK;
}

/* Fuses the evidence of one image and fills the prompt with it. */
static df_status fuse_image(fusing_part *f, int64_t row, const df_evidence *raw, df_error *err)
{
    df_fused fused;
    char hash[DF_HASH_HEX];
    DF_TRY(df_fuse(&f->fuser->how, raw, &f->arena, &fused, err));
    const df_evidence *e = &fused.told;
    DF_TRY(df_evidence_hash(e, hash, err));
    df_str_clear(&f->text);
    DF_TRY(df_prompt_fill(f->fuser->prompt, e, &f->text, err));
    df_str_clear(&f->tuning);
    if (f->fuser->tuning)
        DF_TRY(df_prompt_fill(f->fuser->tuning, e, &f->tuning, err));
    const df_value v[DF_FUSE_COLUMNS] = {
        [DF_FUSE_ROW] = DF_INT(row),
        [DF_FUSE_PROMPT] = DF_TEXT(df_str_text(&f->text)),
        [DF_FUSE_N_TAGS] = DF_INT(e->n_tags),
        [DF_FUSE_N_BOXES] = DF_INT(e->n_boxes),
        [DF_FUSE_N_LINES] = DF_INT(e->n_lines),
        [DF_FUSE_EVIDENCE_HASH] = DF_TEXT(hash),
        [DF_FUSE_TUNING_PROMPT] = f->fuser->tuning ? DF_TEXT(df_str_text(&f->tuning)) : DF_NULL};
    DF_TRY(df_table_append(f->prompts, v, err));
    DF_TRY(append_tags_and_boxes(f, row, e, err));
    DF_TRY(append_lines(f, row, e, err));
    return append_left(f, row, &fused, err);
}

static const char *const reads[] = {"ingest", DF_DECIDERS, "tag", "detect", "read", "look", NULL};

/* Fuses the images of a part that are kept, and drawn where there is a draw. */
static df_status fuse_rows(fusing_part *f, const df_dataset *ds, int part, const df_run *run,
                           df_error *err)
{
    df_evidence_tables tables = {0};
    df_arena arena = {0};
    df_evidence *raw;
    bool *kept = NULL;
    int64_t n = 0, n_kept = 0;
    df_status status = df_kept_rows(ds, reads, part, &kept, &n_kept, err);
    if (status == DF_OK)
        status = df_evidence_tables_open(&tables, ds, part, false, err);
    if (status == DF_OK)
        status = df_evidence_gather(&tables, &arena, &raw, &n, err);
    df_evidence_tables_close(&tables);
    for (int64_t row = 0; status == DF_OK && row < n && row < n_kept; row++) {
        if (!kept[row] || (f->draw && !df_draw_takes(f->draw, raw[row].path)))
            continue;
        if (df_run_stopped(run))
            status = df_stopped(err);
        else
            status = fuse_image(f, row, &raw[row], err);
        if (status == DF_OK)
            status = df_arena_check(&f->arena, raw[row].path, err);
        df_arena_reset(&f->arena);
    }
    free(kept);
    df_arena_reset(&arena);
    return status;
}

/* The evidence first: a part of prompts that exists has its evidence and what was left out. */
static df_status fuse_part(fusing_part *f, df_dataset *ds, int part, const df_run *run,
                           df_error *err)
{
    df_status status = df_table_create(&f->prompts, df_fuse_table.columns, err);
    if (status == DF_OK)
        status = df_table_create(&f->evidence, df_fuse_evidence_table.columns, err);
    if (status == DF_OK)
        status = df_table_create(&f->left, df_fuse_left_table.columns, err);
    if (status == DF_OK)
        status = fuse_rows(f, ds, part, run, err);
    if (status == DF_OK)
        status = df_dataset_write(ds, "fuse/evidence", part, f->evidence, err);
    if (status == DF_OK)
        status = df_dataset_write(ds, "fuse/left", part, f->left, err);
    if (status == DF_OK)
        status = df_dataset_write(ds, "fuse", part, f->prompts, err);
    df_table_close(f->prompts);
    df_table_close(f->evidence);
    df_table_close(f->left);
    f->prompts = f->evidence = f->left = NULL;
    return status;
}

static df_status open_draw(fusing_part *f, df_draw *draw, const df_dataset *ds,
                           const df_fuse_config *config, const df_run *run, df_error *err)
{
    if (config->draw == 0)
        return DF_OK;
    DF_TRY(df_draw_open(draw, ds, reads, config->draw, config->draw_seed, err));
    if (draw->n_kept < config->draw)
        df_run_note(
            run,
            "fuse: draw: all %lld images that were kept are drawn, fewer than the %lld asked for",
            (long long)draw->n_kept, (long long)config->draw);
    f->draw = draw;
    return DF_OK;
}

/* Fuses every part that is missing. */
static df_status fuse_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    df_fuser fuser;
    DF_TRY(df_fuser_init(&fuser, config, run->share, run->models, err));
    fusing_part f = {.fuser = &fuser};
    const int n_parts = df_dataset_parts(ds);
    df_draw draw;
    df_status status = open_draw(&f, &draw, ds, config, run, err);
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        if (df_run_stopped(run))
            status = df_stopped(err);
        else if (df_run_wants(run, part) && !df_dataset_has_part(ds, "fuse", part))
            status = fuse_part(&f, ds, part, run, err);
        if (status == DF_OK)
            df_run_progress(run, "fuse", part + 1, n_parts);
    }
    df_str_free(&f.text);
    df_str_free(&f.tuning);
    df_fuser_free(&fuser);
    return status;
}

const df_stage df_stage_fuse = {
    .name = "fuse",
    .summary = "weigh and merge the evidence, sample boxes, fill the prompt",
    .reads = reads,
    .table = &df_fuse_table,
    .options = options,
    .config_size = sizeof(df_fuse_config),
    .run = fuse_run,
    .depends = fuse_depends,
};
