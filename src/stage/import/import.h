/* What `tag`, `detect` and `read` share: evidence made elsewhere, beside that of their models. */
#ifndef DF_STAGE_IMPORT_IMPORT_H
#define DF_STAGE_IMPORT_IMPORT_H
#include "stage/import/evidence_import.h"
#include "stage/stage.h"

/* *out stays NULL when `from` is empty. What became of the rows is told in one note. */
df_status df_import_open(df_evidence_import **out, const df_dataset *ds, const char *stage,
                         const char *from, const df_run *run, df_error *err);
/* For a stage's `depends`: appends nothing when `from` is empty. */
df_status df_import_describe(const char *stage, const char *from, df_str *out, df_error *err);
/* The option that names it; the config has `char *from`. */
#define DF_IMPORT_OPTION(config)                                                                   \
    {"from",                                                                                       \
     DF_OPT_TEXT,                                                                                  \
     offsetof(config, from),                                                                       \
     "",                                                                                           \
     0,                                                                                            \
     0,                                                                                            \
     "evidence made elsewhere, added to the models': a Parquet, CSV or JSONL file, a folder of "   \
     "them, another dataset"}
#endif
