/* A cell of a table for programs. */
#ifndef DF_CLI_CELL_H
#define DF_CLI_CELL_H
#include "dataset/table.h"
#include "io/json_writer.h"

/* A row as an object: each cell is a number, true, a string, a list, or null. */
void put_row(df_json_writer *w, const df_table *t, int64_t row);
#endif
