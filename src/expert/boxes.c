/* Object detectors whose classes are their card's labels.
 * "nanodet": per stride, class scores [n, labels] and four sides as distributions over bins [n, 4 * bins], n cells row by
 *   row; a side's length is the expected bin times the stride (Generalized Focal Loss, arXiv 2006.04388).
 *   Card: decode.strides: [8, 16, 32], decode.bins: 11.
 * "centernet": scores [h, w, labels] and left, top, right, bottom [h, w, 4] in input pixels; an object is a peak of the
 *   scores among its 3 x 3 neighbours (arXiv 1904.07850). */
#include <math.h>
#include <stdlib.h>
#include "algo/nms.h"
#include "expert/expert.h"
#include "expert/place.h"
#include "model/preprocess.h"

enum { BOXES_MAX = 100, CANDIDATES_MAX = 1000, STRIDES_MAX = 5, BINS_MAX = 64 };

extern const df_expert_ops df_expert_nanodet, df_expert_centernet;   /* listed in expert.c */

typedef struct detector detector;
typedef struct { df_candidate *at; int n; } candidates;              /* room for CANDIDATES_MAX */
typedef df_status (*decode_fn)(const detector *d, const df_tensor *outputs, int n_outputs, candidates *out, df_error *err);
struct detector {
    df_expert base;
    const df_card *card;
    df_onnx *model;
    decode_fn decode;                        /* boxes in input pixels */
    int strides[STRIDES_MAX], n_strides, bins;
};

static void add(candidates *c, df_candidate box)
{
    if (c->n < CANDIDATES_MAX) {
        c->at[c->n++] = box;
        return;
    }
    int weakest = 0;                         /* full only for a model gone wild: keep the best */
    for (int i = 1; i < c->n; i++)
        if (c->at[i].score < c->at[weakest].score)
            weakest = i;
    if (c->at[weakest].score < box.score)
        c->at[weakest] = box;
}

/* The tensor of rows x columns, the `nth` that fits (0: first). */
static const df_tensor *find_output(const df_tensor *outputs, int n_outputs, int64_t rows, int64_t columns, int nth)
{
    for (int i = 0; i < n_outputs; i++) {
        const df_tensor *t = &outputs[i];
        if (t->n_dims > 0 && t->dims[t->n_dims - 1] == columns && df_tensor_size(t) == rows * columns && nth-- == 0)
            return t;
    }
    return NULL;
}

static double expected_bin(const float *logits, int bins)
{
    double most = (double)logits[0], sum = 0, weighted = 0;
    for (int i = 1; i < bins; i++)
        most = fmax(most, (double)logits[i]);
    for (int i = 0; i < bins; i++) {
        double p = exp((double)logits[i] - most);
        sum += p;
        weighted += p * i;
    }
    return weighted / sum;
}

static int best_label(const float *scores, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

static void decode_cell(const detector *d, const float *sides, double x, double y, int stride, df_candidate *box)
{
    double side[4];                          /* left, top, right, bottom */
    for (int k = 0; k < 4; k++)
        side[k] = expected_bin(sides + k * d->bins, d->bins) * stride;
    box->x0 = x - side[0];
    box->y0 = y - side[1];
    box->x1 = x + side[2];
    box->y1 = y + side[3];
}

static df_status decode_stride(const detector *d, const df_tensor *outputs, int n_outputs, int stride, candidates *out,
                               df_error *err)
{
    const int n_labels = d->card->n_labels;
    const int64_t columns = (d->card->width + stride - 1) / stride, rows = (d->card->height + stride - 1) / stride;
    const df_tensor *scores = find_output(outputs, n_outputs, rows * columns, n_labels, 0);
    const df_tensor *sides = find_output(outputs, n_outputs, rows * columns, 4 * d->bins, 4 * d->bins == n_labels);
    if (!scores || !sides)
        return df_fail(err, DF_MODEL, "%s: the model has no output [%lld, %d] for stride %d; check %s",
                       d->card->path, (long long)(rows * columns), scores ? 4 * d->bins : n_labels, stride,
                       scores ? "decode.bins" : "labels and decode.strides");
    for (int64_t i = 0; i < rows * columns; i++) {
        const float *cell = scores->data + i * n_labels;
        df_candidate box = {.label = best_label(cell, n_labels)};
        box.score = (double)cell[box.label];
        if (box.score < d->card->threshold)
            continue;
        double x = ((double)(i % columns) + 0.5) * stride, y = ((double)(i / columns) + 0.5) * stride;
        decode_cell(d, sides->data + i * 4 * d->bins, x, y, stride, &box);
        add(out, box);
    }
    return DF_OK;
}

static df_status decode_nanodet(const detector *d, const df_tensor *outputs, int n_outputs, candidates *out,
                                df_error *err)
{
    for (int i = 0; i < d->n_strides; i++)
        DF_TRY(decode_stride(d, outputs, n_outputs, d->strides[i], out, err));
    return DF_OK;
}

/* No neighbour of the same class is higher; of equal neighbours the first in row order is the peak. */
static bool is_peak(const float *scores, int64_t height, int64_t width, int64_t n_labels, int64_t at)
{
    const int64_t label = at % n_labels, x = at / n_labels % width, y = at / n_labels / width;
    for (int64_t v = y > 0 ? y - 1 : 0; v <= y + 1 && v < height; v++)
        for (int64_t u = x > 0 ? x - 1 : 0; u <= x + 1 && u < width; u++) {
            const int64_t other = (v * width + u) * n_labels + label;
            if (scores[other] > scores[at] || (scores[other] == scores[at] && other < at))
                return false;
        }
    return true;
}

/* The score map: the only 3-dimensional output (a leading 1 aside) with a column per label. */
static const df_tensor *find_scores(const df_tensor *outputs, int n_outputs, int n_labels)
{
    for (int i = 0; i < n_outputs; i++) {
        const df_tensor *t = &outputs[i];
        if ((t->n_dims == 3 || (t->n_dims == 4 && t->dims[0] == 1)) && t->dims[t->n_dims - 1] == n_labels &&
            df_tensor_size(t) > 0)
            return t;
    }
    return NULL;
}

static df_status decode_centernet(const detector *d, const df_tensor *outputs, int n_outputs, candidates *out,
                                  df_error *err)
{
    const int n_labels = d->card->n_labels;
    const df_tensor *scores = find_scores(outputs, n_outputs, n_labels);
    if (!scores)
        return df_fail(err, DF_MODEL, "%s: labels: %d lines, but the model has no output [h, w, %d]", d->card->path,
                       n_labels, n_labels);
    const int64_t height = scores->dims[scores->n_dims - 3], width = scores->dims[scores->n_dims - 2];
    const df_tensor *sides = find_output(outputs, n_outputs, height * width, 4, n_labels == 4);
    if (!sides)
        return df_fail(err, DF_MODEL, "%s: the model has no output [%lld, %lld, 4]", d->card->path,
                       (long long)height, (long long)width);
    const double step_x = (double)d->card->width / (double)width, step_y = (double)d->card->height / (double)height;
    for (int64_t i = 0; i < height * width * n_labels; i++) {
        const double score = (double)scores->data[i];
        if (score < d->card->threshold || !is_peak(scores->data, height, width, n_labels, i))
            continue;
        const int64_t cell = i / n_labels;
        const double x = (double)(cell % width) * step_x, y = (double)(cell / width) * step_y;
        const float *side = sides->data + cell * 4;
        add(out, (df_candidate){x - (double)side[0], y - (double)side[1], x + (double)side[2], y + (double)side[3],
                                score, (int)(i % n_labels)});
    }
    return DF_OK;
}

static df_status place_boxes(const detector *d, candidates *found, const df_placement *p, const df_image *image,
                             df_arena *arena, df_percept *out, df_error *err)
{
    const int n = df_nms(found->at, found->n, d->card->iou, BOXES_MAX);
    df_box *boxes = df_arena_alloc(arena, (size_t)n + 1, sizeof *boxes);
    if (!boxes)
        return df_fail(err, DF_NOMEM, "run model %s: out of memory", d->card->name);
    int n_boxes = 0;
    for (int i = 0; i < n; i++) {
        df_box box = {.label = d->card->label[found->at[i].label], .source = d->card->name,
                      .score = fmin(found->at[i].score, 1), .item = n_boxes};
        if (box.label && df_box_place(&box, &found->at[i], p, image))
            boxes[n_boxes++] = box;
    }
    out->boxes = boxes;
    out->n_boxes = n_boxes;
    return DF_OK;
}

static df_status detector_perceive(df_expert *e, const df_image *image, const df_queries *queries, df_arena *arena,
                                   df_percept *out, df_error *err)
{
    const detector *d = (detector *)e;
    df_tensor input, *outputs = NULL;
    df_placement placement;
    int n_outputs = 0;
    (void)queries;
    candidates found = {df_arena_alloc(arena, CANDIDATES_MAX, sizeof *found.at), 0};
    if (!found.at)
        return df_fail(err, DF_NOMEM, "run model %s: out of memory", d->card->name);
    DF_TRY(df_preprocess(d->card, image, arena, &input, &placement, err));
    DF_TRY(df_onnx_run(d->model, &input, 1, arena, &outputs, &n_outputs, err));
    DF_TRY(d->decode(d, outputs, n_outputs, &found, err));
    return place_boxes(d, &found, &placement, image, arena, out, err);
}

static void detector_close(df_expert *e)
{
    df_onnx_close(((detector *)e)->model);
    free(e);
}

static df_status detector_open(df_expert **out, const df_expert_ops *ops, const detector *with, df_error *err)
{
    const df_card *card = with->card;
    if (card->n_labels < 1)
        return df_fail(err, DF_CONFIG, "%s: labels: a detector needs them", card->path);
    if (card->width < 1 || card->height < 1)
        return df_fail(err, DF_CONFIG, "%s: width and height: a detector needs them", card->path);
    detector *d = malloc(sizeof *d);
    if (!d)
        return df_fail(err, DF_NOMEM, "open model %s: out of memory", card->name);
    *d = *with;
    d->base.ops = ops;
    df_status status = df_card_open_model(card, &d->model, err);
    if (status != DF_OK) {
        detector_close(&d->base);
        return status;
    }
    *out = &d->base;
    return DF_OK;
}

static df_status nanodet_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const char *const keys[STRIDES_MAX] = {"strides.0", "strides.1", "strides.2", "strides.3", "strides.4"};
    detector d = {.card = cards[0], .decode = decode_nanodet};
    (void)n_cards;
    const double bins = df_card_number(d.card, "bins", 0);
    if (!(bins >= 2 && bins <= (double)BINS_MAX))
        return df_fail(err, DF_CONFIG, "%s: decode.bins: must be 2 to %d", d.card->path, BINS_MAX);
    d.bins = (int)bins;
    for (double stride; d.n_strides < STRIDES_MAX && (stride = df_card_number(d.card, keys[d.n_strides], 0)) != 0;) {
        if (!(stride >= 1 && stride <= 1024))
            return df_fail(err, DF_CONFIG, "%s: decode.%s: must be 1 to 1024", d.card->path, keys[d.n_strides]);
        d.strides[d.n_strides++] = (int)stride;
    }
    if (d.n_strides == 0)
        return df_fail(err, DF_CONFIG, "%s: decode.strides: missing", d.card->path);
    return detector_open(out, &df_expert_nanodet, &d, err);
}

static df_status centernet_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    (void)n_cards;
    return detector_open(out, &df_expert_centernet, &(detector){.card = cards[0], .decode = decode_centernet}, err);
}

const df_expert_ops df_expert_nanodet = {"nanodet", nanodet_open, detector_perceive, detector_close};
const df_expert_ops df_expert_centernet = {"centernet", centernet_open, detector_perceive, detector_close};
