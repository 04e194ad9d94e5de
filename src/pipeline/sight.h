/* What the pixel stages see of one image: its bytes read and decoded, or the reason why there is nothing to see. */
#ifndef DF_PIPELINE_SIGHT_H
#define DF_PIPELINE_SIGHT_H
#include "stage/stage.h"

/* Reads and decodes the sight's row. image is the caller's storage, freed by the caller; detail outlives the sight.
 * A broken image is no error: sight->image stays NULL, problem and detail say why. Errors: DF_NOMEM. */
df_status df_sight_load(df_sight *sight, const df_dataset *ds, df_image *image, df_error *detail, df_error *err);
/* The same from bytes in memory. */
df_status df_sight_decode(df_sight *sight, const uint8_t *bytes, size_t size, df_image *image, df_error *detail,
                          df_error *err);
/* sight->tags from the rows [first, end) of a `tag` table, in the arena. */
df_status df_sight_tags(df_sight *sight, const df_table *tag, int64_t first, int64_t end, df_arena *arena, df_error *err);
/* sight->boxes from the rows [first, end) of a `detect` table, in the arena. */
df_status df_sight_boxes(df_sight *sight, const df_table *detect, int64_t first, int64_t end, df_arena *arena,
                         df_error *err);
/* What later stages of a pass want from the stage just run on this image: its tags or boxes, from its rows in `table`. */
df_status df_sight_hand_on(df_sight *sight, const char *stage, const df_table *table, df_arena *arena, df_error *err);
#endif
