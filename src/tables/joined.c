#include "tables/joined.h"

#include <stdlib.h>

#include "tables/tables.h"

static const df_table_type *const types[DF_OF_COUNT] = {
    &df_ingest_table, &df_cluster_table, &df_filter_table,  &df_dedup_table,
    &df_select_table, &df_fuse_table,    &df_caption_table, &df_check_table,
};

/* A row number that ingest does not have comes from a broken file: it is passed over. */
static df_status index_rows(df_joined *j, df_joined_of of, df_error *err)
{
    const df_table *t = j->table[of];
    int64_t *at = malloc(((size_t)j->n_rows + 1) * sizeof *at);
    if (!at)
        return df_fail(err, DF_NOMEM, "read %s: out of memory", types[of]->name);
    for (int64_t row = 0; row < j->n_rows; row++)
        at[row] = -1;
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        int64_t row = df_table_null(t, i, DF_ROW) ? -1 : df_table_int(t, i, DF_ROW);
        if (row >= 0 && row < j->n_rows)
            at[row] = i;
    }
    j->at[of] = at;
    return DF_OK;
}

df_status df_joined_open(df_joined *out, const df_dataset *ds, int part, df_error *err)
{
    df_joined j = {.part = part};
    df_status status = DF_OK;
    for (df_joined_of of = DF_OF_INGEST; of < DF_OF_COUNT && status == DF_OK; of++) {
        if (of != DF_OF_INGEST && !df_dataset_has_part(ds, types[of]->name, part))
            continue;
        status = df_dataset_read(ds, types[of], part, &j.table[of], err);
        if (status == DF_OK && of == DF_OF_INGEST)
            j.n_rows = df_table_rows(j.table[of]);
        if (status == DF_OK)
            status = index_rows(&j, of, err);
    }
    if (status == DF_OK)
        *out = j;
    else
        df_joined_close(&j);
    return status;
}

void df_joined_close(df_joined *j)
{
    for (int of = 0; of < DF_OF_COUNT; of++) {
        df_table_close(j->table[of]);
        free(j->at[of]);
    }
    *j = (df_joined){0};
}

static int64_t place(const df_joined *j, df_joined_of of, int64_t row)
{
    return j->table[of] && row >= 0 && row < j->n_rows ? j->at[of][row] : -1;
}

bool df_joined_has(const df_joined *j, df_joined_of of, int64_t row, int column)
{
    int64_t at = place(j, of, row);
    return at >= 0 && !df_table_null(j->table[of], at, column);
}

const char *df_joined_text(const df_joined *j, df_joined_of of, int64_t row, int column)
{
    int64_t at = place(j, of, row);
    return at >= 0 ? df_table_text(j->table[of], at, column) : "";
}

int64_t df_joined_int(const df_joined *j, df_joined_of of, int64_t row, int column, int64_t missing)
{
    if (!df_joined_has(j, of, row, column))
        return missing;
    return df_table_int(j->table[of], place(j, of, row), column);
}

bool df_joined_bool(const df_joined *j, df_joined_of of, int64_t row, int column)
{
    return df_joined_has(j, of, row, column) &&
           df_table_bool(j->table[of], place(j, of, row), column);
}

const char *const *df_joined_texts(const df_joined *j, df_joined_of of, int64_t row, int column,
                                   int64_t *n)
{
    *n = 0;
    return df_joined_has(j, of, row, column)
               ? df_table_texts(j->table[of], place(j, of, row), column, n)
               : NULL;
}

bool df_joined_kept(const df_joined *j, int64_t row, df_joined_of *by, const char **why)
{
    for (df_joined_of of = 0; of < DF_OF_COUNT; of++) {
        const int decides = types[of]->decides;
        if (!decides || !j->table[of] || df_joined_bool(j, of, row, decides))
            continue;
        const char *reason = df_joined_text(j, of, row, types[of]->reason);
        if (by)
            *by = of;
        if (why)
            *why = *reason ? reason : "not looked at yet";
        return false;
    }
    return true;
}
