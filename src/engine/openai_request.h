/* What is asked: the body of one POST to /v1/chat/completions, also a line of a batch file. */
#ifndef DF_ENGINE_OPENAI_REQUEST_H
#define DF_ENGINE_OPENAI_REQUEST_H
#include "base/str.h"
#include "engine/engine.h"

/* Appends the body as one line of JSON: sampling options, then one user message with the prompt and the image as a JPEG data
 * URI within config's image_side. Thread-safe. DF_NOMEM. */
df_status df_openai_request_append(const df_engine_config *config, const df_caption_request *request, df_str *body,
                                   df_error *err);
#endif
