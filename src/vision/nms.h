/* Non-maximum suppression: of boxes of one class that overlap, the best stays. */
#ifndef DF_VISION_NMS_H
#define DF_VISION_NMS_H
#include <stddef.h>

typedef struct {
    double x0, y0, x1, y1, score;
    int label;
} df_candidate;
/* Intersection over union; 0 for empty boxes. */
double df_box_iou(const df_candidate *a, const df_candidate *b);
/* Sorts by falling score (ties keep their order) and moves the kept to the front: of two boxes of
 * one label that overlap by more than iou, the weaker goes. Returns how many are kept, at most
 * n_max. */
int df_nms(df_candidate *boxes, int n, double iou, int n_max);

/* The best of any number of boxes, in bounded room: at[room] is the caller's, room at least 2. Of
 * those added, the best room / 2 are among at[n]. A box that is not of numbers is not added. */
typedef struct {
    df_candidate *at;
    int n, room;
} df_candidates;
void df_candidates_add(df_candidates *c, const df_candidate *box);
#endif
