/* Boxes of several detectors become one list of objects. */
#ifndef DF_ALGO_MERGE_H
#define DF_ALGO_MERGE_H
#include "algo/evidence.h"
#include "base/arena.h"
#include "base/status.h"

typedef struct {
    double iou;                              /* boxes of one label that overlap more are the same object */
    double accept;                           /* joined score from which an object is believed without a tag's help */
    double nested;                           /* share of a box inside a bigger one of its label from which it may be a part of it */
    double part_area;                        /* a nested box of at least this share of the bigger one's area is a part, else an object */
} df_merge_options;

/* Weighted box fusion (Solovyev et al. 2021, arXiv 1910.13302): boxes of a label that overlap become their mean, weighted
 * by score. Detectors that agree raise the score as independent witnesses do: 1 - (1-a)(1-b), each detector's best box
 * counting once; `source` joins their names with '+' in alphabetical order. An object whose score is then still low is kept
 * only when a tag agrees. Then parts of an object and boxes around groups of objects that are there one by one go.
 *   raw     borrowed; broken boxes (not finite, empty, outside the image) are passed over
 *   out     [*n_out] by falling score, in the arena; labels are raw's; item is that of the best raw box
 * The order of raw->boxes does not matter. Errors: DF_NOMEM. */
df_status df_merge_boxes(const df_evidence *raw, const df_merge_options *options, df_arena *arena, df_box **out, int *n_out,
                         df_error *err);

/* Total order of boxes: falling score, then label, place, source, item. For qsort. */
int df_box_compare(const void *a, const void *b);
double df_box_area(const df_box *b);
#endif
