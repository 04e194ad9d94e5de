/* The own options of the `openai` engine: caption.openai.url and so on. */
#ifndef DF_ENGINE_OPENAI_OPENAI_H
#define DF_ENGINE_OPENAI_OPENAI_H
#include <stdint.h>

typedef struct {
    char *url, *api_key_file, *ca_file, *extra;
    int64_t concurrency, timeout_s, retries, patience_s, batch_requests;
} df_openai_config;
#endif
