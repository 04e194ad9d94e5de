/* Non-maximum suppression: of boxes of one class that overlap, the best stays. */
#ifndef DF_ALGO_NMS_H
#define DF_ALGO_NMS_H
#include <stddef.h>

typedef struct { double x0, y0, x1, y1, score; int label; } df_candidate;
/* Intersection over union; 0 for empty boxes. */
double df_box_iou(const df_candidate *a, const df_candidate *b);
/* Sorts by falling score (ties keep their order) and moves the kept to the front: of two boxes of one label that overlap
 * by more than iou, the weaker goes. Returns how many are kept, at most n_max. */
int df_nms(df_candidate *boxes, int n, double iou, int n_max);
#endif
