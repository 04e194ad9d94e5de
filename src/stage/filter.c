/* filter: keeps what is worth describing; every rejected row has its reason. Most are told by
 * ingest's table before a byte is read; what only the pixels show (a file that breaks off, an
 * unsafe picture) comes after. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "expert/expert.h"
#include "model/preprocess.h"
#include "stage/stage.h"
#include "tables/filter.h"
#include "tables/ingest.h"

typedef struct {
    int64_t min_side;
    double max_aspect, safety;
    bool duplicates, unfetched;
    char *safety_model;
} filter_config;

static const df_option options[] = {
    {"min_side", DF_OPT_INT, offsetof(filter_config, min_side), "448", 0, 1e6,
     "pixels the shorter edge must have (paper: 448)"},
    {"max_aspect", DF_OPT_REAL, offsetof(filter_config, max_aspect), "4", 1, 1e6,
     "longer edge by shorter edge at most: banners and strips say little"},
    {"duplicates", DF_OPT_BOOL, offsetof(filter_config, duplicates), "true", 0, 1,
     "of images with the same bytes keep only the first in the dataset"},
    {"unfetched", DF_OPT_BOOL, offsetof(filter_config, unfetched), "false", 0, 1,
     "keep rows that have a URL but no file, judged by the list's sizes; for vectors made "
     "elsewhere (`embed.from`)"},
    {"safety", DF_OPT_REAL, offsetof(filter_config, safety), "0", 0, 1,
     "highest score of `unsafe` that is kept, by the safety model; 0: the model is not run"},
    {"safety_model", DF_OPT_TEXT, offsetof(filter_config, safety_model), "open-nsfw", 0, 0,
     "card with a label `unsafe`"},
    {0},
};

typedef struct {
    const filter_config *config;
    /* hash, part, row, path of the first image of each content met twice */
    df_table *repeated;
    df_map first;                            /* hash to row of `repeated` */
    df_expert_handle *safety;                /* NULL: not asked for */
} filter_state;

static void filter_close(void *state)
{
    filter_state *s = state;
    df_expert_close(s->safety);
    df_map_free(&s->first);
    df_table_close(s->repeated);
    free(s);
}

/* One SQL query over all parts: only contents that occur twice come into memory. */
static df_status query_repeated(filter_state *s, const df_dataset *ds, df_error *err)
{
    df_str sql = {0};
    if (df_dataset_parts(ds) == 0)
        return DF_OK;
    df_str_append(&sql, "SELECT hash, min(place) AS place, arg_min(path, place) AS path FROM "
                        "(SELECT hash, path, " DF_PLACE_SQL " AS place FROM ");
    df_status status = df_dataset_append_sql(ds, "ingest", &sql, err);
    df_str_append(&sql, ") WHERE hash IS NOT NULL GROUP BY hash HAVING count(*) > 1");
    if (status == DF_OK)
        status = sql.failed ? df_no_memory(err, "filter")
                            : df_table_query(&s->repeated, df_str_text(&sql), err);
    df_str_free(&sql);
    for (int64_t i = 0, stored; status == DF_OK && s->repeated && i < df_table_rows(s->repeated);
         i++)
        status = df_map_put(&s->first, df_table_text(s->repeated, i, 0), i, &stored, err);
    return status;
}

/* Opens the safety model and finds contents that occur twice, where the options ask for them. */
static df_status filter_open(void **state, const df_dataset *ds, const void *config,
                             const df_run *run, df_error *err)
{
    filter_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, "filter");
    s->config = config;
    df_status status = s->config->duplicates ? query_repeated(s, ds, err) : DF_OK;
    if (status == DF_OK && s->config->safety > 0)
        status =
            df_expert_open(&s->safety, run->models, (const char *const[]){s->config->safety_model},
                           1, &run->runtime, err);
    if (status == DF_OK)
        *state = s;
    else
        filter_close(s);
    return status;
}

static df_status append(df_table *out, df_sight *sight, const char *reason, const char *detail,
                        df_error *err)
{
    sight->rejected = reason != NULL;
    return df_table_append(out,
                           (df_value[DF_FILTER_COLUMNS]){[DF_FILTER_ROW] = DF_INT(sight->row),
                                                         [DF_FILTER_KEPT] = DF_BOOL(reason == NULL),
                                                         [DF_FILTER_REASON] = DF_TEXT(reason),
                                                         [DF_FILTER_DETAIL] = DF_TEXT(detail)},
                           err);
}

static int64_t value_of(const df_sight *sight, int column)
{
    return df_table_int(sight->ingest, sight->row, column);
}

static const char *text_of(const df_sight *sight, int column)
{
    return df_table_text(sight->ingest, sight->row, column);
}

/* The reason for which a size is refused, with words in detail; NULL: it is fine. */
static const char *judge_size(const filter_config *config, int64_t width, int64_t height,
                              char *detail, size_t size)
{
    int64_t shorter = width < height ? width : height, longer = width < height ? height : width;
    if (shorter < 1 && config->min_side > 0) {
        snprintf(detail, size, "width and height are not known");
        return "no size";
    }
    if (shorter < config->min_side) {
        snprintf(detail, size, "short edge %lld px is below %lld", (long long)shorter,
                 (long long)config->min_side);
        return "small";
    }
    if ((double)longer > config->max_aspect * (double)shorter) {
        snprintf(detail, size,
                 "%lld x %lld px: the long edge is %.1f times the short one, above %g",
                 (long long)width, (long long)height, (double)longer / (double)shorter,
                 config->max_aspect);
        return "aspect";
    }
    return NULL;
}

static const char *judge_duplicate(const filter_state *s, const df_sight *sight, char *detail,
                                   size_t size)
{
    int64_t at = df_map_find(&s->first, text_of(sight, DF_INGEST_HASH), -1);
    if (at < 0)
        return NULL;
    const df_place first = df_place_unpack(df_table_int(s->repeated, at, 1));
    if (first.part == sight->part && first.row == sight->row)
        return NULL;
    snprintf(detail, size, "same bytes as %s (part %d, row %lld)",
             df_table_text(s->repeated, at, 2), (int)first.part, (long long)first.row);
    return "duplicate";
}

/* A row of a list that is kept without its pixels. */
static bool is_unfetched(const filter_state *s, const df_sight *sight)
{
    return s->config->unfetched && strcmp(text_of(sight, DF_INGEST_PROBLEM), "not fetched") == 0;
}

static df_status filter_screen(void *state, df_sight *sight, df_table *out, df_error *err)
{
    const filter_state *s = state;
    char detail[1024];
    const char *problem = text_of(sight, DF_INGEST_PROBLEM);
    if (problem[0] && !is_unfetched(s, sight))
        return append(out, sight, problem, text_of(sight, DF_INGEST_DETAIL), err);
    const char *reason = judge_size(s->config, value_of(sight, DF_INGEST_WIDTH),
                                    value_of(sight, DF_INGEST_HEIGHT), detail, sizeof detail);
    if (!reason)
        reason = judge_duplicate(s, sight, detail, sizeof detail);
    return reason ? append(out, sight, reason, detail, err) : DF_OK;
}

static df_status judge_safety(const filter_state *s, const df_image *image, df_arena *arena,
                              double *score, df_error *err)
{
    df_percept seen = {0};
    *score = 0;
    DF_TRY(df_expert_perceive(s->safety, image, NULL, arena, &seen, err));
    for (int i = 0; i < seen.n_tags; i++)
        if (strcmp(seen.tags[i].label, "unsafe") == 0)
            *score = seen.tags[i].score;
    return DF_OK;
}

/* Judges the picture itself: whether it can be decoded, and whether the safety model lets it
 * pass. */
static df_status filter_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                                 df_error *err)
{
    const filter_state *s = state;
    if (!sight->image && is_unfetched(s, sight))
        return append(out, sight, NULL, NULL, err);
    if (!sight->image)
        return append(out, sight, sight->problem ? sight->problem : "unreadable", sight->detail,
                      err);
    double score = 0;
    if (s->safety) {
        df_error why = {""};
        const df_status status = judge_safety(s, sight->image, arena, &score, &why);
        if (status == DF_FORMAT)             /* a guess is of no use where safety is asked for */
            return append(out, sight, "unsafe", "the safety model has no answer", err);
        if (status != DF_OK)
            return df_fail(err, status, "%s", why.message);
    }
    if (s->config->safety <= 0 || score <= s->config->safety)
        return append(out, sight, NULL, NULL, err);
    char detail[128];
    snprintf(detail, sizeof detail, "unsafe score %.3f is above %g", score, s->config->safety);
    return append(out, sight, "unsafe", detail, err);
}

static df_status filter_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const filter_config *c = config;
    if (c->safety <= 0)
        return DF_OK;
    DF_TRY(df_onnx_describe(&run->runtime, out, err));
    return df_card_describe(run->models, c->safety_model, out, err);
}

static int filter_edge(const void *state)
{
    const filter_state *s = state;
    return s->safety ? df_preprocess_edge(df_expert_card(s->safety, 0)) : DF_EDGE_ANY;
}

static const df_pixel_ops pixels = {.edge = filter_edge,
                                    .blind = true,
                                    .open = filter_open,
                                    .screen = filter_screen,
                                    .perceive = filter_perceive,
                                    .close = filter_close};

const df_stage df_stage_filter = {
    .name = "filter",
    .summary = "keep what is worth describing, say why the rest is not",
    .reads = (const char *const[]){"ingest", NULL},
    .table = &df_filter_table,
    .options = options,
    .config_size = sizeof(filter_config),
    .pixels = &pixels,
    .depends = filter_depends,
};
