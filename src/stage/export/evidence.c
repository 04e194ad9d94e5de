#include "stage/export/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/sql_text.h"

enum { NAME_SIZE = 64 };

static const char *name_of(const char *stage, int part, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "export/%s/part-%05d.parquet", stage, part);
    return name;
}

/* An image's rows stay in their order. */
static df_status append_query(const df_dataset *ds, const char *stage, int part, const char *to,
                              df_str *sql, df_error *err)
{
    char *ingest = df_dataset_part_path(ds, "ingest", part, "parquet"),
         *said = df_dataset_part_path(ds, stage, part, "parquet");
    df_str_append(sql, "COPY (SELECT i.path, i.url, e.* EXCLUDE (\"row\", file_row_number) FROM ");
    df_status status = df_sql_read_parquet(sql, said, ", file_row_number = true", err);
    df_str_append(sql, " e JOIN ");
    if (status == DF_OK)
        status = df_sql_read_parquet(sql, ingest, "", err);
    df_str_append(sql, " i ON e.\"row\" = i.\"row\" ORDER BY e.file_row_number)");
    df_sql_to_parquet(sql, to);
    free(ingest);
    free(said);
    if (status != DF_OK)
        return status;
    return sql->failed ? df_no_memory(err, "write %s", to) : DF_OK;
}

static df_status write_part(const df_dataset *ds, const char *stage, int part, df_error *err)
{
    char name[NAME_SIZE];
    df_draft draft;
    df_str sql = {0};
    DF_TRY(df_folder_draft(df_dataset_files(ds), name_of(stage, part, name), &draft, err));
    df_status status = append_query(ds, stage, part, draft.path, &sql, err);
    if (status == DF_OK)
        status = df_dataset_run_sql(ds, df_str_text(&sql), err);
    df_str_free(&sql);
    if (status == DF_OK)
        return df_draft_commit(&draft, err);
    df_draft_drop(&draft);
    return status;
}

static df_status write_stage(const df_dataset *ds, const char *stage, const df_run *run,
                             df_error *err)
{
    int n_parts = df_dataset_parts(ds);
    for (int part = 0; part < n_parts; part++) {
        if (df_run_stopped(run))
            return df_stopped(err);
        DF_TRY(write_part(ds, stage, part, err));
    }
    return DF_OK;
}

static df_status remove_stage(const df_dataset *ds, const char *stage, df_error *err)
{
    char name[NAME_SIZE];
    int n_parts = df_dataset_parts(ds);
    for (int part = 0; part < n_parts; part++)
        DF_TRY(df_folder_remove(df_dataset_files(ds), name_of(stage, part, name), err));
    return DF_OK;
}

df_status df_export_evidence(const df_dataset *ds, bool wanted, const df_run *run, df_error *err)
{
    static const char *const stages[] = {"tag", "detect", "read"};
    for (int i = 0; i < 3; i++)
        DF_TRY(wanted && df_dataset_has_all(ds, stages[i]) ? write_stage(ds, stages[i], run, err)
                                                           : remove_stage(ds, stages[i], err));
    return DF_OK;
}
