/* The pictures of the report's page: report/thumbs/ID-HASH-SIDE-QUALITY.jpg. */
#ifndef DF_STAGE_REPORT_THUMBS_H
#define DF_STAGE_REPORT_THUMBS_H
#include "base/map.h"
#include "tables/joined.h"
#include "stage/stage.h"

enum { DF_THUMB_NAME = DF_PLACE_ID_MAX + 40 };
typedef char df_thumb_name[DF_THUMB_NAME];

typedef struct {
    const df_dataset *ds;
    const df_run *run;
    int64_t quality;
    df_map shown;                            /* the names of all that were made or found */
    df_arena arena;
/* all-zero beyond the first three; free with df_thumbs_free */
} df_thumbs;

/* Makes those that are not there yet. names: [n], "" where an image could not be decoded. */
df_status df_thumbs_make(df_thumbs *t, int part, const df_table *ingest, const int64_t *rows,
                         int64_t n, int64_t side, df_thumb_name *names, df_error *err);
/* pictures of an earlier report */
df_status df_thumbs_remove_others(const df_thumbs *t, df_error *err);
void df_thumbs_free(df_thumbs *t);
#endif
