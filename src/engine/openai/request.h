/* What is asked: the body of one POST to /v1/chat/completions, also a line of a batch file. */
#ifndef DF_ENGINE_OPENAI_REQUEST_H
#define DF_ENGINE_OPENAI_REQUEST_H
#include "base/str.h"
#include "engine/engine.h"

/* extra, if any, must be a JSON object that changes nothing we rely on. DF_CONFIG naming what is
 * wrong. */
df_status df_openai_request_check(const char *extra, df_error *err);
/* Appends the body as one line of JSON: sampling options, then one user message: the prompt, which
 * begins with what is the same for all, then request's JPEG as a data URI. A member of extra takes
 * the place of ours; null takes ours out. Thread-safe. DF_NOMEM. */
df_status df_openai_request_append(const df_engine_config *config, const char *extra,
                                   const df_caption_request *request, df_str *body, df_error *err);
#endif
