/* Decoder "centernet": scores [h, w, labels] and left, top, right, bottom [h, w, 4] in input
 * pixels; an object is a peak of the scores among its 3 x 3 neighbours (arXiv 1904.07850). */
#include "expert/detector.h"

extern const df_expert_ops df_expert_centernet;                      /* listed in expert.c */

/* Whether scores[at] is a peak: no neighbour of the same class is higher. Of equal neighbours the
 * first in row order is the peak. */
static bool is_peak(const float *scores, int64_t height, int64_t width, int64_t n_labels,
                    int64_t at)
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

/* Finds the score map: the only output with 3 dimensions (apart from a leading 1) and a column for
 * each label. */
static const df_tensor *find_scores(const df_answer *a, int n_labels)
{
    for (int i = 0; i < a->n; i++) {
        const df_tensor *t = &a->outputs[i];
        if ((t->n_dims == 3 || (t->n_dims == 4 && t->dims[0] == 1)) &&
            t->dims[t->n_dims - 1] == n_labels && df_tensor_size(t) > 0)
            return t;
    }
    return NULL;
}

/* Makes a box of each local peak of the heat map; the sides lie in a second output (CenterNet,
 * arXiv 1904.07850). */
static df_status decode(const df_detector *d, const df_answer *answer, df_candidates *out,
                        df_error *err)
{
    const int n_labels = d->card->n_labels;
    const df_tensor *scores = find_scores(answer, n_labels);
    if (!scores)
        return df_fail(err, DF_MODEL,
                       "%s: labels: %d lines, but the model has no output [h, w, %d]",
                       d->card->path, n_labels, n_labels);
    const int64_t height = scores->dims[scores->n_dims - 3],
                  width = scores->dims[scores->n_dims - 2];
    const df_tensor *sides = df_answer_find(answer, height * width, 4, n_labels == 4);
    if (!sides)
        return df_fail(err, DF_MODEL, "%s: the model has no output [%lld, %lld, 4]", d->card->path,
                       (long long)height, (long long)width);
    const double step_x = answer->width / (double)width, step_y = answer->height / (double)height;
    for (int64_t i = 0; i < height * width * n_labels; i++) {
        const double score = (double)scores->data[i];
        if (score < d->card->threshold || !is_peak(scores->data, height, width, n_labels, i))
            continue;
        const int64_t cell = i / n_labels;
        const double x = (double)(cell % width) * step_x, y = (double)(cell / width) * step_y;
        const float *side = sides->data + cell * 4;
        df_candidates_add(out, &(df_candidate){x - (double)side[0], y - (double)side[1],
                                               x + (double)side[2], y + (double)side[3], score,
                                               (int)(i % n_labels)});
    }
    return DF_OK;
}

static df_status centernet_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    static const df_detector_kind kind = {&df_expert_centernet, decode, false, false};
    (void)n_cards;
    return df_detector_open(out, &kind, cards[0], err);
}

const df_expert_ops df_expert_centernet = {"centernet", centernet_open, df_detector_perceive,
                                           df_detector_close};
