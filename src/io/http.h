/* HTTP through libcurl, TLS verified: POST and GET the way an API client needs them (bounded,
 * interruptible, no redirects), and GET into a file. */
#ifndef DF_IO_HTTP_H
#define DF_IO_HTTP_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

/* one connection, kept alive between requests; one thread at a time */
typedef struct df_http df_http;
typedef struct {
    const char *url;                         /* http or https */
    const char *bearer;                      /* NULL: no Authorization header */
    /* PEM of authorities to trust instead of the system's; NULL: the system's */
    const char *ca_file;
    const char *body;                        /* JSON; NULL: GET */
    /* path of a file to POST as a form with purpose=batch; NULL: none */
    const char *upload;
    size_t body_size, answer_max;            /* bytes */
    /* a large file comes or goes: it may take as long as it moves */
    bool is_file;
    int64_t timeout_s; /* of the whole; of a file: of a stretch that brings almost nothing; a
                          connection has 30 s */
    const atomic_bool *stop; /* may be NULL */
} df_http_request;
typedef struct {
    long code; /* HTTP status */
    /* malloc'ed with a NUL after the last byte, caller frees */
    char *body;
    size_t size;
    int64_t retry_after_s; /* -1 when the server did not say */
} df_http_answer;

/* Why there was no answer. */
typedef enum {
    DF_HTTP_UNREACHED, /* no connection: the server has seen nothing */
    DF_HTTP_BROKEN, /* cut off, or not HTTP */
    DF_HTTP_LATE, /* timeout_s */
    DF_HTTP_LARGE, /* above answer_max */
    DF_HTTP_UNTRUSTED, /* certificate */
} df_http_failure;

df_status df_http_open(df_http **out, df_error *err);
void df_http_close(df_http *http);
/* DF_REMOTE when there was no whole answer (words in err; then df_http_failed says which kind),
 * DF_STOPPED after stop. Any status code is DF_OK. Where the answer repeats the bearer or a value
 * of the address's query, it has asterisks instead; messages show the address without them. */
df_status df_http_ask(df_http *http, const df_http_request *request, df_http_answer *answer,
                      df_error *err);
df_http_failure df_http_failed(const df_http *http);
/* after a failure: the server may have seen the request, and do its work */
bool df_http_was_sent(const df_http *http);
/* GETs url into *to, at most max_bytes. Redirects are followed, from https to https alone.
 * DF_REMOTE: any answer but 200, cut off, too large, silent for a minute; *to may then hold a part
 * of it. DF_IO: it cannot be written. */
df_status df_http_download(const char *url, FILE *to, int64_t max_bytes, df_error *err);
#endif
