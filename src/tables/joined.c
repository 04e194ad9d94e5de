#include "tables/joined.h"

#include <assert.h>
#include <stdlib.h>

/* A row number that ingest does not have comes from a broken file: it is passed over. */
static df_status index_rows(df_joined *j, int i, df_error *err)
{
    const df_table *t = j->table[i];
    int64_t *at = malloc(((size_t)j->n_rows + 1) * sizeof *at);
    if (!at)
        return df_no_memory(err, "read %s", df_tables[i]->name);
    for (int64_t row = 0; row < j->n_rows; row++)
        at[row] = -1;
    for (int64_t k = 0; k < df_table_rows(t); k++) {
        int64_t row = df_table_null(t, k, DF_ROW) ? -1 : df_table_int(t, k, DF_ROW);
        if (row >= 0 && row < j->n_rows)
            at[row] = k;
    }
    j->at[i] = at;
    return DF_OK;
}

static df_status open_table(df_joined *j, const df_dataset *ds, int i, df_error *err)
{
    const df_table_type *type = df_tables[i];
    const bool ingest = type == &df_ingest_table;
    if (!type->per_image || (!ingest && !df_dataset_has_part(ds, type->name, j->part)))
        return DF_OK;
    DF_TRY(df_dataset_read(ds, type, j->part, &j->table[i], err));
    if (ingest)                              /* the first of df_tables */
        j->n_rows = df_table_rows(j->table[i]);
    return index_rows(j, i, err);
}

df_status df_joined_open(df_joined *out, const df_dataset *ds, int part, df_error *err)
{
    df_joined j = {.part = part};
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && df_tables[i]; i++)
        status = open_table(&j, ds, i, err);
    if (status == DF_OK)
        *out = j;
    else
        df_joined_close(&j);
    return status;
}

void df_joined_close(df_joined *j)
{
    for (int i = 0; i < DF_TABLES_MAX; i++) {
        df_table_close(j->table[i]);
        free(j->at[i]);
    }
    *j = (df_joined){0};
}

static int index_of(const df_table_type *type)
{
    int i = 0;
    while (df_tables[i] != type)
        i++;
    assert(type->per_image);
    return i;
}

const df_table *df_joined_table(const df_joined *j, const df_table_type *type)
{
    return j->table[index_of(type)];
}

/* The row of a table, the i-th, that is of the image; -1: none. */
static int64_t find(const df_joined *j, int i, int64_t row)
{
    return j->table[i] && row >= 0 && row < j->n_rows ? j->at[i][row] : -1;
}

static df_value value_of(const df_joined *j, const df_table_type *type, int64_t row, int column)
{
    const int i = index_of(type);
    const int64_t at = find(j, i, row);
    return at < 0 ? DF_NULL : df_table_value(j->table[i], at, column);
}

bool df_joined_has(const df_joined *j, const df_table_type *type, int64_t row, int column)
{
    return value_of(j, type, row, column).has;
}

const char *df_joined_text(const df_joined *j, const df_table_type *type, int64_t row, int column)
{
    const df_value v = value_of(j, type, row, column);
    assert(type->columns[column].type == DF_COLUMN_TEXT);
    return v.has ? v.s : "";
}

int64_t df_joined_int(const df_joined *j, const df_table_type *type, int64_t row, int column,
                      int64_t missing)
{
    const df_value v = value_of(j, type, row, column);
    assert(type->columns[column].type == DF_COLUMN_INT);
    return v.has ? v.i : missing;
}

const char *const *df_joined_texts(const df_joined *j, const df_table_type *type, int64_t row,
                                   int column, int64_t *n)
{
    const df_value v = value_of(j, type, row, column);
    assert(type->columns[column].type == DF_COLUMN_TEXTS);
    *n = v.n;
    return v.texts;
}

bool df_joined_kept(const df_joined *j, int64_t row, const df_table_type **by, const char **why)
{
    for (int i = 0; df_tables[i]; i++) {
        const df_table_type *type = df_tables[i];
        if (!type->decides || !j->table[i])
            continue;
        const df_value kept = value_of(j, type, row, type->decides);
        if (kept.has && kept.i)
            continue;
        const char *reason = df_joined_text(j, type, row, type->reason);
        if (by)
            *by = type;
        if (why)
            *why = *reason ? reason : "not looked at yet";
        return false;
    }
    return true;
}
