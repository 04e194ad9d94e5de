/* Decoder "owl": an open-set detector of the OWL-ViT family (arXiv 2205.06230, 2306.09683). It
 * searches for the image's own tags, and for the card's labels if it has any. For each of n places
 * the image model gives
 *
 *   embeddings [n, dim]  vectors that are compared with those of the queries
 *   shift, scale [n]     a query's score is sigmoid((cosine + shift) * scale)
 *   boxes [n, 4]         centre x, y, width, height, as shares of the input's sides
 *
 * A place shows the query with the highest score. The card's `text` model encodes queries, within
 * its `template`. Card: decode.queries, the most queries for an image (default 64; tags by falling
 * score). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "expert/expert.h"
#include "expert/place.h"
#include "model/preprocess.h"
#include "model/text_encoder.h"
#include "vector/dot.h"
#include "vision/nms.h"

enum { BOXES_MAX = 300, QUERIES_MAX = 4096, PLACES_MAX = 65536 };

extern const df_expert_ops df_expert_owl;                            /* listed in expert.c */

typedef struct {
    df_expert base;
    const df_card *card;
    df_onnx *model;
    df_text_encoder *text;
    int queries_max;
} owl;

typedef struct {
    const char **labels;
    const float **vectors;
    int n;
} asked;

/* ---- queries ---- */

/* Adds a query, unless its words have no vector: nothing is left after cleaning, or they are too
 * long. */
static df_status add_query(const owl *o, const char *label, df_arena *arena, asked *queries,
                           df_error *err)
{
    if (!label || queries->n == o->queries_max)
        return DF_OK;
    for (int i = 0; i < queries->n; i++)
        if (strcmp(queries->labels[i], label) == 0)
            return DF_OK;
    const float *vector;
    df_error why;
    df_status status = df_text_encoder_run(o->text, label, arena, &vector, &why);
    if (status == DF_FORMAT)
        return DF_OK;
    if (status != DF_OK)
        return df_fail(err, status, "%s", why.message);
    char *copy = df_arena_strdup(arena, label);
    if (!copy)
        return df_no_memory(err, "run model %s", o->card->name);
    queries->labels[queries->n] = copy;
    queries->vectors[queries->n++] = vector;
    return DF_OK;
}

static df_status add_queries(const owl *o, const df_queries *tags, df_arena *arena, asked *queries,
                             df_error *err)
{
    queries->labels = df_arena_alloc(arena, (size_t)o->queries_max, sizeof *queries->labels);
    queries->vectors = df_arena_alloc(arena, (size_t)o->queries_max, sizeof *queries->vectors);
    if (!queries->labels || !queries->vectors)
        return df_no_memory(err, "run model %s", o->card->name);
    for (int i = 0; i < o->card->n_labels; i++)
        DF_TRY(add_query(o, o->card->label[i], arena, queries, err));
    for (int i = 0; i < tags->n; i++)
        DF_TRY(add_query(o, tags->tags[i].label, arena, queries, err));
    return DF_OK;
}

/* ---- the boxes ---- */

typedef struct {
    const float *embeddings, *shift, *scale, *boxes;
    int n, dim;
} places;

/* Finds the model's outputs and checks that their shapes agree. */
static df_status read_places(const owl *o, const df_tensor *outputs, int n_outputs, places *p,
                             df_error *err)
{
    const struct {
        const char *name;
        const float **to;
        int64_t columns;
    } wanted[] = {{"boxes", &p->boxes, 4},
                  {"embeddings", &p->embeddings, df_text_encoder_dim(o->text)},
                  {"shift", &p->shift, 1},
                  {"scale", &p->scale, 1}};
    int64_t n = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const df_tensor *t = df_tensor_named(outputs, n_outputs, wanted[i].name);
        const int64_t size = t ? df_tensor_size(t) : 0;
        if (i == 0)
            n = size / 4;
        if (n < 1 || n > PLACES_MAX || size != n * wanted[i].columns)
            return df_fail(err, DF_MODEL, "%s: the model has no output %s [%lld, %lld]",
                           o->card->path, wanted[i].name, (long long)n,
                           (long long)wanted[i].columns);
        *wanted[i].to = t->data;
    }
    p->n = (int)n;
    p->dim = df_text_encoder_dim(o->text);
    return DF_OK;
}

/* The box of place i, in input pixels, with its best query as label. */
static df_candidate best_query(const owl *o, const places *p, int i, const asked *queries)
{
    const float *seen = p->embeddings + (size_t)i * (size_t)p->dim, *box = p->boxes + 4 * (size_t)i;
    const double length = sqrt((double)df_dot(seen, seen, p->dim)) + 1e-6,
                 w = (double)o->card->width, h = (double)o->card->height;
    int best = 0;
    double most = -INFINITY;
    for (int q = 0; q < queries->n; q++) {
        const double logit =
            ((double)df_dot(seen, queries->vectors[q], p->dim) / length + (double)p->shift[i]) *
            (double)p->scale[i];
        if (logit > most)
            most = logit, best = q;
    }
    return df_candidate_centred(box, w, h, 1 / (1 + exp(-most)), best);
}

static df_status find_boxes(const owl *o, const places *p, const asked *queries, df_arena *arena,
                            df_candidate **found, int *n, df_error *err)
{
    *found = df_arena_alloc(arena, (size_t)p->n, sizeof **found);
    if (!*found)
        return df_no_memory(err, "run model %s", o->card->name);
    *n = 0;
    for (int i = 0; i < p->n; i++) {
        const df_candidate c = best_query(o, p, i, queries);
        if (c.score > o->card->threshold)
            (*found)[(*n)++] = c;
    }
    return DF_OK;
}

/* Compares what the model sees at each place with the image's tags (OWL-ViT, arXiv 2205.06230). */
static df_status owl_perceive(df_expert *e, const df_image *image, const df_queries *tags,
                              df_arena *arena, df_percept *out, df_error *err)
{
    const owl *o = (owl *)e;
    asked queries = {0};
    df_tensor input, *outputs = NULL;
    df_placement placement;
    df_candidate *found;
    places p = {0};
    int n_outputs = 0, n = 0;
    DF_TRY(add_queries(o, tags, arena, &queries, err));
    if (queries.n == 0)
        return DF_OK;                        /* without queries there is nothing to find */
    DF_TRY(df_preprocess(o->card, image, arena, &input, &placement, err));
    DF_TRY(df_onnx_run(o->model, &input, 1, arena, &outputs, &n_outputs, err));
    DF_TRY(read_places(o, outputs, n_outputs, &p, err));
    DF_TRY(find_boxes(o, &p, &queries, arena, &found, &n, err));
    return df_boxes_place(o->card, found, n, BOXES_MAX, queries.labels, &placement, image, arena,
                          out, err);
}

static void owl_close(df_expert *e)
{
    owl *o = (owl *)e;
    df_text_encoder_close(o->text);
    df_onnx_close(o->model);
    free(o);
}

/* Opens the image model of a card and the text encoder that it names. */
static df_status owl_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    const df_card *card = cards[0];
    const double most = df_card_number(card, "queries", 64);
    if (n_cards != 1 || !(most >= 1 && most <= (double)QUERIES_MAX))
        return df_fail(err, DF_CONFIG, "%s: decode.queries: must be 1 to %d", card->path,
                       QUERIES_MAX);
    owl *o = calloc(1, sizeof *o);
    if (!o)
        return df_no_memory(err, "open model %s", card->name);
    *o = (owl){.base.ops = &df_expert_owl, .card = card, .queries_max = (int)most};
    df_status status = df_text_encoder_open(&o->text, card, err);
    if (status == DF_OK)
        status = df_card_open_model(card, &o->model, err);
    if (status != DF_OK) {
        owl_close(&o->base);
        return status;
    }
    *out = &o->base;
    return DF_OK;
}

const df_expert_ops df_expert_owl = {"owl", owl_open, owl_perceive, owl_close};
