/* HTTP through libcurl, with TLS verified: POST and GET as a client of an API needs them (bounded,
 * interruptible, no redirects), and GET into a file. */
#ifndef DF_IO_HTTP_H
#define DF_IO_HTTP_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

/* One connection, kept alive between requests. For one thread at a time. */
typedef struct df_http df_http;
typedef struct {
    const char *url;                         /* http or https */
    const char *bearer;                      /* NULL: no Authorization header */
    /* PEM file of authorities to trust instead of the system's; NULL: the system's */
    const char *ca_file;
    const char *body;                        /* JSON; NULL: GET */
    /* path of a file that is sent by POST as a form with purpose=batch; NULL: none */
    const char *upload;
    size_t body_size, answer_max;            /* bytes */
    /* a large file is sent or received, which may take as long as bytes keep moving */
    bool is_file;
    /* for the whole request; for a file, the longest time in which almost nothing moves; a
     * connection has 30 s */
    int64_t timeout_s;
    const atomic_bool *stop; /* may be NULL */
} df_http_request;
typedef struct {
    long code; /* HTTP status */
    /* from malloc, with a NUL after the last byte; the caller frees it */
    char *body;
    size_t size;
    int64_t retry_after_s; /* -1 when the server does not say */
} df_http_answer;

/* Why there is no answer. */
typedef enum {
    DF_HTTP_UNREACHED, /* no connection; the server has seen nothing */
    DF_HTTP_BROKEN, /* the connection broke, or the answer is not HTTP */
    DF_HTTP_LATE, /* timeout_s passed */
    DF_HTTP_LARGE, /* the answer is larger than answer_max */
    DF_HTTP_UNTRUSTED, /* the certificate is not trusted */
} df_http_failure;

/* df_http_close frees *out; NULL is fine. */
df_status df_http_open(df_http **out, df_error *err);
void df_http_close(df_http *http);
/* Sends a request and waits for the answer; any HTTP status code is DF_OK. DF_REMOTE: there was no
 * complete answer; df_http_failed says why. DF_STOPPED: stop was set. Where the answer repeats the
 * bearer or a value of the URL's query, it is overwritten with asterisks. Messages show the URL
 * without them. */
df_status df_http_ask(df_http *http, const df_http_request *request, df_http_answer *answer,
                      df_error *err);
/* Why the last df_http_ask had no answer. */
df_http_failure df_http_failed(const df_http *http);
/* After a failure: whether the server may have seen the request, and may be working on it. */
bool df_http_was_sent(const df_http *http);
/* Downloads url into *to, at most max_bytes. Redirects are followed, from https only to https.
 * DF_REMOTE: any code but 200, cut off, too large, or silent for a minute; *to may then hold a
 * part. DF_IO: *to cannot be written. */
df_status df_http_download(const char *url, FILE *to, int64_t max_bytes, df_error *err);
#endif
