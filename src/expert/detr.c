/* Decoder "detr": transformers that answer with q places (DETR, arXiv 2005.12872, and its family),
 * logits [q, labels] and boxes [q, 4]: centre x, y, width, height as shares of the input's sides.
 *
 *   default            each label has a probability of its own (sigmoid), and a place may show
 * several labels: RT-DETR, RF-DETR decode.softmax: 1  logits [q, labels + 1], the last for
 * "nothing"; a place shows its best label: DETR
 *
 * The best decode.max_boxes of all places and labels are kept. The family needs no suppression,
 * hence `iou: 1`. */
#include <math.h>
#include "expert/detector.h"
#include "expert/place.h"

extern const df_expert_ops df_expert_detr;                           /* listed in expert.c */

static void add_place(const df_detector *d, const df_answer *answer, const float *box, double score,
                      int label, df_candidates *out)
{
    if (!(score >= d->card->threshold))
        return;
    const df_candidate found =
        df_candidate_centred(box, answer->width, answer->height, score, label);
    df_candidates_add(out, &found);
}

/* The softmax of n logits at index `at`. */
static double softmax(const float *logits, int n, int at)
{
    const double most = (double)logits[df_best_label(logits, n)];
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - most);
    return exp((double)logits[at] - most) / sum;
}

/* Makes a box of each query and label that passes (DETR, arXiv 2005.12872). */
static df_status decode(const df_detector *d, const df_answer *answer, df_candidates *out,
                        df_error *err)
{
    const int n_labels = d->card->n_labels, columns = n_labels + d->softmax;
    const df_tensor *boxes = NULL, *logits = NULL;
    int64_t q = 0;
    for (int i = 0; i < answer->n && !boxes; i++) {
        const df_tensor *t = logits = &answer->outputs[i];
        q = df_tensor_size(t) / columns;
        if (t->n_dims >= 2 && t->dims[t->n_dims - 1] == columns && q > 0)
            boxes = df_answer_find(answer, q, 4, columns == 4);
    }
    if (!boxes)
        return df_fail(err, DF_MODEL,
                       "%s: labels: %d lines, but the model has no outputs [q, %d] and [q, 4]",
                       d->card->path, n_labels, columns);
    for (int64_t i = 0; i < q; i++) {
        const float *row = logits->data + i * columns, *box = boxes->data + i * 4;
        const int best = df_best_label(row, n_labels);
        if (d->softmax)
            add_place(d, answer, box, softmax(row, columns, best), best, out);
        else
            for (int k = 0; k < n_labels; k++)
                add_place(d, answer, box, 1 / (1 + exp(-(double)row[k])), k, out);
    }
    return DF_OK;
}

static df_status detr_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const df_detector_kind kind = {&df_expert_detr, decode, false, false};
    (void)n_cards;
    return df_detector_open(out, &kind, cards[0], err);
}

const df_expert_ops df_expert_detr = {"detr", detr_open, df_detector_perceive, df_detector_close};
