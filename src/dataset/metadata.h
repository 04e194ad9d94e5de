/* Metadata first: a list of URLs with sizes (LAION, DataComp, COYO, clip-retrieval) is filtered by
 * SQL before any image is fetched: at two billion rows, what is not downloaded is most of what is
 * saved. */
#ifndef DF_DATASET_METADATA_H
#define DF_DATASET_METADATA_H
#include "base/option.h"
#include "dataset/table.h"

typedef struct {
    int64_t min_side, rows_per_file, memory_mb;
    double max_aspect;
    char *where; /* a condition of the user's over the columns; NULL: none */
    bool repeated; /* keep rows whose URL came before */
} df_metadata_config;
extern const df_option df_metadata_options[];

/* Why rows were dropped; a row counts once, under the first that applies. */
typedef enum {
    DF_METADATA_KEPT,
    DF_METADATA_NO_URL,
    DF_METADATA_NO_SIZE,
    DF_METADATA_SMALL,
    DF_METADATA_ASPECT,
    DF_METADATA_WHERE,
    DF_METADATA_REPEATED,
    DF_METADATA_REASONS
} df_metadata_reason;

typedef struct {
    int64_t n_in, n[DF_METADATA_REASONS];    /* n_in is the sum of n */
    int n_files;                             /* that were written */
    char url[128], text[128];                /* the columns' names; text: "" when there is none */
} df_metadata_result;

/* inputs: Parquet files, or folders of them. Writes `out`/part-00000.parquet ...: the kept rows
 * with all their columns in the order of the inputs (in another, when the URLs that repeat do not
 * fit into memory). `out` must not exist; it appears when everything is in it. */
df_status df_metadata_filter(const char *const *inputs, int n_inputs, const char *out,
                             const df_metadata_config *config, int n_threads,
                             df_metadata_result *result, df_error *err);
#endif
