/* Non-maximum suppression: among boxes of one class that overlap, keeps the one with the highest
 * score. */
#ifndef DF_VISION_NMS_H
#define DF_VISION_NMS_H
#include <stddef.h>

typedef struct {
    double x0, y0, x1, y1, score;
    int label;
} df_candidate;
/* Intersection over union; 0 for empty boxes. */
double df_box_iou(const df_candidate *a, const df_candidate *b);
/* Greedy non-maximum suppression. Sorts by falling score (ties keep their order) and moves the kept
 * boxes to the front: of two boxes of one label that overlap by more than iou, the weaker is
 * dropped. Returns how many are kept, at most n_max. */
int df_nms(df_candidate *boxes, int n, double iou, int n_max);

/* The best of any number of boxes in bounded memory. at[room] is the caller's, room is at least 2.
 * The best room / 2 of all boxes added are among at[0 .. n). A box with a NaN is not added. */
typedef struct {
    df_candidate *at;
    int n, room;
} df_candidates;
void df_candidates_add(df_candidates *c, const df_candidate *box);
#endif
