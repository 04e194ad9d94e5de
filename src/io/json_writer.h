/* JSON written piece by piece: commas, colons, quotes and lines come by themselves. */
#ifndef DF_IO_JSON_WRITER_H
#define DF_IO_JSON_WRITER_H
#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

enum { DF_JSON_WRITER_DEPTH = 16 };
typedef struct {
    df_str *out;                             /* borrowed; may be emptied between two calls */
    bool compact;                            /* no space after a comma or a colon */
    int lines;                               /* so many levels have an item a line; 0: one line */
    /* the rest is ours: all-zero is the beginning */
    int depth;
    char end[DF_JSON_WRITER_DEPTH];          /* brackets that are open */
    bool more[DF_JSON_WRITER_DEPTH];         /* one has an item already */
} df_json_writer;

/* key: of a member of an object; NULL for an item of a list and at the top. */
void df_json_begin_object(df_json_writer *w, const char *key);
void df_json_begin_list(df_json_writer *w, const char *key);
void df_json_end(df_json_writer *w);
/* value NULL is null */
void df_json_put_text(df_json_writer *w, const char *key, const char *value);
void df_json_put_int(df_json_writer *w, const char *key, int64_t value);
/* null when not finite */
void df_json_put_real(df_json_writer *w, const char *key, double value);
void df_json_put_bool(df_json_writer *w, const char *key, bool value);
/* value: JSON text that was made before */
void df_json_put_raw(df_json_writer *w, const char *key, const char *value);
#endif
