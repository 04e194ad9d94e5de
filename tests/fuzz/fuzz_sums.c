/* The files by which machines share a round of k-means: refused, or sums of all parts. */
#include <stdlib.h>
#include <string.h>
#include "own_folder.h"
#include "stage/cluster/work.h"

enum { K = 2, D = 3 };

/* One part, without rows: k-means asks for the number of parts alone. */
static df_dataset *one_part(void)
{
    df_dataset *ds = NULL;
    df_table *t = NULL;
    static const df_column columns[] = {{"row", DF_COLUMN_INT, NULL}, {0}};
    if (df_dataset_open(&ds, own_folder(), NULL) != DF_OK ||
        df_table_create(&t, columns, NULL) != DF_OK ||
        df_dataset_write(ds, "ingest", 0, t, NULL) != DF_OK)
        abort();
    df_table_close(t);
    return ds;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static df_dataset *ds;
    int64_t sum[K * D] = {0}, count[K] = {0};
    df_error err = {""};
    if (!ds)
        ds = one_part();
    const df_cluster_work w = {.ds = ds, .k = K, .d = D, .round = 0};
    const int parts[] = {0};
    static bool made;
    if (!made && df_cluster_work_write_sums(&w, parts, 1, sum, count, &err) != DF_OK)
        abort();
    made = true;
    own_file("cluster/work/00000.0.sums", bytes, size);
    if (df_cluster_work_read_sums(&w, sum, count, &err) != DF_OK && !err.message[0])
        abort();
    return 0;
}
