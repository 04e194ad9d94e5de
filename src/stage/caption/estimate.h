/* What captions would take: counted, and reckoned, before anything is asked. */
#ifndef DF_STAGE_CAPTION_ESTIMATE_H
#define DF_STAGE_CAPTION_ESTIMATE_H
#include "stage/stage.h"

/* Appends lines: images to ask for and those that the journals have, tokens and dollars, likely and
 * at most, and what they rest on. Nothing for an engine that costs nothing. */
df_status df_caption_estimate(df_dataset *ds, const void *config, const df_run *run, df_str *out,
                              df_error *err);
#endif
