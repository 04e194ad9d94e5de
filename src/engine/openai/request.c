#include "engine/openai/request.h"

#include <string.h>

#include "io/json.h"

/* What our reading of the answers, the journal and the key rely on. */
static const char *const ours[] = {"messages", "model", "stream", "n", NULL};

df_status df_openai_request_check(const char *text, df_error *err)
{
    if (!text || !*text)
        return DF_OK;
    df_json *extra = NULL;
    if (df_json_parse(&extra, text, strlen(text), "caption.openai.extra", NULL) != DF_OK)
        /* jansson's words would repeat what is there, a key perhaps */
        extra = NULL;
    df_status status = df_json_kind(extra) == DF_JSON_OBJECT
                           ? DF_OK
                           : df_fail(err, DF_CONFIG,
                                     "caption.openai.extra: must be a JSON object, such as "
                                     "{\"repetition_penalty\": 1.05}");
    for (int i = 0; status == DF_OK && ours[i]; i++)
        if (df_json_member(extra, ours[i]))
            status = df_fail(err, DF_CONFIG, "caption.openai.extra: \"%s\" is not for it to set",
                             ours[i]);
    df_json_close(extra);
    return status;
}

/* Three bytes are four digits, a block at a time. */
static void append_base64(df_str *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char block[4096];
    size_t n = 0, i = 0;
    for (; i + 3 <= size; i += 3) {
        const uint32_t v = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        block[n] = digits[v >> 18];
        block[n + 1] = digits[v >> 12 & 63];
        block[n + 2] = digits[v >> 6 & 63];
        block[n + 3] = digits[v & 63];
        n += 4;
        if (n == sizeof block) {
            df_str_append_n(out, block, n);
            n = 0;
        }
    }
    df_str_append_n(out, block, n);
    if (i < size) {
        const uint32_t v =
            (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0);
        const char last[4] = {digits[v >> 18], digits[v >> 12 & 63],
                              i + 1 < size ? digits[v >> 6 & 63] : '=', '='};
        df_str_append_n(out, last, sizeof last);
    }
}

/* The start of a member that extra does not have; false: extra has it. */
static bool member(df_str *body, const df_json *extra, const char *key)
{
    if (df_json_member(extra, key))
        return false;
    df_str_printf(body, ",\"%s\":", key);
    return true;
}

static void append_whole(df_str *body, const df_json *extra, const char *key, int64_t value)
{
    if (member(body, extra, key))
        df_str_printf(body, "%lld", (long long)value);
}

static void append_real(df_str *body, const df_json *extra, const char *key, double value)
{
    if (member(body, extra, key))
        df_json_append_real(body, value);
}

/* Appends the options of the request; `extra` adds members, replaces them, or leaves them out
 * where it says null. */
static void append_options(const df_engine_config *config, const df_json *extra, df_str *body)
{
    append_whole(body, extra, "max_tokens", config->max_tokens);
    append_whole(body, extra, "seed", config->seed);
    append_real(body, extra, "temperature", config->temperature);
    if (config->top_p < 1)
        append_real(body, extra, "top_p", config->top_p);
    if (config->top_k > 0)
        append_whole(body, extra, "top_k", config->top_k);
    if (config->stop_text && *config->stop_text && member(body, extra, "stop")) {
        df_str_append(body, "[");
        df_json_append_text(body, config->stop_text);
        df_str_append(body, "]");
    }
    void *iter = NULL;
    const char *key;
    for (const df_json *v; (v = df_json_next(extra, &iter, &key));) {
        if (df_json_kind(v) == DF_JSON_NULL)
            continue;
        df_str_append(body, ",");
        df_json_append_text(body, key);
        df_str_append(body, ":");
        df_json_append(body, v);
    }
}

static void append_turn(const df_turn *turn, df_str *body)
{
    df_str_append(body, ",{\"role\":\"assistant\",\"content\":");
    df_json_append_text(body, turn->answer);
    df_str_append(body, "},{\"role\":\"user\",\"content\":");
    df_json_append_text(body, turn->reply);
    df_str_append(body, "}");
}

df_status df_openai_request_append(const df_engine_config *config, const char *extra_text,
                                   const df_caption_request *request, df_str *body, df_error *err)
{
    df_json *extra = NULL;
    if (extra_text && *extra_text)
        DF_TRY(df_json_parse(&extra, extra_text, strlen(extra_text), "caption.openai.extra", err));
    df_str_append(body, "{\"model\":");
    df_json_append_text(body, config->model && *config->model ? config->model : "default");
    append_options(config, extra, body);
    df_json_close(extra);
    df_str_append(body,
                  ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":");
    df_json_append_text(body, request->prompt);
    df_str_append(body, "}");
    if (request->jpeg) {
        df_str_append(body,
                      ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,");
        append_base64(body, request->jpeg, request->jpeg_size);
        df_str_append(body, "\"}}");
    }
    df_str_append(body, "]}");
    for (int i = 0; i < request->n_turns; i++)
        append_turn(&request->turns[i], body);
    df_str_append(body, "]}");
    return body->failed ? df_no_memory(err, "write a request") : DF_OK;
}
