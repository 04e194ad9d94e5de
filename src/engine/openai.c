/* The `openai` engine: one OpenAI-compatible chat server (SGLang, vLLM, llama.cpp, OpenAI), the image as a JPEG data URI.
 * What may pass (408, 409, 429, 5xx, a broken connection, an answer that is no answer) is tried again with growing
 * pauses; what is wrong with one record is that record's error; what is wrong with every record stops the stage. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "io/http.h"
#include "io/json.h"

#define ANSWER_BYTES_MAX ((size_t)8 << 20)
#define CAPTION_BYTES_MAX ((size_t)64 << 10)
enum { CLIENTS_MAX = 256, PAUSE_MAX_MS = 60000, WORDS_MAX = 300 };

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

/* ---- the request ---- */

static void append_base64(df_str *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t v = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (n > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '='};
        df_str_append_n(out, four, sizeof four);
    }
}

static df_status append_image(const openai *o, const df_image *image, df_str *body, df_error *err)
{
    df_image small = {0};
    int side = (int)o->config.image_side, longer = image->width > image->height ? image->width : image->height;
    if (longer > side) {
        int w = image->width * side / longer, h = image->height * side / longer;
        DF_TRY(df_image_resize(image, w > 0 ? w : 1, h > 0 ? h : 1, &small, err));
    }
    uint8_t *jpeg = NULL;
    size_t size = 0;
    df_status status = df_image_encode_jpeg(small.rgb ? &small : image, (int)o->config.image_quality, &jpeg, &size, err);
    df_image_free(&small);
    if (status != DF_OK)
        return status;
    df_str_append(body, ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,");
    append_base64(body, jpeg, size);
    df_str_append(body, "\"}}");
    free(jpeg);
    return DF_OK;
}

static df_status write_body(const openai *o, const df_caption_request *request, df_str *body, df_error *err)
{
    df_str_append(body, "{\"model\":");
    df_json_append_text(body, o->config.model && *o->config.model ? o->config.model : "default");
    df_str_printf(body, ",\"max_tokens\":%lld,\"seed\":%lld,\"temperature\":", (long long)o->config.max_tokens,
                  (long long)o->config.seed);
    df_json_append_real(body, o->config.temperature);
    df_str_append(body, ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":");
    df_json_append_text(body, request->prompt);
    df_str_append(body, "}");
    if (request->image)
        DF_TRY(append_image(o, request->image, body, err));
    df_str_append(body, "]}]}");
    return body->failed ? df_fail(err, DF_NOMEM, "write a request: out of memory") : DF_OK;
}

/* ---- the answer ---- */

typedef enum { VERDICT_DONE, VERDICT_RECORD, VERDICT_AGAIN, VERDICT_STOP } verdict;

/* The server's own words: error.message, error, message, or the body; cleaned and cut. */
static const char *server_words(const df_http_answer *answer, df_arena *arena)
{
    df_json *root = NULL;
    const char *text = NULL;
    if (df_json_parse(&root, answer->body, answer->size, "answer", NULL) == DF_OK) {
        const df_json *error = df_json_member(root, "error");
        text = df_json_text(df_json_member(error, "message"));
        text = text ? text : df_json_text(error);
        text = text ? text : df_json_text(df_json_member(root, "message"));
    }
    df_str words = {0};
    df_str_printf(&words, "HTTP %ld: ", answer->code);
    df_str_append_clean(&words, text ? text : answer->body, text ? strlen(text) : answer->size, WORDS_MAX);
    const char *copy = df_arena_strdup(arena, df_str_text(&words));
    df_str_free(&words);
    df_json_close(root);
    return copy ? copy : "";
}

static bool read_caption(const df_http_answer *answer, df_arena *arena, df_caption *out)
{
    df_json *root = NULL;
    if (df_json_parse(&root, answer->body, answer->size, "answer", NULL) != DF_OK)
        return false;
    const df_json *choice = df_json_item(df_json_member(root, "choices"), 0);
    const df_json *usage = df_json_member(root, "usage");
    const char *content = df_json_text(df_json_member(df_json_member(choice, "message"), "content"));
    const char *model = df_json_text(df_json_member(root, "model"));
    const char *finish = df_json_text(df_json_member(choice, "finish_reason"));
    df_str text = {0};
    if (content)
        df_str_append_clean(&text, content, strlen(content), CAPTION_BYTES_MAX);
    out->text = text.size > 0 ? df_arena_strdup(arena, df_str_text(&text)) : NULL;
    out->error = content && !out->text ? "the server answered with an empty caption" : NULL;
    out->model = df_arena_strdup(arena, model ? model : "");
    out->finish = df_arena_strdup(arena, finish ? finish : "");
    out->prompt_tokens = df_json_int(df_json_member(usage, "prompt_tokens"), -1);
    out->completion_tokens = df_json_int(df_json_member(usage, "completion_tokens"), -1);
    df_str_free(&text);
    df_json_close(root);
    return content != NULL && out->model && out->finish;
}

static verdict judge(const df_http_answer *answer, df_arena *arena, df_caption *out)
{
    long code = answer->code;
    if (code >= 200 && code < 300) {
        if (read_caption(answer, arena, out))
            return VERDICT_DONE;
        out->error = server_words(answer, arena);
        return VERDICT_AGAIN;
    }
    out->error = server_words(answer, arena);
    if (code == 408 || code == 409 || code == 429 || code >= 500)
        return VERDICT_AGAIN;
    return code == 400 || code == 413 || code == 415 || code == 422 ? VERDICT_RECORD : VERDICT_STOP;
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

static verdict try_once(openai *o, const df_str *body, df_arena *arena, df_caption *out, int64_t *retry_after_s)
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
        return status == DF_REMOTE ? VERDICT_AGAIN : VERDICT_STOP;
    }
    *retry_after_s = answer.retry_after_s;
    verdict v = judge(&answer, arena, out);
    free(answer.body);
    return v;
}

static df_status openai_caption(df_engine *e, const df_caption_request *request, df_arena *arena, df_caption *out,
                                df_error *err)
{
    openai *o = (openai *)e;
    df_str body = {0};
    df_status status = write_body(o, request, &body, err);
    df_caption got = {.model = "", .finish = "", .prompt_tokens = -1, .completion_tokens = -1};
    verdict v = VERDICT_AGAIN;
    while (status == DF_OK && v == VERDICT_AGAIN && got.attempts <= o->config.retries) {
        int64_t retry_after_s;
        v = try_once(o, &body, arena, &got, &retry_after_s);
        got.attempts++;
        bool again = v == VERDICT_AGAIN && got.attempts <= o->config.retries;
        if (again && !wait_ms(o, pause_ms(request->key, got.attempts, retry_after_s)))
            status = DF_STOPPED;
    }
    df_str_free(&body);
    if (o->config.stop && atomic_load(o->config.stop) && v != VERDICT_DONE && v != VERDICT_RECORD)
        status = DF_STOPPED;
    if (status == DF_STOPPED)
        return df_fail(err, DF_STOPPED, "stopped");
    DF_TRY(status);
    if (v == VERDICT_AGAIN || v == VERDICT_STOP)
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
