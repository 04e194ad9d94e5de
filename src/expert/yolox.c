/* Decoder "yolox" (arXiv 2107.08430): one output [n, 5 + labels], a row for each cell of the grids
 * of all strides, row by row. A row holds x, y, width, height, the probability that there is an
 * object, and of each label given that there is one. x and y count in strides from the cell; width
 * and height are logarithms of strides. Card: decode.strides: [8, 16, 32]; without it x, y, width,
 * height are input pixels. */
#include <math.h>
#include "expert/detector.h"

extern const df_expert_ops df_expert_yolox; /* listed in expert.c */

typedef struct {
    double x, y, stride;
} cell;

/* Adds the box of a row if its best label passes. at: its cell, NULL when the model gives
 * pixels. */
static void add_row(const df_detector *d, const float *row, const cell *at, df_candidates *out)
{
    const int label = df_best_label(row + 5, d->card->n_labels);
    const double score = (double)row[4] * (double)row[5 + label];
    if (!(score >= d->card->threshold))
        return;
    const double x = (double)row[0], y = (double)row[1], w = (double)row[2], h = (double)row[3];
    df_candidate box = {x - w / 2, y - h / 2, x + w / 2, y + h / 2, score, label};
    if (at) {
        const double half_w = exp(w) / 2, half_h = exp(h) / 2;
        box = (df_candidate){(x + at->x - half_w) * at->stride,
                             (y + at->y - half_h) * at->stride,
                             (x + at->x + half_w) * at->stride,
                             (y + at->y + half_h) * at->stride,
                             score,
                             label};
    }
    df_candidates_add(out, &box);
}

static int64_t cells_along(double side, int stride)
{
    return (int64_t)(side / stride);
}

/* Finds the output that has a row for each cell of all strides. */
static df_status find_rows(const df_detector *d, const df_answer *answer, const df_tensor **rows,
                           int64_t *n, df_error *err)
{
    const int columns = 5 + d->card->n_labels;
    *n = 0;
    for (int i = 0; i < d->n_strides; i++)
        *n +=
            cells_along(answer->width, d->strides[i]) * cells_along(answer->height, d->strides[i]);
    if (!d->n_strides && answer->n > 0)
        *n = df_tensor_size(&answer->outputs[0]) / columns;
    *rows = df_answer_find(answer, *n, columns, 0);
    return *rows ? DF_OK
                 : df_fail(err, DF_MODEL,
                           "%s: labels: %d lines, but the model has no output [%lld, %d]; check "
                           "decode.strides too",
                           d->card->path, d->card->n_labels, (long long)*n, columns);
}

/* Goes through the cells of every stride in the order of the model's rows (YOLOX, arXiv
 * 2107.08430). */
static df_status decode(const df_detector *d, const df_answer *answer, df_candidates *out,
                        df_error *err)
{
    const df_tensor *rows;
    int64_t n;
    DF_TRY(find_rows(d, answer, &rows, &n, err));
    const float *row = rows->data;
    for (int i = 0; i < d->n_strides; i++) {
        const int64_t w = cells_along(answer->width, d->strides[i]),
                      h = cells_along(answer->height, d->strides[i]);
        for (int64_t k = 0; k < w * h; k++, row += 5 + d->card->n_labels)
            add_row(d, row, &(cell){(double)(k % w), (double)(k / w), d->strides[i]}, out);
    }
    for (int64_t k = 0; !d->n_strides && k < n; k++, row += 5 + d->card->n_labels)
        add_row(d, row, NULL, out);
    return DF_OK;
}

static df_status yolox_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const df_detector_kind kind = {&df_expert_yolox, decode, false, false};
    (void)n_cards;
    return df_detector_open(out, &kind, cards[0], err);
}

const df_expert_ops df_expert_yolox = {"yolox", yolox_open, df_detector_perceive,
                                       df_detector_close};
