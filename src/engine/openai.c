/* The `openai` engine: one OpenAI-compatible chat server (SGLang, vLLM, llama.cpp, OpenAI), the image as a JPEG data URI.
 * What may pass (408, 409, 429, 5xx, a broken connection, an answer that is no answer) is tried again with growing
 * pauses; what is wrong with one record is that record's error; what is wrong with every record stops the stage. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "engine/openai_answer.h"
#include "engine/openai_request.h"
#include "io/http.h"

#define ANSWER_BYTES_MAX ((size_t)8 << 20)
enum { CLIENTS_MAX = 256, PAUSE_MAX_MS = 60000 };

typedef struct {
    df_engine base;
    df_engine_config config;                 /* text borrowed from the stage */
    char *url, *key;
    pthread_mutex_t lock;
    df_http *clients[CLIENTS_MAX];           /* idle connections */
    int n_clients;
} openai;

/* ---- opening ---- */

static void openai_close(df_engine *e)
{
    openai *o = (openai *)e;
    if (!o)
        return;
    for (int i = 0; i < o->n_clients; i++)
        df_http_close(o->clients[i]);
    pthread_mutex_destroy(&o->lock);
    free(o->url);
    free(o->key);
    free(o);
}

/* The base URL as servers print it, with or without /v1 or the whole path. */
static char *chat_url(const char *base)
{
    static const char path[] = "/chat/completions";
    df_str url = {0};
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    df_str_append_n(&url, base, n);
    const char *text = df_str_text(&url);
    bool whole = n >= sizeof path - 1 && strcmp(text + n - (sizeof path - 1), path) == 0;
    bool versioned = n >= 3 && strcmp(text + n - 3, "/v1") == 0;
    if (!whole)
        df_str_printf(&url, "%s%s", versioned ? "" : "/v1", path);
    if (url.failed)
        df_str_free(&url);
    return url.data;
}

/* From the file, else the environment; never from an option, which would be seen in the process list. */
static df_status read_key(openai *o, df_error *err)
{
    const char *found = getenv("OPENAI_API_KEY");
    char *text = NULL;
    size_t size;
    if (o->config.api_key_file && *o->config.api_key_file) {
        DF_TRY(df_file_read(o->config.api_key_file, 4096, &text, &size, err));
        found = text;
    }
    if (!found || !*found)
        return DF_OK;
    o->key = strndup(found, strcspn(found, " \t\r\n"));
    free(text);
    return o->key ? DF_OK : df_fail(err, DF_NOMEM, "read the API key: out of memory");
}

static df_status openai_open(df_engine **out, const df_engine_config *config, df_error *err)
{
    if (!config->url || (strncmp(config->url, "http://", 7) != 0 && strncmp(config->url, "https://", 8) != 0))
        return df_fail(err, DF_CONFIG, "caption.url: the openai engine needs a server, such as http://127.0.0.1:8080");
    openai *o = calloc(1, sizeof *o);
    if (!o)
        return df_fail(err, DF_NOMEM, "open %s: out of memory", config->url);
    o->base.ops = &df_engine_openai;
    o->base.n_at_once = (int)config->concurrency;
    o->config = *config;
    pthread_mutex_init(&o->lock, NULL);
    o->url = chat_url(config->url);
    df_status status = o->url ? read_key(o, err) : df_fail(err, DF_NOMEM, "open %s: out of memory", config->url);
    if (status == DF_OK)
        *out = &o->base;
    else
        openai_close(&o->base);
    return status;
}

static df_status take_client(openai *o, df_http **client, df_error *err)
{
    pthread_mutex_lock(&o->lock);
    df_http *idle = o->n_clients > 0 ? o->clients[--o->n_clients] : NULL;
    pthread_mutex_unlock(&o->lock);
    *client = idle;
    return idle ? DF_OK : df_http_open(client, err);
}

static void give_client(openai *o, df_http *client)
{
    pthread_mutex_lock(&o->lock);
    bool room = o->n_clients < CLIENTS_MAX;
    if (room)
        o->clients[o->n_clients++] = client;
    pthread_mutex_unlock(&o->lock);
    if (!room)
        df_http_close(client);
}

/* Doubling from half a second, spread by the record's key so that a fleet does not come back in step. */
static int64_t pause_ms(const char *key, int64_t attempt, int64_t retry_after_s)
{
    if (retry_after_s >= 0)
        return retry_after_s * 1000 < PAUSE_MAX_MS ? retry_after_s * 1000 : PAUSE_MAX_MS;
    int64_t ms = attempt < 8 ? (int64_t)500 << (attempt - 1) : PAUSE_MAX_MS;
    ms = ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
    uint64_t spread = df_hash_64(key, strlen(key)) + (uint64_t)attempt * 0x9E3779B97F4A7C15u;
    return ms / 2 + (int64_t)(spread >> 11) % (ms / 2 + 1);
}

static bool wait_ms(const openai *o, int64_t ms)     /* false: stopped */
{
    for (; ms > 0; ms -= 50) {
        if (o->config.stop && atomic_load(o->config.stop))
            return false;
        long slice = ms < 50 ? (long)ms : 50;
        nanosleep(&(struct timespec){0, slice * 1000000}, NULL);
    }
    return true;
}

static df_answer_kind try_once(openai *o, const df_str *body, df_arena *arena, df_caption *out, int64_t *retry_after_s)
{
    df_http *client = NULL;
    df_http_answer answer = {0};
    df_error why = {""};
    *retry_after_s = -1;
    df_status status = take_client(o, &client, &why);
    if (status == DF_OK) {
        df_http_request post = {.url = o->url, .bearer = o->key, .body = df_str_text(body), .body_size = body->size,
                                .answer_max = ANSWER_BYTES_MAX, .timeout_s = o->config.timeout_s, .stop = o->config.stop};
        status = df_http_post(client, &post, &answer, &why);
        if (status == DF_OK)
            give_client(o, client);
        else
            df_http_close(client);           /* a broken connection is not kept */
    }
    if (status != DF_OK) {
        const char *words = df_arena_strdup(arena, why.message);
        out->error = words ? words : "out of memory";
        return status == DF_REMOTE ? DF_ANSWER_AGAIN : DF_ANSWER_STOP;
    }
    *retry_after_s = answer.retry_after_s;
    const df_answer_kind kind = df_openai_answer_read(answer.code, answer.body, answer.size, arena, out);
    free(answer.body);
    return kind;
}

static df_status openai_caption(df_engine *e, const df_caption_request *request, df_arena *arena, df_caption *out,
                                df_error *err)
{
    openai *o = (openai *)e;
    df_str body = {0};
    df_status status = df_openai_request_append(&o->config, request, &body, err);
    df_caption got = {.model = "", .finish = "", .prompt_tokens = -1, .completion_tokens = -1};
    df_answer_kind kind = DF_ANSWER_AGAIN;
    while (status == DF_OK && kind == DF_ANSWER_AGAIN && got.attempts <= o->config.retries) {
        int64_t retry_after_s;
        kind = try_once(o, &body, arena, &got, &retry_after_s);
        got.attempts++;
        bool again = kind == DF_ANSWER_AGAIN && got.attempts <= o->config.retries;
        if (again && !wait_ms(o, pause_ms(request->key, got.attempts, retry_after_s)))
            status = DF_STOPPED;
    }
    df_str_free(&body);
    if (o->config.stop && atomic_load(o->config.stop) && kind != DF_ANSWER_DONE && kind != DF_ANSWER_RECORD)
        status = DF_STOPPED;
    if (status == DF_STOPPED)
        return df_fail(err, DF_STOPPED, "stopped");
    DF_TRY(status);
    if (kind == DF_ANSWER_AGAIN || kind == DF_ANSWER_STOP)
        return df_fail(err, DF_REMOTE, "%s: %.200s (%lld attempts); finished captions are kept, run again to go on",
                       o->url, got.error, (long long)got.attempts);
    *out = got;
    return DF_OK;
}

const df_engine_ops df_engine_openai = {
    .name = "openai", .summary = "an OpenAI-compatible server: SGLang, vLLM, llama.cpp, OpenAI",
    .needs_pixels = true, .remote = true,
    .open = openai_open, .caption = openai_caption, .close = openai_close,
};
