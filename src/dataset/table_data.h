/* The inside of a table, for table.c and parquet.c alone. */
#ifndef DF_DATASET_TABLE_DATA_H
#define DF_DATASET_TABLE_DATA_H
#include "dataset/table.h"

typedef struct {
    df_column column;                        /* the name is owned */
    bool *null;
    union {
        int64_t *i;
        double *f;
        char **s;
    } data;
} column_data;

struct df_table {
    int n_columns;
    int64_t n_rows, capacity;
    column_data *columns;
};

/* room for n more rows; false: out of memory */
bool df_table_reserve(df_table *t, int64_t n);
#endif
