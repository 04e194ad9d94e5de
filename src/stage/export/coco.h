/* The boxes as COCO's detection JSON, which most tools for boxes read. */
#ifndef DF_STAGE_EXPORT_COCO_H
#define DF_STAGE_EXPORT_COCO_H
#include "stage/stage.h"

/* Writes `folder`/coco.json of every kept image, part by part. fused: boxes of fuse/evidence, which
 * every part must have; else those of `detect`. DF_STOPPED when the run is asked to. */
df_status df_export_coco(const df_dataset *ds, bool fused, const df_run *run, df_error *err);
/* removes that of an earlier run */
df_status df_export_no_coco(const df_dataset *ds, df_error *err);
#endif
