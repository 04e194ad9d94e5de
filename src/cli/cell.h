/* A cell of a table for programs. */
#ifndef DF_CLI_CELL_H
#define DF_CLI_CELL_H
#include "base/str.h"
#include "dataset/table.h"

/* Appends the cell as JSON: a number, true, a string, a list, or null. */
void append_cell(df_str *out, const df_table *t, int64_t row, int column);
#endif
