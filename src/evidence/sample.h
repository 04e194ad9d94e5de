/* Which objects are told when there are more than a prompt should hold: balanced sampling that lets
 * small ones be heard. */
#ifndef DF_EVIDENCE_SAMPLE_H
#define DF_EVIDENCE_SAMPLE_H
#include "base/arena.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "evidence/merge.h"

typedef struct {
    int64_t budget; /* boxes kept at most */
    /* shares of the image's area: below is small, from here on is large */
    double small_area, large_area;
    /* shares of the budget kept for each size; large has the rest */
    double small_quota, medium_quota;
} df_sample_options;

typedef enum { DF_SIZE_SMALL, DF_SIZE_MEDIUM, DF_SIZE_LARGE, DF_SIZES } df_box_size;
df_box_size df_box_size_of(const df_box *b, int64_t width, int64_t height,
                           const df_sample_options *options);

/* Section 3.2.1 of the paper: multimodal models see large objects anyway, so each size has its
 * quota. Inside a size the best object of every label comes first, then every label's second, so
 * that twenty people do not hide one kite. What a size does not use goes to the others, by the same
 * order. Small and medium objects that find no place are still counted: the last of their label and
 * size that has one stands for itself and them, with the sides around all and their number as
 * `count`. objects  [n] told ones by falling belief; kept ones are moved to the front, their order
 * stays; the others get a reason: "counted" or "budget" Returns how many are kept, or -1 when out
 * of memory. */
int df_sample_objects(df_object *objects, int n, int64_t width, int64_t height,
                      const df_sample_options *options, df_arena *arena);
#endif
