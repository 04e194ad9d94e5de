/* Tables of tests name only the columns that they care about: the rest of the declared table is
 * null. */
#ifndef TESTS_TYPED_H
#define TESTS_TYPED_H
#include <string.h>
#include "dataset/dataset.h"
#include "tables/tables.h"

static inline bool holds(const df_table *t, df_column column)
{
    const int c = df_table_column(t, column.name);
    return c >= 0 && df_table_column_at(t, c).type == column.type;
}

/* Takes over t; gives the same rows with all columns of the type. */
static inline df_table *typed(const df_table_type *type, df_table *t)
{
    df_table *full;
    df_value values[64];
    assert_int_equal(df_table_create(&full, type->columns, NULL), DF_OK);
    for (int c = 0; c < df_table_n_columns(t); c++)
        if (!holds(full, df_table_column_at(t, c)))
            fail_msg("%s has no such column: %s", type->name, df_table_column_at(t, c).name);
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        for (int c = 0; type->columns[c].name; c++) {
            const int from = df_table_column(t, type->columns[c].name);
            values[c] = from < 0 ? DF_NULL : df_table_value(t, i, from);
        }
        assert_int_equal(df_table_append(full, values, NULL), DF_OK);
    }
    df_table_close(t);
    return full;
}

static inline const df_table_type *type_of(const char *name)
{
    for (const df_table_type *const *t = df_tables; *t; t++)
        if (strcmp((*t)->name, name) == 0)
            return *t;
    fail_msg("no table is called %s", name);
    return NULL;
}

/* Takes over t. */
static inline df_status write_typed(const df_dataset *ds, const char *stage, int part, df_table *t,
                                    df_error *err)
{
    df_table *full = typed(type_of(stage), t);
    df_status status = df_dataset_write(ds, stage, part, full, err);
    df_table_close(full);
    return status;
}
#endif
