/* Evidence that was made elsewhere, joined to the images of a dataset: tables of the columns of
 * `tag`, `detect` or `read` (docs/FORMAT.md), keyed by the image's path or URL. */
#ifndef DF_STAGE_IMPORT_EVIDENCE_IMPORT_H
#define DF_STAGE_IMPORT_EVIDENCE_IMPORT_H
#include "dataset/dataset.h"

typedef struct df_evidence_import df_evidence_import;

/* stage: "tag", "detect" or "read". from: a Parquet, CSV or JSON lines file, a folder of them, or
 * another dataset, whose tables of that stage are taken. The rows of images of `ds` are kept, in
 * memory up to a limit, else in files below the stage's folder, until closed. told, when not NULL,
 * gets one line: how many rows there are and what became of each. Errors: DF_CONFIG for a path or
 * columns that are not there; what DuckDB says of a broken file. */
df_status df_evidence_import_open(df_evidence_import **out, const df_dataset *ds, const char *stage,
                                  const char *from, df_str *told, df_error *err);
void df_evidence_import_close(df_evidence_import *e);
/* Appends an image's rows, in the order of the files, to a table of the stage's columns. e NULL:
 * appends nothing. Threads may call at once, all of them for the same part. */
df_status df_evidence_import_append(df_evidence_import *e, int part, int64_t row, df_table *to,
                                    df_error *err);
/* Appends what the files are: names, sizes, times. */
df_status df_evidence_import_describe(const char *stage, const char *from, df_str *out,
                                      df_error *err);
#endif
