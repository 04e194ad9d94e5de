/* Decoder "classes": a classifier's scores over its card's labels, for taggers and the safety
 * model. Without further numbers the classes exclude each other, and scores of classes with one
 * name (three breeds, all "dog") are added: a network that hesitates between breeds is sure of the
 * dog.
 *
 *   decode.softmax: 1      the output is not yet probabilities
 *   decode.sigmoid: 1      a multi-label model with logits; each class is independent, and a name
 * has the score of its best class decode.independent: 1  the same, when the output is probabilities
 *
 * If the card has `thresholds` (RAM, arXiv 2306.03514), a class counts when it exceeds its own.
 *
 * Decoder "similarity": the same for a model that compares an image's vector with those of its
 * labels. Each label is put into the card's `template` and encoded once, by its `text` card, when
 * the expert is opened. A label's score is decode.scale * cosine + decode.bias, followed by
 * decode.softmax: 1 (CLIP, arXiv 2103.00020) or decode.sigmoid: 1 (SigLIP, arXiv 2303.15343). */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "expert/expert.h"
#include "model/encoder.h"
#include "model/preprocess.h"
#include "model/text_encoder.h"
#include "vector/dot.h"

extern const df_expert_ops df_expert_classes, df_expert_similarity;  /* listed in expert.c */

typedef struct {
    df_expert base;
    const df_card *card;
    df_onnx *model;                          /* only for "classes" */
    df_encoder *encoder; /* this and the next three lines only for "similarity" */
    df_text_encoder *text;
    float *vectors;                          /* [n_labels, dim] */
    double scale, bias;
    /* [n_labels] index into groups; -1: the class is dropped */
    int *group_of;
    const char **groups;
    int n_groups;
    bool softmax, sigmoid, independent;
} classes;

static void classes_close(df_expert *e)
{
    classes *c = (classes *)e;
    df_onnx_close(c->model);
    df_encoder_close(c->encoder);
    df_text_encoder_close(c->text);
    free(c->vectors);
    free(c->group_of);
    free(c->groups);
    free(c);
}

/* Groups the labels of the same name: their scores are summed up. */
static df_status group_labels(classes *c, df_error *err)
{
    const size_t n = (size_t)c->card->n_labels;
    df_map seen = {0};
    df_status status = DF_OK;
    c->group_of = malloc(n * sizeof *c->group_of);
    c->groups = malloc(n * sizeof *c->groups);
    if (!c->group_of || !c->groups)
        return df_no_memory(err, "open model %s", c->card->name);
    for (size_t i = 0; i < n && status == DF_OK; i++) {
        int64_t group = -1;
        if (c->card->label[i])
            status = df_map_put(&seen, c->card->label[i], c->n_groups, &group, err);
        c->group_of[i] = (int)group;
        if (group == c->n_groups)
            c->groups[c->n_groups++] = c->card->label[i];
    }
    df_map_free(&seen);
    return status;
}

typedef df_status (*open_fn)(classes *c, df_error *err);

static df_status open_classifier(classes *c, df_error *err)
{
    return df_card_open_model(c->card, &c->model, err);
}

/* Encodes a vector for each label; a class that is dropped has zeros. */
static df_status encode_labels(classes *c, df_error *err)
{
    const size_t dim = (size_t)df_text_encoder_dim(c->text), n = (size_t)c->card->n_labels;
    df_arena arena = {0};
    df_status status = DF_OK;
    /* n <= 100,000, dim <= 65,536 */
    c->vectors = calloc(n, dim * sizeof *c->vectors);
    if (!c->vectors)
        return df_no_memory(err, "open model %s", c->card->name);
    for (size_t i = 0; i < n && status == DF_OK; i++) {
        const float *vector = NULL;
        df_error why;
        if (!c->card->label[i])
            continue;
        status = df_text_encoder_run(c->text, c->card->label[i], &arena, &vector, &why);
        if (status == DF_OK)
            memcpy(c->vectors + i * dim, vector, dim * sizeof *vector);
        else
            df_fail(err, status, "%s: labels: line %zu: %s", c->card->path, i + 1, why.message);
        df_arena_reset(&arena);
    }
    return status;
}

/* Opens a tagger that compares the image with texts, and encodes its labels. */
static df_status open_similarity(classes *c, df_error *err)
{
    const df_card *card = c->card;
    c->scale = df_card_number(card, "scale", 1);
    c->bias = df_card_number(card, "bias", 0);
    if (c->softmax == c->sigmoid)
        return df_fail(err, DF_CONFIG, "%s: decode: softmax: 1 or sigmoid: 1 is needed",
                       card->path);
    DF_TRY(df_text_encoder_open(&c->text, card, err));
    DF_TRY(df_encoder_open(&c->encoder, card->folder, card->name, &card->runtime, err));
    if (df_encoder_dim(c->encoder) != df_text_encoder_dim(c->text))
        return df_fail(err, DF_CONFIG,
                       "%s: text: %s gives vectors of %d values, the image model of %d", card->path,
                       card->text, df_text_encoder_dim(c->text), df_encoder_dim(c->encoder));
    return encode_labels(c, err);
}

/* Opens a tagger; what differs between kinds is done by `open`. */
static df_status tagger_open(df_expert **out, const df_expert_ops *ops, const df_card *card,
                             open_fn open, df_error *err)
{
    if (card->n_labels < 1)
        return df_fail(err, DF_CONFIG, "%s: labels: a tagger needs them", card->path);
    classes *c = calloc(1, sizeof *c);
    if (!c)
        return df_no_memory(err, "open model %s", card->name);
    *c = (classes){.base.ops = ops,
                   .card = card,
                   .softmax = df_card_number(card, "softmax", 0) > 0,
                   .sigmoid = df_card_number(card, "sigmoid", 0) > 0};
    c->independent = c->sigmoid || df_card_number(card, "independent", 0) > 0;
    df_status status = c->softmax && c->independent
                           ? df_fail(err, DF_CONFIG,
                                     "%s: decode.softmax: classes that exclude each other are not "
                                     "independent; choose softmax or sigmoid",
                                     card->path)
                           : group_labels(c, err);
    if (status == DF_OK)
        status = open(c, err);
    if (status != DF_OK) {
        classes_close(&c->base);
        return status;
    }
    *out = &c->base;
    return DF_OK;
}

static df_status classes_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    (void)n_cards;
    return tagger_open(out, &df_expert_classes, cards[0], open_classifier, err);
}

static df_status similarity_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    (void)n_cards;
    return tagger_open(out, &df_expert_similarity, cards[0], open_similarity, err);
}

static void apply_softmax(float *x, int n)
{
    float most = x[0];
    double sum = 0;
    for (int i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int i = 0; i < n; i++)
        sum += (double)(x[i] = expf(x[i] - most));
    for (int i = 0; i < n; i++)
        x[i] = (float)(x[i] / sum);
}

/* Turns the model's output into probabilities, and checks that it is one a label. */
static df_status check_scores(const classes *c, const df_tensor *t, df_error *err)
{
    const int64_t n = df_tensor_size(t);
    if (n != c->card->n_labels)
        return df_fail(err, DF_MODEL,
                       "%s: labels: %d lines, but the model's output %s has %lld classes",
                       c->card->path, c->card->n_labels, t->name, (long long)n);
    if (c->softmax)
        apply_softmax(t->data, c->card->n_labels);
    for (int64_t i = 0; c->sigmoid && i < n; i++)
        t->data[i] = 1 / (1 + expf(-t->data[i]));
    for (int64_t i = 0; i < n; i++)
        if (!(t->data[i] >= -1e-3f && t->data[i] <= 1.001f))
            return df_fail(
                err, DF_MODEL,
                "%s: output %s holds %g, which is no probability; set decode.softmax: 1 or "
                "decode.sigmoid: 1",
                c->card->path, t->name, (double)t->data[i]);
    return DF_OK;
}

static int by_falling_score(const void *a, const void *b)
{
    const df_tag *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->item - y->item;                /* in the order of the label file */
}

/* Collects the tags that pass, the scores of labels of one name joined. */
static df_status collect(const classes *c, const float *scores, df_arena *arena, df_percept *out,
                         df_error *err)
{
    df_tag *tags = df_arena_alloc(arena, (size_t)c->n_groups + 1, sizeof *tags);
    if (!tags)
        return df_no_memory(err, "run model %s", c->card->name);
    const double *least = c->card->label_threshold;
    for (int i = 0; i < c->card->n_labels; i++) {
        const double score = (double)scores[i];
        if (c->group_of[i] < 0 || (least && !(score > least[i])))
            continue;
        double *of = &tags[c->group_of[i]].score;
        *of = c->independent ? fmax(*of, score) : *of + score;
    }
    int n = 0;
    for (int g = 0; g < c->n_groups; g++)
        if (tags[g].score >= (least ? DBL_MIN : c->card->threshold))
            tags[n++] = (df_tag){.label = c->groups[g], .score = fmin(tags[g].score, 1), .item = g};
    qsort(tags, (size_t)n, sizeof *tags, by_falling_score);
    for (int i = 0; i < n; i++)
        tags[i].item = i;
    out->tags = tags;
    out->n_tags = n;
    return DF_OK;
}

static df_status classes_perceive(df_expert *e, const df_image *image, const df_queries *queries,
                                  df_arena *arena, df_percept *out, df_error *err)
{
    const classes *c = (classes *)e;
    df_tensor input, *outputs = NULL;
    int n_outputs = 0;
    (void)queries;
    DF_TRY(df_preprocess(c->card, image, arena, &input, NULL, err));
    DF_TRY(df_onnx_run(c->model, &input, 1, arena, &outputs, &n_outputs, err));
    if (n_outputs < 1)
        return df_fail(err, DF_MODEL, "%s: the model has no output", c->card->path);
    DF_TRY(check_scores(c, &outputs[0], err));
    return collect(c, outputs[0].data, arena, out, err);
}

const df_expert_ops df_expert_classes = {"classes", classes_open, classes_perceive, classes_close};

/* *out [n_labels], in the arena: scale * cosine + bias; -infinity for a class that is dropped. */
static df_status compare_with_labels(const classes *c, const float *image, df_arena *arena,
                                     float **out, df_error *err)
{
    const int dim = df_encoder_dim(c->encoder);
    const double length = sqrt((double)df_dot(image, image, dim));
    float *scores = df_arena_alloc(arena, (size_t)c->card->n_labels, sizeof *scores);
    if (!scores)
        return df_no_memory(err, "run model %s", c->card->name);
    if (!(length > 0) || !isfinite(length))
        return df_fail(err, DF_FORMAT, "%s: a vector without direction", c->card->name);
    for (int i = 0; i < c->card->n_labels; i++) {
        const float *label = c->vectors + (size_t)i * (size_t)dim;
        const double cosine = (double)df_dot(image, label, dim) / length;
        scores[i] = c->card->label[i] ? (float)(c->scale * cosine + c->bias) : -INFINITY;
    }
    *out = scores;
    return DF_OK;
}

static df_status similarity_perceive(df_expert *e, const df_image *image, const df_queries *queries,
                                     df_arena *arena, df_percept *out, df_error *err)
{
    const classes *c = (classes *)e;
    const float *vector;
    df_tensor scores = {.name = c->card->output, .n_dims = 1, .dims = {c->card->n_labels}};
    (void)queries;
    DF_TRY(df_encoder_run(c->encoder, image, arena, &vector, err));
    DF_TRY(compare_with_labels(c, vector, arena, &scores.data, err));
    DF_TRY(check_scores(c, &scores, err));
    return collect(c, scores.data, arena, out, err);
}

const df_expert_ops df_expert_similarity = {"similarity", similarity_open, similarity_perceive,
                                            classes_close};
