#include "cell.h"

#include "io/json.h"
#include "vector/half.h"

static void append_item(df_str *out, df_column_type type, const df_value *v, int64_t i)
{
    if (type == DF_COLUMN_TEXTS)
        df_json_append_text(out, v->texts[i]);
    else if (type == DF_COLUMN_REALS)
        df_json_append_real(out, v->reals[i]);
    else
        df_json_append_real(out, (double)df_half_to_float(v->vector[i]));
}

void append_cell(df_str *out, const df_table *t, int64_t row, int column)
{
    const df_value v = df_table_value(t, row, column);
    const df_column_type type = df_table_column_at(t, column).type;
    if (df_table_null(t, row, column)) {
        df_str_append(out, "null");
        return;
    }
    switch (type) {
    case DF_COLUMN_INT:
        df_str_printf(out, "%lld", (long long)v.i);
        return;
    case DF_COLUMN_BOOL:
        df_str_append(out, v.i ? "true" : "false");
        return;
    case DF_COLUMN_REAL:
        df_json_append_real(out, v.f);
        return;
    case DF_COLUMN_TEXT:
        df_json_append_text(out, v.s);
        return;
    case DF_COLUMN_TEXTS:
    case DF_COLUMN_REALS:
    case DF_COLUMN_VECTOR:
        break;
    }
    df_str_append(out, "[");
    for (int64_t i = 0; i < v.n; i++) {
        df_str_append(out, i ? ", " : "");
        append_item(out, type, &v, i);
    }
    df_str_append(out, "]");
}
