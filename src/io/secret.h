/* Hides the secrets of a request: its key, and the values of its URL's query. Servers repeat them
 * in answers, which are kept and shown. */
#ifndef DF_IO_SECRET_H
#define DF_IO_SECRET_H
#include <stdbool.h>
#include <stddef.h>

enum { DF_URL_SHOWN = 256 };
/* The n bytes of a URL without user name, password, query and fragment, for messages and tables.
 * Cut to fit. */
void df_url_show(const char *url, size_t n, char out[DF_URL_SHOWN]);

/* Overwrites a secret with asterisks wherever it occurs in `size` bytes of text, also with its
 * slashes escaped as in JSON. What is too short or too common to be a secret ("none", "EMPTY")
 * stays, since hiding it would spoil the text. */
void df_secret_hide(const char *secret, size_t n, char *text, size_t size);
/* The same for the values of a URL's query, as they are and decoded, except those of parameters
 * that are named like a version or a model. */
void df_secrets_hide_query(const char *url, char *text, size_t size);
#endif
