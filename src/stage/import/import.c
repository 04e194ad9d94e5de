#include "stage/import/import.h"

df_status df_import_open(df_evidence_import **out, const df_dataset *ds, const char *stage,
                         const char *from, const df_run *run, df_error *err)
{
    df_str told = {0};
    if (!from || !from[0])
        return DF_OK;
    df_status status = df_evidence_import_open(out, ds, stage, from, &told, err);
    if (status == DF_OK)
        df_run_note(run, "%s", df_str_text(&told));
    df_str_free(&told);
    return status;
}

df_status df_import_describe(const char *stage, const char *from, df_str *out, df_error *err)
{
    return from && from[0] ? df_evidence_import_describe(stage, from, out, err) : DF_OK;
}
