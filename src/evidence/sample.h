/* Chooses the objects that are told when there are more than a prompt should hold: balanced
 * sampling, which keeps places for small objects. */
#ifndef DF_EVIDENCE_SAMPLE_H
#define DF_EVIDENCE_SAMPLE_H
#include "base/arena.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "evidence/merge.h"

typedef struct {
    int64_t budget; /* most boxes that are kept */
    /* shares of the image's area: an object below small_area is small, one from large_area on is
     * large */
    double small_area, large_area;
    /* shares of the budget that small and medium objects get; large ones get the rest */
    double small_quota, medium_quota;
} df_sample_options;

typedef enum { DF_SIZE_SMALL, DF_SIZE_MEDIUM, DF_SIZE_LARGE, DF_SIZES } df_box_size;
df_box_size df_box_size_of(const df_box *b, int64_t width, int64_t height,
                           const df_sample_options *options);

/* Section 3.2.1 of the paper: multimodal models see large objects anyway, so each size has a quota
 * of the budget. Within a size the best object of every label comes first, then the second of every
 * label, so that twenty people do not hide one kite. What a size does not use goes to the others,
 * in the same order. Small and medium objects without a place are still counted: the last kept
 * object of their label and size stands for itself and them, with a box around all and their number
 * as `count`.
 *
 *   objects  [n] told ones by falling belief; kept ones are moved to the front in the same order;
 * the others get a reason, "counted" or "budget"
 *
 * Returns how many are kept, -1 when out of memory. */
int df_sample_objects(df_object *objects, int n, int64_t width, int64_t height,
                      const df_sample_options *options, df_arena *arena);
#endif
