/* The inside of a table, for table.c and parquet.c alone. */
#ifndef DF_DATASET_TABLE_DATA_H
#define DF_DATASET_TABLE_DATA_H
#include "dataset/table.h"

/* A list in one block of memory. The texts of a list follow its pointers. */
typedef struct {
    int64_t n;
    union {
        char *texts[1];
        double reals[1];
        uint16_t vector[1];
    } items;
} cell_list;

typedef struct {
    df_column column;                        /* the name is owned */
    bool *null;
    union {
        int64_t *i;
        double *f;
        char **s;
        cell_list **list;
    } data;
} column_data;

struct df_table {
    int n_columns;
    int64_t n_rows, capacity;
    column_data *columns;
};

/* A list of n items of a type, with `bytes` more behind them. NULL: out of memory. Free it. */
cell_list *df_cell_list(df_column_type type, int64_t n, size_t bytes);
static inline bool is_list(df_column_type type)
{
    return type == DF_COLUMN_TEXTS || type == DF_COLUMN_REALS || type == DF_COLUMN_VECTOR;
}
/* room for n more rows; false: out of memory */
bool df_table_reserve(df_table *t, int64_t n);
#endif
