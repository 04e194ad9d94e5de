#include "dataset/table_data.h"

#include <assert.h>
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
        return df_no_memory(err, "make a table");
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
        return df_no_memory(err, "make a table");
    }
    *out = t;
    return DF_OK;
}

static void free_cell(column_data *d, int64_t row)
{
    if (d->column.type == DF_COLUMN_TEXT)
        free(d->data.s[row]);
    else if (is_list(d->column.type))
        free(d->data.list[row]);
}

void df_table_close(df_table *t)
{
    if (!t)
        return;
    for (int c = 0; c < t->n_columns; c++) {
        column_data *d = &t->columns[c];
        for (int64_t row = 0; d->data.i && row < t->n_rows; row++)
            free_cell(d, row);
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

cell_list *df_cell_list(df_column_type type, int64_t n, size_t bytes)
{
    const size_t size = type == DF_COLUMN_VECTOR  ? sizeof(uint16_t)
                        : type == DF_COLUMN_REALS ? sizeof(double)
                                                  : sizeof(char *);
    size_t all;
    if (n < 0 || __builtin_mul_overflow((size_t)n, size, &all) ||
        __builtin_add_overflow(all, bytes, &all) ||
        __builtin_add_overflow(all, sizeof(cell_list), &all))
        return NULL;
    cell_list *list = calloc(1, all);
    if (list)
        list->n = n;
    return list;
}

static cell_list *copy_texts(const df_value *v)
{
    size_t bytes = 0;
    for (int64_t i = 0; i < v->n; i++)
        bytes += strlen(v->texts[i]) + 1;
    cell_list *list = df_cell_list(DF_COLUMN_TEXTS, v->n, bytes);
    char *to = list ? (char *)(list->items.texts + v->n) : NULL;
    for (int64_t i = 0; list && i < v->n; i++) {
        list->items.texts[i] = to;
        to = stpcpy(to, v->texts[i]) + 1;
    }
    return list;
}

static cell_list *copy_list(df_column_type type, const df_value *v)
{
    if (type == DF_COLUMN_TEXTS)
        return copy_texts(v);
    cell_list *list = df_cell_list(type, v->n, 0);
    if (list && v->n && type == DF_COLUMN_REALS)
        memcpy(list->items.reals, v->reals, (size_t)v->n * sizeof *v->reals);
    else if (list && v->n)
        memcpy(list->items.vector, v->vector, (size_t)v->n * sizeof *v->vector);
    return list;
}

/* Copies a value into the row after the last. False: out of memory, and nothing is owned. */
static bool put_cell(column_data *d, int64_t row, const df_value *v)
{
    d->null[row] = !v->has;
    d->data.i[row] = 0;
    if (!v->has)
        return true;
    switch (d->column.type) {
    case DF_COLUMN_INT:
    case DF_COLUMN_BOOL:
        d->data.i[row] = v->i;
        return true;
    case DF_COLUMN_REAL:
        d->data.f[row] = v->f;
        return true;
    case DF_COLUMN_TEXT:
        return (d->data.s[row] = strdup(v->s)) != NULL;
    case DF_COLUMN_TEXTS:
    case DF_COLUMN_REALS:
    case DF_COLUMN_VECTOR:
        break;
    }
    return (d->data.list[row] = copy_list(d->column.type, v)) != NULL;
}

df_status df_table_append(df_table *t, const df_value *values, df_error *err)
{
    bool ok = df_table_reserve(t, 1);
    int c = 0;
    for (; ok && c < t->n_columns; c++)
        ok = put_cell(&t->columns[c], t->n_rows, &values[c]);
    if (ok) {
        t->n_rows++;
        return DF_OK;
    }
    while (c-- > 0)
        free_cell(&t->columns[c], t->n_rows);
    return df_no_memory(err, "append to a table");
}

df_status df_table_append_table(df_table *t, const df_table *more, df_error *err)
{
    df_value *values = calloc((size_t)t->n_columns + 1, sizeof *values);
    if (!values)
        return df_no_memory(err, "append to a table");
    df_status status = DF_OK;
    for (int64_t row = 0; status == DF_OK && row < more->n_rows; row++) {
        for (int c = 0; c < t->n_columns; c++)
            values[c] = df_table_value(more, row, c);
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

df_value df_table_value(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column))
        return DF_NULL;
    const column_data *d = &t->columns[column];
    switch (d->column.type) {
    case DF_COLUMN_INT:
    case DF_COLUMN_BOOL:
        return DF_INT(d->data.i[row]);
    case DF_COLUMN_REAL:
        return DF_REAL(d->data.f[row]);
    case DF_COLUMN_TEXT:
        return DF_TEXT(d->data.s[row]);
    case DF_COLUMN_TEXTS:
        return DF_TEXTS((const char *const *)d->data.list[row]->items.texts, d->data.list[row]->n);
    case DF_COLUMN_REALS:
        return DF_REALS(d->data.list[row]->items.reals, d->data.list[row]->n);
    case DF_COLUMN_VECTOR:
        break;
    }
    return DF_VECTOR(d->data.list[row]->items.vector, d->data.list[row]->n);
}

int64_t df_table_int(const df_table *t, int64_t row, int column)
{
    if (df_table_null(t, row, column))
        return 0;
    const column_data *d = &t->columns[column];
    if (d->column.type == DF_COLUMN_INT || d->column.type == DF_COLUMN_BOOL)
        return d->data.i[row];
    double f = d->column.type == DF_COLUMN_REAL ? d->data.f[row] : 0;
    return f >= -9.2e18 && f <= 9.2e18 ? (int64_t)f : 0;
}

static bool holds(const df_table *t, int64_t row, int column, df_column_type type)
{
    return !df_table_null(t, row, column) && t->columns[column].column.type == type;
}

bool df_table_bool(const df_table *t, int64_t row, int column)
{
    return holds(t, row, column, DF_COLUMN_BOOL) && t->columns[column].data.i[row] != 0;
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
    return holds(t, row, column, DF_COLUMN_REAL) ? t->columns[column].data.f[row]
                                                 : (double)df_table_int(t, row, column);
}

const char *df_table_text(const df_table *t, int64_t row, int column)
{
    assert(df_table_null(t, row, column) || !is_list(t->columns[column].column.type));
    return holds(t, row, column, DF_COLUMN_TEXT) ? t->columns[column].data.s[row] : "";
}

const char *const *df_table_texts(const df_table *t, int64_t row, int column, int64_t *n)
{
    const bool has = holds(t, row, column, DF_COLUMN_TEXTS);
    const df_value v = has ? df_table_value(t, row, column) : DF_NULL;
    *n = v.n;
    return v.texts;
}

const double *df_table_reals(const df_table *t, int64_t row, int column, int64_t *n)
{
    const bool has = holds(t, row, column, DF_COLUMN_REALS);
    const df_value v = has ? df_table_value(t, row, column) : DF_NULL;
    *n = v.n;
    return v.reals;
}

const uint16_t *df_table_vector(const df_table *t, int64_t row, int column, int64_t *n)
{
    const bool has = holds(t, row, column, DF_COLUMN_VECTOR);
    const df_value v = has ? df_table_value(t, row, column) : DF_NULL;
    *n = v.n;
    return v.vector;
}
