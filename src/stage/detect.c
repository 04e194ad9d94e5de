/* detect: objects and where they are. Every model's raw answers are kept; fusion merges them. */
#include <stdlib.h>
#include "expert/panel.h"
#include "stage/import/import.h"
#include "tables/detect.h"
#include "tables/tables.h"
#include "tables/tag.h"

typedef struct {
    char *models, *from;
    double threshold, slice_overlap, slice_extra;
    int64_t slices;
} detect_config;
typedef struct {
    df_panel panel;
    df_evidence_import *imported;
    const df_run *run;
} detect_state;

static const df_option options[] = {
    {"models", DF_OPT_TEXT, offsetof(detect_config, models), "nanodet,centernet", 0, 0,
     "detectors, joined by commas; the first must be installed, others are used when they are; "
     "empty: none"},
    {"threshold", DF_OPT_REAL, offsetof(detect_config, threshold), "0", 0, 1,
     "least score of a box; 0: what each model's card says"},
    {"slices", DF_OPT_INT, offsetof(detect_config, slices), "2", 0, DF_SLICES_MAX,
     "for small objects: look again in overlapping tiles, this many along the long side; 0: none"},
    {"slice_overlap", DF_OPT_REAL, offsetof(detect_config, slice_overlap), "0.2", 0.05, 0.5,
     "share of a tile's side that the next tile shows too; larger objects are left to the whole "
     "picture"},
    {"slice_extra", DF_OPT_REAL, offsetof(detect_config, slice_extra), "0.05", 0, 1,
     "a box that only a tile shows needs a score this far above the detector's threshold"},
    DF_IMPORT_OPTION(detect_config),
    {0},
};

static void detect_close(void *state)
{
    detect_state *s = state;
    if (s) {
        df_panel_free(&s->panel);
        df_evidence_import_close(s->imported);
    }
    free(s);
}

/* Opens the detectors, and the boxes that a user brings. */
static df_status detect_open(void **state, const df_dataset *ds, const void *config,
                             const df_run *run, df_error *err)
{
    const detect_config *c = config;
    detect_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, NULL);
    s->run = run;
    df_status status =
        df_panel_init(&s->panel, run->models, c->models, c->threshold, &run->runtime, err);
    s->panel.slicing = (df_slicing){(int)c->slices, c->slice_overlap, c->slice_extra};
    if (status == DF_OK)
        status = df_import_open(&s->imported, ds, "detect", c->from, run, err);
    if (status != DF_OK) {
        detect_close(s);
        return status;
    }
    if (s->panel.missing.size)
        df_run_note(run, "detect: %s not installed, going on without",
                    df_str_text(&s->panel.missing));
    *state = s;
    return DF_OK;
}

/* The image's tags: what an open-set model is asked for. */
static df_status queries_of(const df_sight *sight, df_arena *arena, df_queries *out, df_error *err)
{
    const df_image_rows r = df_sight_rows(sight, &df_tag_table);
    df_tag *tags = df_arena_alloc(arena, (size_t)(r.end - r.first) + 1, sizeof *tags);
    if (!tags)
        return df_no_memory(err, NULL);
    for (int64_t i = r.first; i < r.end; i++)
        tags[i - r.first] = (df_tag){.label = df_table_text(r.table, i, DF_TAG_TAG),
                                     .score = df_table_real(r.table, i, DF_TAG_SCORE),
                                     .item = (int)(i - r.first)};
    *out = (df_queries){tags, (int)(r.end - r.first)};
    return DF_OK;
}

/* Asks every detector for its boxes: by model, then falling score. A model that fails of this
 * picture is a note. */
static df_status perceive(const detect_state *s, df_sight *sight, df_arena *arena, df_table *out,
                          df_error *err)
{
    df_queries queries;
    df_percept seen[DF_PANEL_MAX];
    DF_TRY(queries_of(sight, arena, &queries, err));
    DF_TRY(df_panel_perceive(&s->panel, sight->image, &queries, arena, seen, err));
    for (int i = 0; i < s->panel.n_experts; i++)
        if (seen[i].trouble)
            df_run_note(s->run, "detect: part %d row %lld: %s", sight->part, (long long)sight->row,
                        seen[i].trouble);
    for (int m = 0; m < s->panel.n_experts; m++)
        for (int i = 0; i < seen[m].n_boxes; i++) {
            const df_box *b = &seen[m].boxes[i];
            DF_TRY(df_table_append(
                out,
                (const df_value[DF_DETECT_COLUMNS]){[DF_DETECT_ROW] = DF_INT(sight->row),
                                                    [DF_DETECT_LABEL] = DF_TEXT(b->label),
                                                    [DF_DETECT_SCORE] = DF_REAL(b->score),
                                                    [DF_DETECT_X0] = DF_REAL(b->x0),
                                                    [DF_DETECT_Y0] = DF_REAL(b->y0),
                                                    [DF_DETECT_X1] = DF_REAL(b->x1),
                                                    [DF_DETECT_Y1] = DF_REAL(b->y1),
                                                    [DF_DETECT_SOURCE] = DF_TEXT(b->source)},
                err));
        }
    return DF_OK;
}

static bool detect_looks(const void *state)
{
    return ((const detect_state *)state)->panel.n_experts > 0;
}

static df_status detect_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                                 df_error *err)
{
    const detect_state *s = state;
    if (sight->image && detect_looks(s))
        DF_TRY(perceive(s, sight, arena, out, err));
    return df_evidence_import_append(s->imported, sight->part, sight->row, out, err);
}

static df_status detect_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    DF_TRY(df_onnx_describe(&run->runtime, out, err));
    DF_TRY(df_import_describe("detect", ((const detect_config *)config)->from, out, err));
    return df_panel_describe(run->models, ((const detect_config *)config)->models, out, err);
}

static const df_pixel_ops detect_pixels = {.open = detect_open,
                                           .perceive = detect_perceive,
                                           .close = detect_close,
                                           .blind = true,
                                           .sees =
                                               (const df_table_type *const[]){&df_tag_table, NULL},
                                           .looks = detect_looks};

const df_stage df_stage_detect = {
    .name = "detect",
    .summary = "objects and their boxes, by one detector and a second opinion",
    .reads = (const char *const[]){"ingest", DF_DECIDERS, "tag", NULL},
    .table = &df_detect_table,
    .options = options,
    .config_size = sizeof(detect_config),
    .pixels = &detect_pixels,
    .depends = detect_depends,
};
