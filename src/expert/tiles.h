/* Runs a detector on overlapping tiles of a picture, beside the whole: see vision/slices.h. */
#ifndef DF_EXPERT_TILES_H
#define DF_EXPERT_TILES_H
#include "expert/expert.h"
#include "vision/slices.h"

/* Runs the expert on the tiles, one at a time, and merges their boxes into seen->boxes, which holds
 * those of the whole picture. A tile without an answer (DF_FORMAT) has no boxes; the first such
 * message goes to seen->trouble if that is NULL. */
df_status df_tiles_perceive(df_expert_handle *expert, const df_image *image,
                            const df_queries *queries, const df_slicing *how, df_arena *arena,
                            df_percept *seen, df_error *err);
#endif
