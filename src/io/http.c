/* The only file that knows libcurl. */
#include "io/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/secret.h"

/* A transfer of a file that is slower than this, on average over timeout_s, is given up. */
enum { CONNECT_S = 30, SLOW_BYTES_PER_S = 100 };

struct df_http {
    CURL *curl;
    curl_mime *form;                         /* form of the current request; NULL: none */
    df_str body;
    size_t answer_max;
    const df_http_request *request;          /* the current request */
    /* monotonic clock: start of the window in which the progress of a file is measured */
    time_t window_s;
    curl_off_t window_bytes;                 /* bytes sent and received before the window */
    bool stalled;
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
    return (time_t)(df_now_ns() / 1000000000);
}

/* libcurl calls this at least once a second. A non-zero result aborts the transfer. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    (void)down_all, (void)up_all;
    df_http *http = ctx;
    const df_http_request *request = http->request;
    if (request->is_file &&
        down + up - http->window_bytes >= SLOW_BYTES_PER_S * (curl_off_t)request->timeout_s) {
        http->window_s = now_s();
        http->window_bytes = down + up;
    }
    http->stalled = request->is_file && now_s() - http->window_s > request->timeout_s;
    return http->stalled || (request->stop && atomic_load(request->stop));
}

df_status df_http_open(df_http **out, df_error *err)
{
    pthread_once(&once, start_curl);
    df_http *http = calloc(1, sizeof *http);
    if (http)
        http->curl = curl_easy_init();
    if (!http || !http->curl) {
        free(http);
        return df_no_memory(err, "start an HTTP client");
    }
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    /* an answer can take minutes, and routers drop connections that are idle */
    curl_easy_setopt(http->curl, CURLOPT_TCP_KEEPALIVE, 1L);
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

/* Makes the headers of a request. NULL: out of memory. */
static struct curl_slist *make_headers(const df_http_request *request)
{
    /* an empty Expect avoids the 100-continue round trip for a body with an image */
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    const bool json = !request->upload;      /* libcurl sets the type of a form */
    struct curl_slist *more =
        headers && json ? curl_slist_append(headers, "Content-Type: application/json") : headers;
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

/* Sends the request and waits for the answer; the error says what went wrong in our words. */
static df_status perform(df_http *http, const df_http_request *request, const char *shown,
                         df_error *err)
{
    const CURLcode code = curl_easy_perform(http->curl);
    http->failed = code;
    if (code == CURLE_OK)
        return DF_OK;
    if (http->stalled)
        return df_fail(err, DF_REMOTE, "%s: less than %d bytes a second came or went for %lld s",
                       shown, SLOW_BYTES_PER_S, (long long)request->timeout_s);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return df_stopped(err);
    if (code == CURLE_OUT_OF_MEMORY || http->body.failed)
        return df_no_memory(err, "%s", shown);
    if (code == CURLE_WRITE_ERROR)
        return df_fail(err, DF_REMOTE, "%s: the answer is above %zu bytes", shown,
                       request->answer_max);
    return df_fail(err, DF_REMOTE, "%s: %.180s", shown,
                   http->words[0] ? http->words : curl_easy_strerror(code));
}

bool df_http_was_sent(const df_http *http)
{
    curl_off_t ready = 0; /* time until the connection could take the request; 0: it never could */
    curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &ready);
    return ready > 0;
}

df_http_failure df_http_failed(const df_http *http)
{
    switch (http->failed) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return DF_HTTP_UNREACHED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return DF_HTTP_UNTRUSTED;
    case CURLE_WRITE_ERROR:
        return DF_HTTP_LARGE;
    case CURLE_OPERATION_TIMEDOUT:
        return df_http_was_sent(http) ? DF_HTTP_LATE : DF_HTTP_UNREACHED;
    default:
        return http->stalled ? DF_HTTP_LATE : DF_HTTP_BROKEN;
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

/* Sets what differs from request to request: address, headers, body. */
static void set_request(df_http *http, const df_http_request *request,
                        const struct curl_slist *headers)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, request->is_file ? 0L : (long)request->timeout_s);
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

/* Gives the body to the caller. Secrets that the server repeats are overwritten, so that they are
 * neither kept nor shown. */
static df_status take_answer(df_http *http, const df_http_request *request, df_http_answer *answer,
                             df_error *err)
{
    df_http_answer got = {.size = http->body.size, .retry_after_s = -1};
    curl_off_t wait = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &got.code);
    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        got.retry_after_s = wait;
    got.body = http->body.data ? http->body.data : calloc(1, 1);
    http->body = (df_str){0};
    if (!got.body)
        return df_no_memory(err, "read an answer");
    if (request->bearer)
        df_secret_hide(request->bearer, strlen(request->bearer), got.body, got.size);
    df_secrets_hide_query(request->url, got.body, got.size);
    *answer = got;
    return DF_OK;
}

df_status df_http_ask(df_http *http, const df_http_request *request, df_http_answer *answer,
                      df_error *err)
{
    char shown[DF_URL_SHOWN];
    struct curl_slist *headers = make_headers(request);
    df_url_show(request->url, strlen(request->url), shown);
    if (!headers)
        return df_no_memory(err, "%s", shown);
    df_str_clear(&http->body);
    http->answer_max = request->answer_max;
    http->request = request;
    http->words[0] = '\0';
    http->window_s = now_s();
    http->window_bytes = 0;
    http->stalled = false;
    df_status status = request->upload && !make_form(http, request->upload)
                           ? df_fail(err, DF_IO, "%.300s: it cannot be read", request->upload)
                           : DF_OK;
    if (status == DF_OK) {
        set_request(http, request, headers);
        status = perform(http, request, shown, err);
    }
    curl_mime_free(http->form);
    http->form = NULL;
    curl_slist_free_all(headers);
    return status == DF_OK ? take_answer(http, request, answer, err) : status;
}

/* ---- into a file ---- */

typedef struct {
    FILE *to;
    int64_t left;
    bool full;
} download;

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

/* Sets up the download of a file: http alone, few redirects, never from https to http, at most
 * d->left bytes. */
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
    char words[CURL_ERROR_SIZE] = "", shown[DF_URL_SHOWN];
    download d = {to, max_bytes, false};
    df_url_show(url, strlen(url), shown);
    pthread_once(&once, start_curl);
    CURL *curl = curl_easy_init();
    if (!curl)
        return df_no_memory(err, "start an HTTP client");
    set_download(curl, url, &d, words);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code == CURLE_OK)
        return fflush(to) == 0 ? DF_OK
                               : df_fail(err, DF_IO, "%s: the file cannot be written", shown);
    if (d.full || code == CURLE_FILESIZE_EXCEEDED)
        return df_fail(err, DF_REMOTE, "%s: larger than %lld bytes", shown, (long long)max_bytes);
    if (code == CURLE_WRITE_ERROR)
        return df_fail(err, DF_IO, "%s: the file cannot be written", shown);
    return df_fail(err, DF_REMOTE, "%s: %.180s", shown,
                   words[0] ? words : curl_easy_strerror(code));
}
