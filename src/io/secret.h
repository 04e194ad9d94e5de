/* What a request carries that nobody else may see: its key, and the values of its address's query.
 * Servers put them into their answers, which are kept and shown. */
#ifndef DF_IO_SECRET_H
#define DF_IO_SECRET_H
#include <stdbool.h>
#include <stddef.h>

enum { DF_URL_SHOWN = 256 };
/* The n bytes of an address without name, password, query and fragment: fit for messages and
 * tables. Cut to fit. */
void df_url_show(const char *url, size_t n, char out[DF_URL_SHOWN]);

/* Overwrites a secret with asterisks wherever it is in size bytes of text, also with its slashes
 * escaped as in JSON. What is too short or too plain to be a secret ("none", "EMPTY") stays: it
 * would spoil the text. */
void df_secret_hide(const char *secret, size_t n, char *text, size_t size);
/* The same for the values of an address's query, as they are and decoded; but for those that say of
 * themselves that they are a version or the name of a model. */
void df_secrets_hide_query(const char *url, char *text, size_t size);
#endif
