/* Decoder "boxes": models that give final boxes [n, 4] (left, top, right, bottom), scores [n] and
 * classes [n], maybe with a leading 1: two-stage detectors (torchvision, Detectron2) and exports
 * that include their post-processing.
 *
 *   decode.class_offset            class of the card's first label (default 0); lower classes are
 *                                  background
 *   decode.normalised: 1           boxes are shares of the input's sides; else its pixels
 *   decode.boxes, scores, classes  index of each output, from 0; by default the output with box,
 * score, label or class in its name
 *
 * A second input [1, 2] gets the first one's width and height. `iou: 1` keeps the model's own
 * suppression as it is. */
#include <math.h>
#include <string.h>
#include "expert/detector.h"

extern const df_expert_ops df_expert_boxes;                          /* listed in expert.c */

enum { ROWS_MAX = 1 << 20 };

static const df_tensor *pick(const df_answer *a, int at, const char *word, const char *other)
{
    if (at >= 0)
        return at < a->n ? &a->outputs[at] : NULL;
    for (int i = 0; i < a->n; i++)
        if (strstr(a->outputs[i].name, word) || strstr(a->outputs[i].name, other))
            return &a->outputs[i];
    return NULL;
}

/* The label of class c as an index; -1: background; -2: the card has no such label. */
static int label_of(const df_detector *d, float c)
{
    const double label = (double)c - d->class_offset;
    if (label < 0)
        return -1;
    return label < d->card->n_labels && label == floor(label) ? (int)label : -2;
}

/* Takes boxes, scores and classes as the model gives them: its file does all post-processing. */
static df_status decode(const df_detector *d, const df_answer *answer, df_candidates *out,
                        df_error *err)
{
    const df_tensor *boxes = pick(answer, d->boxes, "box", "bbox"),
                    *scores = pick(answer, d->scores, "score", "conf");
    const df_tensor *classes = pick(answer, d->classes, "label", "class");
    const int64_t n = scores ? df_tensor_size(scores) : 0;
    if (!boxes || !scores || !classes || n > ROWS_MAX || df_tensor_size(boxes) != 4 * n ||
        df_tensor_size(classes) != n || boxes->n_dims < 2 || boxes->dims[boxes->n_dims - 1] != 4)
        return df_fail(err, DF_MODEL,
                       "%s: decode.boxes, decode.scores, decode.classes: which of the model's "
                       "outputs are [n, 4], "
                       "[n] and [n]? Their names do not say, or their shapes differ",
                       d->card->path);
    const double x = d->normalised ? answer->width : 1, y = d->normalised ? answer->height : 1;
    for (int64_t i = 0; i < n; i++) {
        const float *b = boxes->data + 4 * i;
        const int label = label_of(d, classes->data[i]);
        const double score = (double)scores->data[i];
        if (!(score >= d->card->threshold) || label == -1)
            continue;
        if (label < 0)
            return df_fail(
                err, DF_MODEL, "%s: labels: %d lines from class %d on, but the model says class %g",
                d->card->path, d->card->n_labels, d->class_offset, (double)classes->data[i]);
        df_candidates_add(out, &(df_candidate){x * (double)b[0], y * (double)b[1], x * (double)b[2],
                                               y * (double)b[3], score, label});
    }
    return DF_OK;
}

static df_status boxes_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const df_detector_kind kind = {&df_expert_boxes, decode, false, false};
    (void)n_cards;
    return df_detector_open(out, &kind, cards[0], err);
}

const df_expert_ops df_expert_boxes = {"boxes", boxes_open, df_detector_perceive,
                                       df_detector_close};
