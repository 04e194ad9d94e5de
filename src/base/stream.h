/* A file in a folder of ours that is written piece by piece, and gets its name when it is
 * complete. */
#ifndef DF_BASE_STREAM_H
#define DF_BASE_STREAM_H
#include <stdio.h>
#include "base/folder.h"
#include "base/str.h"

/* An all-zero stream is closed and may be dropped. */
typedef struct {
    df_draft draft;
    FILE *file;
} df_stream;

df_status df_stream_open(df_stream *out, df_folder *folder, const char *name, df_error *err);
/* Writes a text. DF_NOMEM when the text has failed. */
df_status df_stream_put(df_stream *s, const df_str *text, df_error *err);
/* Gives the file its name. Ends the stream, also on an error. */
df_status df_stream_commit(df_stream *s, df_error *err);
void df_stream_drop(df_stream *s); /* ends the stream and deletes what was written */
#endif
