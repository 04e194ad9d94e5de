/* Writes the cells of a table as JSON. */
#include "cell.h"

#include "vector/half.h"

static void put_list(df_json_writer *w, const char *name, df_column_type type, const df_value *v)
{
    df_json_begin_list(w, name);
    for (int64_t i = 0; i < v->n; i++)
        if (type == DF_COLUMN_TEXTS)
            df_json_put_text(w, NULL, v->texts[i]);
        else if (type == DF_COLUMN_REALS)
            df_json_put_real(w, NULL, v->reals[i]);
        else
            df_json_put_real(w, NULL, (double)df_half_to_float(v->vector[i]));
    df_json_end(w);
}

/* Writes a cell as a member named by its column. */
static void put_cell(df_json_writer *w, const df_table *t, int64_t row, int column)
{
    const df_column c = df_table_column_at(t, column);
    const df_value v = df_table_value(t, row, column);
    if (!v.has) {
        df_json_put_text(w, c.name, NULL);
        return;
    }
    switch (c.type) {
    case DF_COLUMN_INT:
        df_json_put_int(w, c.name, v.i);
        break;
    case DF_COLUMN_BOOL:
        df_json_put_bool(w, c.name, v.i != 0);
        break;
    case DF_COLUMN_REAL:
        df_json_put_real(w, c.name, v.f);
        break;
    case DF_COLUMN_TEXT:
        df_json_put_text(w, c.name, v.s);
        break;
    case DF_COLUMN_TEXTS:
    case DF_COLUMN_REALS:
    case DF_COLUMN_VECTOR:
        put_list(w, c.name, c.type, &v);
        break;
    }
}

void put_row(df_json_writer *w, const df_table *t, int64_t row)
{
    df_json_begin_object(w, NULL);
    for (int c = 0; c < df_table_n_columns(t); c++)
        put_cell(w, t, row, c);
    df_json_end(w);
}
