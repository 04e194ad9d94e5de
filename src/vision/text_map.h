/* From a map of text probabilities to rotated boxes: the post-processing of Differentiable
 * Binarization (Liao et al., arXiv 1911.08947), with the constants that PaddleOCR uses. */
#ifndef DF_VISION_TEXT_MAP_H
#define DF_VISION_TEXT_MAP_H
#include <stdbool.h>
#include "base/arena.h"
#include "base/status.h"
#include "vision/quad.h"

typedef struct {
    double threshold;                        /* a pixel above it is text */
    double box_threshold;                    /* least mean probability inside a box */
    /* each side of a box moves outward by area * unclip / perimeter, since the network is trained
     * on shrunken text */
    double unclip;
    bool dilate; /* connect text that is one pixel apart */
    int max_boxes; /* when there are more regions, only the largest count */
} df_text_map_options;
/* quad: corners as by df_quad_for_text, in map pixels, with pixel edges at integers. score: mean
 * probability inside, in [0, 1] if the map is. */
typedef struct {
    df_quad quad;
    double score;
} df_text_box;

/* map [height, width]: probabilities; NaN is not text. *boxes are in the arena, by falling size of
 * their region. */
df_status df_text_map_boxes(const float *map, int width, int height,
                            const df_text_map_options *options, df_arena *arena,
                            df_text_box **boxes, int *n_boxes, df_error *err);
#endif
