#include "stage/export_evidence.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static bool path_of(char path[PATH_MAX], const char *folder, const char *stage, int part)
{
    return snprintf(path, PATH_MAX, "%s/%s/part-%05d.parquet", folder, stage, part) < PATH_MAX - 4;
}

/* An image's rows stay in their order. */
static df_status append_query(const df_dataset *ds, const char *stage, int part, const char *to, df_str *sql,
                              df_error *err)
{
    char *ingest = df_dataset_part_path(ds, "ingest", part, "parquet"),
         *said = df_dataset_part_path(ds, stage, part, "parquet");
    char *from_ingest = ingest ? df_sql_path(ingest) : NULL, *from_said = said ? df_sql_path(said) : NULL;
    char *quoted = df_sql_quote(to);
    if (from_ingest && from_said && quoted)
        df_str_printf(
            sql,
            "COPY (SELECT i.path, i.url, e.* EXCLUDE (\"row\", file_row_number) "
            "FROM read_parquet(%s, file_row_number = true) e JOIN read_parquet(%s) i ON e.\"row\" = i.\"row\" "
            "ORDER BY e.file_row_number) TO %s (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
            from_said, from_ingest, quoted);
    const bool memory = from_ingest && from_said && quoted && !sql->failed;
    free(ingest);
    free(said);
    free(from_ingest);
    free(from_said);
    free(quoted);
    return memory ? DF_OK : df_fail(err, DF_NOMEM, "write %s: out of memory", to);
}

static df_status write_part(const df_dataset *ds, const char *folder, const char *stage, int part, df_error *err)
{
    char path[PATH_MAX], tmp[PATH_MAX + 8];
    if (!path_of(path, folder, stage, part))
        return df_fail(err, DF_IO, "write %s: path is too long", stage);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    df_str sql = {0};
    df_status status = append_query(ds, stage, part, tmp, &sql, err);
    if (status == DF_OK)
        status = df_sql_run(df_str_text(&sql), err);
    df_str_free(&sql);
    if (status == DF_OK)
        return df_file_commit(tmp, path, err);
    unlink(tmp);
    return status;
}

static df_status write_stage(const df_dataset *ds, const char *folder, const char *stage, const df_run *run,
                             df_error *err)
{
    char path[PATH_MAX];
    if (!path_of(path, folder, stage, 0))
        return df_fail(err, DF_IO, "write %s: path is too long", stage);
    *strrchr(path, '/') = '\0';
    DF_TRY(df_file_mkdir(path, err));
    for (int part = 0; part < df_dataset_parts(ds); part++) {
        if (df_run_stopped(run))
            return DF_STOPPED;
        DF_TRY(write_part(ds, folder, stage, part, err));
    }
    return DF_OK;
}

static void remove_stage(const df_dataset *ds, const char *folder, const char *stage)
{
    char path[PATH_MAX];
    for (int part = 0; part < df_dataset_parts(ds); part++)
        if (path_of(path, folder, stage, part))
            unlink(path);
}

df_status df_export_evidence(const df_dataset *ds, const char *folder, bool wanted, const df_run *run, df_error *err)
{
    static const char *const stages[] = {"tag", "detect", "read"};
    for (int i = 0; i < 3; i++)
        if (!wanted || !df_dataset_has_all(ds, stages[i]))
            remove_stage(ds, folder, stages[i]);
        else
            DF_TRY(write_stage(ds, folder, stages[i], run, err));
    return DF_OK;
}
