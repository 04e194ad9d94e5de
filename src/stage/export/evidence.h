/* The experts' own tables with path and URL instead of row: what others read without the dataset,
 * and import. */
#ifndef DF_STAGE_EXPORT_EVIDENCE_H
#define DF_STAGE_EXPORT_EVIDENCE_H
#include "stage/stage.h"

/* Writes `folder`/STAGE/part-00000.parquet ... for tag, detect and read where every part has them;
 * wanted false: removes those of an earlier run. DF_STOPPED when the run is asked to. */
df_status df_export_evidence(const df_dataset *ds, bool wanted, const df_run *run, df_error *err);
#endif
