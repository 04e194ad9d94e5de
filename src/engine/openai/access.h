/* How a server of OpenAI's API is reached: its address, and its key, which comes from a file, else
 * from $OPENAI_API_KEY; never from an option, which the process list would show. */
#ifndef DF_ENGINE_OPENAI_ACCESS_H
#define DF_ENGINE_OPENAI_ACCESS_H
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

/* The n bytes at base are an address as servers print it, with or without /v1 or the whole path to
 * chats; *url becomes its /v1 and tail, with the query that it has behind them. Caller frees.
 * DF_CONFIG: no http or https, or a name or password in it. */
df_status df_openai_url(const char *base, size_t n, const char *tail, char **url, df_error *err);
/* file may be NULL or "". *key is malloc'ed, NULL when there is none. */
df_status df_openai_key_read(const char *file, char **key, df_error *err);
/* Whether others than its owner may read, write or run the file of the key. file may be
 * NULL or "". */
bool df_openai_key_exposed(const char *file);
#endif
