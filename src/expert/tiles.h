/* What a detector sees in overlapping tiles of a picture, beside what it sees in the whole: see
 * vision/slices.h. */
#ifndef DF_EXPERT_TILES_H
#define DF_EXPERT_TILES_H
#include "expert/expert.h"
#include "vision/slices.h"

/* Shows the tiles to the expert, one at a time, and joins their boxes to seen->boxes, which holds
 * those of the whole picture. A tile without an answer (DF_FORMAT) shows nothing; the first such
 * reason goes to seen->trouble when that is free. */
df_status df_tiles_perceive(df_expert_handle *expert, const df_image *image,
                            const df_queries *queries, const df_slicing *how, df_arena *arena,
                            df_percept *seen, df_error *err);
#endif
