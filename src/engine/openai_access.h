/* Where an API key comes from: a file, else $OPENAI_API_KEY; never an option, which the process list would show. */
#ifndef DF_ENGINE_OPENAI_KEY_H
#define DF_ENGINE_OPENAI_KEY_H
#include "base/status.h"

/* file may be NULL or "". *key is malloc'ed, NULL when there is none. */
df_status df_openai_key_read(const char *file, char **key, df_error *err);
#endif
