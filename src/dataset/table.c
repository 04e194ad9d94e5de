#include "dataset/table_data.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

df_status df_table_create(df_table **out, const df_column *columns, df_error *err)
{
    int n = 0;
    while (columns[n].name)
        n++;
    df_table *t = calloc(1, sizeof *t);
    if (!t)
        return df_fail(err, DF_NOMEM, "make a table: out of memory");
    t->columns = calloc((size_t)n + 1, sizeof *t->columns);
    for (int c = 0; t->columns && c < n; c++) {
        char *name = strdup(columns[c].name);
        if (!name)
            break;
        t->columns[c].column = (df_column){name, columns[c].type, NULL};
        t->n_columns++;
    }
    if (t->n_columns < n) {
        df_table_close(t);
        return df_fail(err, DF_NOMEM, "make a table: out of memory");
    }
    *out = t;
    return DF_OK;
}

void df_table_close(df_table *t)
{
    if (!t)
        return;
    for (int c = 0; c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        if (d->column.type == DF_COLUMN_TEXT)
            for (int64_t row = 0; d->data.s && row < t->n_rows; row++)
                free(d->data.s[row]);
        free(d->data.i);
        free(d->null);
        free((void *)(uintptr_t)d->column.name);
    }
    free(t->columns);
    free(t);
}

bool df_table_reserve(df_table *t, int64_t n)
{
    int64_t capacity = t->capacity ? t->capacity : 32;
    while (capacity - t->n_rows < n)
        capacity *= 2;
    if (capacity == t->capacity)
        return true;
    for (int c = 0; c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        bool *null = realloc(d->null, (size_t)capacity * sizeof *null);
        if (!null)
            return false;
        d->null = null;
        /* every cell is 8 bytes: int64, double, pointer */
        void *data = realloc(d->data.i, (size_t)capacity * 8);
        if (!data)
            return false;
        d->data.i = data;
    }
    t->capacity = capacity;
    return true;
}
_Static_assert(sizeof(char *) <= 8 && sizeof(double) == 8, "a cell is 8 bytes");

df_status df_table_append(df_table *t, const df_value *values, df_error *err)
{
    bool ok = df_table_reserve(t, 1);
    int c = 0;
    for (; ok && c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        d->null[t->n_rows] = values[c].null;
        switch (d->column.type) {
        case DF_COLUMN_INT:
            d->data.i[t->n_rows] = values[c].null ? 0 : values[c].i;
            break;
        case DF_COLUMN_REAL:
            d->data.f[t->n_rows] = values[c].null ? 0 : values[c].f;
            break;
        case DF_COLUMN_TEXT: {
            char *copy = values[c].null ? NULL : strdup(values[c].s);
            ok = copy || values[c].null;
            d->data.s[t->n_rows] = copy;
            break;
        }
        }
    }
    if (ok) {
        t->n_rows++;
        return DF_OK;
    }
    while (c-- > 0)
        if (t->columns[c].column.type == DF_COLUMN_TEXT && t->columns[c].data.s)
            free(t->columns[c].data.s[t->n_rows]);
    return df_fail(err, DF_NOMEM, "append to a table: out of memory");
}

df_status df_table_append_table(df_table *t, const df_table *more, df_error *err)
{
    df_value *values = calloc((size_t)t->n_columns + 1, sizeof *values);
    if (!values)
        return df_fail(err, DF_NOMEM, "append to a table: out of memory");
    df_status status = DF_OK;
    for (int64_t row = 0; status == DF_OK && row < more->n_rows; row++) {
        for (int c = 0; c < t->n_columns; c++)
            values[c] = (df_value){.null = df_table_null(more, row, c),
                                   .i = df_table_int(more, row, c),
                                   .f = df_table_real(more, row, c),
                                   .s = df_table_text(more, row, c)};
        status = df_table_append(t, values, err);
    }
    free(values);
    return status;
}

int64_t df_table_rows(const df_table *t)
{
    return t->n_rows;
}

int df_table_n_columns(const df_table *t)
{
    return t->n_columns;
}

df_column df_table_column_at(const df_table *t, int column)
{
    return t->columns[column].column;
}

int df_table_column(const df_table *t, const char *name)
{
    for (int c = 0; c < t->n_columns; c++)
        if (strcasecmp(t->columns[c].column.name, name) == 0)
            return c;
    return -1;
}

bool df_table_null(const df_table *t, int64_t row, int column)
{
    return column < 0 || column >= t->n_columns || t->columns[column].null[row];
}

int64_t df_table_int(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column))
        return 0;
    const column_data *d = &t->columns[column];
    if (d->column.type == DF_COLUMN_INT)
        return d->data.i[row];
    if (d->column.type == DF_COLUMN_TEXT)
        return 0;
    double f = d->data.f[row];
    return f >= -9.2e18 && f <= 9.2e18 ? (int64_t)f : 0;
}

int64_t df_table_first(const df_table *t, int column, int64_t value)
{
    int64_t low = 0, high = df_table_rows(t);
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (df_table_int(t, middle, column) < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double df_table_real(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column) || t->columns[column].column.type == DF_COLUMN_TEXT)
        return 0;
    const column_data *d = &t->columns[column];
    return d->column.type == DF_COLUMN_INT ? (double)d->data.i[row] : d->data.f[row];
}

const char *df_table_text(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column) || t->columns[column].column.type != DF_COLUMN_TEXT)
        return "";
    return t->columns[column].data.s[row];
}
