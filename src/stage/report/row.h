/* One image as the report's page wants it. */
#ifndef DF_STAGE_REPORT_ROW_H
#define DF_STAGE_REPORT_ROW_H
#include "io/json_writer.h"
#include "tables/joined.h"
#include "evidence/evidence.h"

/* Appends a JSON object. left, support: the part's fuse/left and check/support, NULL when there is
 * none. thumb: its file name,
 * "" when the image could not be decoded. */
void df_report_row(df_str *out, const df_joined *j, int64_t row, const df_evidence *evidence,
                   const df_table *left, const df_table *support, const char *thumb);
/* "support": a row's part of check/support (NULL: none) as [[from, to, kind, item], ...], its byte
 * offsets turned into UTF-16 units, in which JavaScript counts. Spans that do not fit the caption,
 * or overlap, are left out. */
void df_report_support(df_json_writer *w, const char *caption, const df_table *support,
                       int64_t row);
#endif
