#include "io/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"

enum { CONNECT_S = 30, ANSWER_S = 60 };

struct df_http {
    CURL *curl;
    curl_mime *form;                         /* of the request at work */
    df_str body;
    size_t answer_max;
    time_t began;                            /* of the answer, 0 before; monotonic */
    bool trickled;
    const atomic_bool *stop;
    CURLcode failed;
    char words[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    df_http *http = ctx;
    size *= n;
    if (size > http->answer_max - http->body.size)
        return 0;
    df_str_append_n(&http->body, bytes, size);
    return http->body.failed ? 0 : size;
}

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + 1;                   /* never 0 */
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    df_http *http = ctx;
    http->began = http->began ? http->began : now_s();
    return size * n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    df_http *http = ctx;
    http->trickled = http->began && now_s() - http->began > ANSWER_S;
    return http->trickled || (http->stop && atomic_load(http->stop));
}

df_status df_http_open(df_http **out, df_error *err)
{
    pthread_once(&once, start_curl);
    df_http *http = calloc(1, sizeof *http);
    if (http)
        http->curl = curl_easy_init();
    if (!http || !http->curl) {
        free(http);
        return df_fail(err, DF_NOMEM, "start an HTTP client: out of memory");
    }
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(http->curl, CURLOPT_TCP_KEEPALIVE, 1L); /* an answer may take minutes; what lies between forgets */
    curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->words);
    *out = http;
    return DF_OK;
}

void df_http_close(df_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    df_str_free(&http->body);
    free(http);
}

static struct curl_slist *make_headers(const df_http_request *request)
{
    /* An empty Expect: no 100-continue round trip for a body with an image. */
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    const bool json = !request->upload;      /* a form says its own type */
    struct curl_slist *more = headers && json ? curl_slist_append(headers, "Content-Type: application/json") : headers;
    if (more && request->bearer) {
        df_str line = {0};
        df_str_printf(&line, "Authorization: Bearer %s", request->bearer);
        more = line.failed ? NULL : curl_slist_append(headers, df_str_text(&line));
        df_str_free(&line);
    }
    if (!more)
        curl_slist_free_all(headers);
    return more ? headers : NULL;
}

static df_status perform(df_http *http, const df_http_request *request, df_error *err)
{
    const CURLcode code = curl_easy_perform(http->curl);
    http->failed = code;
    if (code == CURLE_OK)
        return DF_OK;
    if (http->trickled)
        return df_fail(err, DF_REMOTE, "%.300s: the answer began and did not end within %d s", request->url, ANSWER_S);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return df_fail(err, DF_STOPPED, "stopped");
    if (code == CURLE_WRITE_ERROR)
        return df_fail(err, DF_REMOTE, "%.300s: the answer is above %zu bytes", request->url, request->answer_max);
    return df_fail(err, DF_REMOTE, "%.300s: %.180s", request->url,
                   http->words[0] ? http->words : curl_easy_strerror(code));
}

df_http_failure df_http_failed(const df_http *http)
{
    switch (http->failed) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: return DF_HTTP_UNREACHED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return DF_HTTP_UNTRUSTED;
    case CURLE_WRITE_ERROR: return DF_HTTP_LARGE;
    case CURLE_OPERATION_TIMEDOUT: {
        curl_off_t ready = 0;                  /* when the connection could take the request */
        curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
        return ready > 0 ? DF_HTTP_LATE : DF_HTTP_UNREACHED;
    }
    default: return http->trickled ? DF_HTTP_LATE : DF_HTTP_BROKEN;
    }
}

static bool make_form(df_http *http, const char *path)
{
    http->form = curl_mime_init(http->curl);
    curl_mimepart *purpose = http->form ? curl_mime_addpart(http->form) : NULL;
    curl_mimepart *file = purpose ? curl_mime_addpart(http->form) : NULL;
    return file && curl_mime_name(purpose, "purpose") == CURLE_OK &&
           curl_mime_data(purpose, "batch", CURL_ZERO_TERMINATED) == CURLE_OK &&
           curl_mime_name(file, "file") == CURLE_OK && curl_mime_filedata(file, path) == CURLE_OK;
}

static void set_request(df_http *http, const df_http_request *request, const struct curl_slist *headers)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->timeout_s);
    if (request->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->upload) {
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, http->form);
        return;
    }
    if (!request->body) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
}

df_status df_http_ask(df_http *http, const df_http_request *request, df_http_answer *answer, df_error *err)
{
    struct curl_slist *headers = make_headers(request);
    if (!headers)
        return df_fail(err, DF_NOMEM, "%.300s: out of memory", request->url);
    df_str_clear(&http->body);
    http->answer_max = request->answer_max;
    http->stop = request->stop;
    http->words[0] = '\0';
    http->began = 0;
    http->trickled = false;
    df_status status = request->upload && !make_form(http, request->upload)
                           ? df_fail(err, DF_IO, "%.300s: it cannot be read", request->upload) : DF_OK;
    if (status == DF_OK) {
        set_request(http, request, headers);
        status = perform(http, request, err);
    }
    curl_mime_free(http->form);
    http->form = NULL;
    curl_slist_free_all(headers);
    if (status != DF_OK)
        return status;
    df_http_answer got = {.size = http->body.size, .retry_after_s = -1};
    curl_off_t wait = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &got.code);
    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        got.retry_after_s = wait;
    got.body = malloc(got.size + 1);
    if (!got.body)
        return df_fail(err, DF_NOMEM, "%.300s: out of memory", request->url);
    memcpy(got.body, df_str_text(&http->body), got.size + 1);
    *answer = got;
    return DF_OK;
}

/* ---- into a file ---- */

typedef struct { FILE *to; int64_t left; bool full; } download;

static size_t on_file(char *bytes, size_t size, size_t n, void *ctx)
{
    download *d = ctx;
    size *= n;
    d->full = (int64_t)size > d->left;
    if (d->full)
        return 0;
    d->left -= (int64_t)size;
    return fwrite(bytes, 1, size, d->to);
}

static void set_download(CURL *curl, const char *url, download *d, char words[CURL_ERROR_SIZE])
{
    const bool secure = strncasecmp(url, "https:", 6) == 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)d->left);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_file);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
}

df_status df_http_download(const char *url, FILE *to, int64_t max_bytes, df_error *err)
{
    char words[CURL_ERROR_SIZE] = "";
    download d = {to, max_bytes, false};
    pthread_once(&once, start_curl);
    CURL *curl = curl_easy_init();
    if (!curl)
        return df_fail(err, DF_NOMEM, "start an HTTP client: out of memory");
    set_download(curl, url, &d, words);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK)
        return fflush(to) == 0 ? DF_OK : df_fail(err, DF_IO, "%.300s: the file cannot be written", url);
    if (d.full || code == CURLE_FILESIZE_EXCEEDED)
        return df_fail(err, DF_REMOTE, "%.300s: larger than %lld bytes", url, (long long)max_bytes);
    if (code == CURLE_WRITE_ERROR)
        return df_fail(err, DF_IO, "%.300s: the file cannot be written", url);
    return df_fail(err, DF_REMOTE, "%.300s: %.180s", url, words[0] ? words : curl_easy_strerror(code));
}
