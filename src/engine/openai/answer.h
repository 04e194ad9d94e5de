/* What a chat server answered, over HTTP or in a batch file. All of it is foreign. */
#ifndef DF_ENGINE_OPENAI_ANSWER_H
#define DF_ENGINE_OPENAI_ANSWER_H
#include "engine/engine.h"
#include "io/json.h"

typedef enum {
    DF_ANSWER_DONE, /* an answer that was paid for; its caption may be empty, then error says so */
    DF_ANSWER_RECORD, /* wrong with this record alone: error has the server's own words */
    DF_ANSWER_TOO_LONG, /* the same, for want of context: shorter evidence may help */
    DF_ANSWER_AGAIN, /* may pass: ask again (408, 409, 5xx, no chat answer) */
    DF_ANSWER_BUSY, /* passes when the server has room: 429, 502, 503, 504, 529 */
    DF_ANSWER_STOP, /* wrong with every record: key, quota, address (3xx too) */
    DF_ANSWER_NO_MODEL, /* the same: no such model or path (404) */
} df_answer_kind;

/* An answer's JSON, also where a server puts into it what JSON may not hold: a zero byte, half of a
 * surrogate pair, bad UTF-8. DF_FORMAT: it is none; DF_NOMEM. */
df_status df_openai_answer_parse(df_json **out, const char *bytes, size_t size);
/* code: HTTP status; body: size bytes and a NUL. Fills *out but for its attempts; texts are in the
 * arena. */
df_answer_kind df_openai_answer_read(long code, const char *body, size_t size, df_arena *arena,
                                     df_caption *out);
/* The same when the body is a JSON value already (NULL: was none; then body has its text). */
df_answer_kind df_openai_answer_judge(long code, const df_json *root, const char *body, size_t size,
                                      df_arena *arena, df_caption *out);
#endif
