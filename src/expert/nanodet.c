/* Decoder "nanodet". For each stride, class scores [n, labels] and four sides as distributions over
 * bins [n, 4 * bins], for n cells row by row. A side's length is the expected bin times the stride
 * (Generalized Focal Loss, arXiv 2006.04388). Card: decode.strides: [8, 16, 32], decode.bins:
 * 11. */
#include <math.h>
#include "expert/detector.h"

extern const df_expert_ops df_expert_nanodet; /* listed in expert.c */

/* The mean of a softmax distribution over bins 0 .. bins - 1. */
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

static void decode_cell(const df_detector *d, const float *sides, double x, double y, int stride,
                        df_candidate *box)
{
    double side[4]; /* left, top, right, bottom */
    for (int k = 0; k < 4; k++)
        side[k] = expected_bin(sides + k * d->bins, d->bins) * stride;
    box->x0 = x - side[0];
    box->y0 = y - side[1];
    box->x1 = x + side[2];
    box->y1 = y + side[3];
}

/* Makes a box of each cell of one stride at which the best label passes. */
static df_status decode_stride(const df_detector *d, const df_answer *answer, int stride,
                               df_candidates *out, df_error *err)
{
    const int n_labels = d->card->n_labels;
    const int64_t columns = (d->card->width + stride - 1) / stride,
                  rows = (d->card->height + stride - 1) / stride;
    const df_tensor *scores = df_answer_find(answer, rows * columns, n_labels, 0);
    const df_tensor *sides =
        df_answer_find(answer, rows * columns, 4 * d->bins, 4 * d->bins == n_labels);
    if (!scores || !sides)
        return df_fail(err, DF_MODEL,
                       "%s: the model has no output [%lld, %d] for stride %d; check %s",
                       d->card->path, (long long)(rows * columns), scores ? 4 * d->bins : n_labels,
                       stride, scores ? "decode.bins" : "labels and decode.strides");
    for (int64_t i = 0; i < rows * columns; i++) {
        const float *cell = scores->data + i * n_labels;
        df_candidate box = {.label = df_best_label(cell, n_labels)};
        box.score = (double)cell[box.label];
        if (box.score < d->card->threshold)
            continue;
        double x = ((double)(i % columns) + 0.5) * stride,
               y = ((double)(i / columns) + 0.5) * stride;
        decode_cell(d, sides->data + i * 4 * d->bins, x, y, stride, &box);
        df_candidates_add(out, &box);
    }
    return DF_OK;
}

static df_status decode(const df_detector *d, const df_answer *answer, df_candidates *out,
                        df_error *err)
{
    for (int i = 0; i < d->n_strides; i++)
        DF_TRY(decode_stride(d, answer, d->strides[i], out, err));
    return DF_OK;
}

static df_status nanodet_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const df_detector_kind kind = {&df_expert_nanodet, decode, true, true};
    (void)n_cards;
    return df_detector_open(out, &kind, cards[0], err);
}

const df_expert_ops df_expert_nanodet = {"nanodet", nanodet_open, df_detector_perceive,
                                         df_detector_close};
