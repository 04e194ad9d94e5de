/* embed: one vector of unit length per image, by an image encoder: what `cluster` and `dedup`
 * compare. The vectors of a part are a file of their own beside its table; on the way there they
 * are a column that is not written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/npy.h"
#include "model/encoder.h"
#include "stage/embed/imported.h"
#include "stage/stage.h"
#include "vector/half.h"
#include "tables/embed.h"

typedef struct {
    char *model, *from, *field, *key;
} embed_config;
/* The encoder, or the vectors made elsewhere. */
typedef struct {
    df_encoder *encoder;
    df_imported *imported;
    int dim;
    const df_run *run;
} embed_state;

static const df_option options[] = {
    {"model", DF_OPT_TEXT, offsetof(embed_config, model), "efficientnet-lite2", 0, 0,
     "card of the image encoder (paper: EVA-CLIP)"},
    {"from", DF_OPT_TEXT, offsetof(embed_config, from), "", 0, 0,
     "folder of vectors made elsewhere (.npy, .npz or Parquet; clip-retrieval's, DataComp's), used "
     "instead of a model"},
    {"field", DF_OPT_TEXT, offsetof(embed_config, field), "", 0, 0,
     "with `from`: member of the .npz files (DataComp: l14_img), or list column of the Parquet "
     "files"},
    {"key", DF_OPT_TEXT, offsetof(embed_config, key), "", 0, 0,
     "with `from`: column of the tables beside the vectors that holds ingest's url or path; empty: "
     "one vector per row, in order"},
    {0},
};

/* The part's columns, and the vector. */
enum { VECTOR = DF_EMBED_COLUMNS };
static const df_column columns[] = {[DF_EMBED_ROW] = {"row", DF_COLUMN_INT, NULL},
                                    [DF_EMBED_PHASH] = {"phash", DF_COLUMN_INT, NULL},
                                    [DF_EMBED_PROBLEM] = {"problem", DF_COLUMN_TEXT, NULL},
                                    [VECTOR] = {"vector", DF_COLUMN_VECTOR, NULL},
                                    {0}};

static bool imports(const embed_config *c)
{
    return c->from && c->from[0];
}

static void embed_close(void *state)
{
    embed_state *s = state;
    df_encoder_close(s->encoder);
    df_imported_close(s->imported);
    free(s);
}

/* Opens the image encoder, or the vectors that a user brings. */
static df_status embed_open(void **state, const df_dataset *ds, const void *config,
                            const df_run *run, df_error *err)
{
    const embed_config *c = config;
    embed_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, NULL);
    s->run = run;
    const df_imported_options from = {c->from, c->field, c->key};
    df_status status = imports(c) ? df_imported_open(&s->imported, &from, ds, err)
                                  : df_encoder_open(&s->encoder, run->models,
                                                    c->model ? c->model : "", &run->runtime, err);
    if (status != DF_OK) {
        embed_close(s);
        return status;
    }
    s->dim = s->imported ? df_imported_dim(s->imported) : df_encoder_dim(s->encoder);
    *state = s;
    return DF_OK;
}

/* ---- one image ---- */

/* Unit length in double, then float16. NULL with *problem set when it has no direction. */
static df_status normalise(const double *x, int dim, df_arena *arena, uint16_t **vector,
                           const char **problem, df_error *err)
{
    double sum = 0;
    *vector = NULL;
    *problem = NULL;
    for (int k = 0; k < dim; k++)
        sum += x[k] * x[k];
    if (!isfinite(sum) || sum == 0) {
        *problem = isnan(sum) ? "not a number" : sum == 0 ? "zero" : "infinite";
        return DF_OK;
    }
    float *unit = df_arena_alloc(arena, (size_t)dim, sizeof *unit);
    uint16_t *half = *vector = df_arena_alloc(arena, (size_t)dim, sizeof *half);
    if (!unit || !half)
        return df_no_memory(err, NULL);
    for (int k = 0; k < dim; k++)
        unit[k] = (float)(x[k] / sqrt(sum));
    df_float_to_half_n(unit, half, (size_t)dim);
    return DF_OK;
}

/* vector: [dim]; NULL with a problem. */
static df_status append(df_table *out, const df_sight *sight, const char *problem,
                        const uint16_t *vector, int dim, df_error *err)
{
    df_value phash = DF_NULL;
    uint64_t hash;
    if (sight->image) {
        DF_TRY(df_image_dhash(sight->image, &hash, err));
        phash = DF_INT((int64_t)hash);
    }
    return df_table_append(out,
                           (const df_value[]){DF_INT(sight->row), phash, DF_TEXT(problem),
                                              vector ? DF_VECTOR(vector, dim) : DF_NULL},
                           err);
}

/* What the encoder says of the picture, or why it says nothing. */
static df_status encode(const embed_state *s, const df_sight *sight, df_arena *arena, double *x,
                        const char **problem, df_error *err)
{
    const float *answer;
    df_error why = {""};
    *problem = sight->image ? NULL : sight->problem ? sight->problem : "missing";
    if (*problem)
        return DF_OK;
    df_status status = df_encoder_run(s->encoder, sight->image, arena, &answer, &why);
    if (status == DF_FORMAT) {               /* of this picture alone */
        df_run_note(s->run, "embed: part %d row %lld: %s", sight->part, (long long)sight->row,
                    why.message);
        *problem = "not a number";
        return DF_OK;
    }
    for (int k = 0; status == DF_OK && k < s->dim; k++)
        x[k] = (double)answer[k];
    return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
}

static df_status import(const embed_state *s, const df_sight *sight, double *x,
                        const char **problem, df_error *err)
{
    int64_t index;
    DF_TRY(df_imported_find(s->imported, sight->ingest, sight->part, sight->row, &index, err));
    *problem = index < 0 ? "missing" : NULL;
    return index < 0 ? DF_OK : df_imported_read(s->imported, index, x, err);
}

static df_status embed_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                                df_error *err)
{
    const embed_state *s = state;
    uint16_t *vector = NULL;
    const char *problem = NULL;
    double *x = df_arena_alloc(arena, (size_t)s->dim, sizeof *x);
    if (!x)
        return df_no_memory(err, NULL);
    DF_TRY(s->imported ? import(s, sight, x, &problem, err)
                       : encode(s, sight, arena, x, &problem, err));
    if (!problem)
        DF_TRY(normalise(x, s->dim, arena, &vector, &problem, err));
    return append(out, sight, problem, vector, s->dim, err);
}

/* ---- one part ---- */

/* Writes the vectors of a finished part to w and its other columns to `to`. */
static df_status fill_part(const df_table *t, int dim, df_npy_writer *w, df_table *to,
                           df_error *err)
{
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        int64_t n;
        const uint16_t *vector = df_table_vector(t, i, VECTOR, &n);
        if (vector && n != dim)
            return df_fail(err, DF_FORMAT, "a partial part of another encoder; remove it");
        if (vector)
            DF_TRY(df_npy_append(w, vector, 1, err));
        DF_TRY(df_table_append(to,
                               (const df_value[DF_EMBED_COLUMNS]){
                                   [DF_EMBED_ROW] = df_table_value(t, i, DF_EMBED_ROW),
                                   [DF_EMBED_PHASH] = df_table_value(t, i, DF_EMBED_PHASH),
                                   [DF_EMBED_PROBLEM] = df_table_value(t, i, DF_EMBED_PROBLEM)},
                               err));
    }
    return DF_OK;
}

/* The vectors first: a part is complete when its table is there. */
static df_status embed_write(void *state, const df_dataset *ds, int part, const df_table *t,
                             df_error *err)
{
    const embed_state *s = state;
    char name[64];
    df_draft draft;
    df_npy_writer *w = NULL;
    df_table *table = NULL;
    snprintf(name, sizeof name, "embed/part-%05d.npy", part);
    DF_TRY(df_folder_draft(df_dataset_files(ds), name, &draft, err));
    df_status status = df_npy_create(&w, draft.path, DF_NPY_FLOAT16, s->dim, err);
    if (status == DF_OK)
        status = df_table_create(&table, df_embed_table.columns, err);
    if (status == DF_OK)
        status = fill_part(t, s->dim, w, table, err);
    if (status == DF_OK)
        status = df_npy_finish(w, err);
    if (status == DF_OK)
        status = df_draft_commit(&draft, err);
    if (status == DF_OK)
        status = df_dataset_write(ds, "embed", part, table, err);
    df_table_close(table);
    df_npy_writer_close(w);
    df_draft_drop(&draft);
    return status;
}

static df_status embed_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const embed_config *c = config;
    if (imports(c))
        return df_imported_describe(&(df_imported_options){c->from, c->field, c->key}, out, err);
    DF_TRY(df_onnx_describe(&run->runtime, out, err));
    return df_card_describe(run->models, c->model ? c->model : "", out, err);
}

/* Without an encoder the pixels are for the perceptual hash alone, which is of 9 x 8. */
static int embed_edge(const void *state)
{
    const embed_state *s = state;
    return s->encoder ? df_encoder_edge(s->encoder) : 64;
}

static const df_pixel_ops pixels = {.edge = embed_edge,
                                    .open = embed_open,
                                    .perceive = embed_perceive,
                                    .close = embed_close,
                                    .write = embed_write,
                                    .columns = columns,
                                    .blind = true};

const df_stage df_stage_embed = {
    .name = "embed",
    .summary = "a vector for each image, by an image encoder, to compare images by",
    .reads = (const char *const[]){"ingest", "filter", NULL},
    .table = &df_embed_table,
    .options = options,
    .config_size = sizeof(embed_config),
    .pixels = &pixels,
    .depends = embed_depends,
};
