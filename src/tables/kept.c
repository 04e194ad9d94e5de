#include "tables/kept.h"

#include <stdlib.h>
#include <string.h>

#include "tables/tables.h"

/* Clears keep[row] for the rows that a deciding table removed, or does not have. */
static df_status decide(const df_dataset *ds, const df_table_type *type, int part, bool *keep,
                        int64_t n, df_error *err)
{
    df_table *t;
    DF_TRY(df_dataset_read(ds, type, part, &t, err));
    bool *here = calloc((size_t)n + 1, sizeof *here);
    for (int64_t i = 0; here && i < df_table_rows(t); i++) {
        int64_t row = df_table_int(t, i, DF_ROW);
        if (row >= 0 && row < n)
            here[row] = df_table_bool(t, i, type->decides);
    }
    for (int64_t row = 0; here && row < n; row++)
        keep[row] = keep[row] && here[row];
    df_status status = here ? DF_OK : df_no_memory(err, "read %s", type->name);
    free(here);
    df_table_close(t);
    return status;
}

static bool is_among(const char *const *names, const char *name)
{
    while (names && *names && strcmp(*names, name) != 0)
        names++;
    return names && *names;
}

df_status df_kept_rows(const df_dataset *ds, const char *const *reads, int part, bool **kept,
                       int64_t *n_rows, df_error *err)
{
    df_table *ingest = NULL;
    DF_TRY(df_dataset_read(ds, &df_ingest_table, part, &ingest, err));
    int64_t n = df_table_rows(ingest);
    df_table_close(ingest);
    bool *keep = malloc((size_t)n + 1);
    if (!keep)
        return df_no_memory(err, "read ingest");
    memset(keep, true, (size_t)n + 1);
    df_status status = DF_OK;
    for (const df_table_type *const *t = df_tables; status == DF_OK && *t; t++)
        if ((*t)->decides && is_among(reads, (*t)->name) &&
            df_dataset_has_part(ds, (*t)->name, part))
            status = decide(ds, *t, part, keep, n, err);
    if (status != DF_OK) {
        free(keep);
        return status;
    }
    *kept = keep;
    *n_rows = n;
    return DF_OK;
}
