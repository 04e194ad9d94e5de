#define _GNU_SOURCE                          /* strcasestr */
#include "engine/openai/answer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/openai/prices.h"

#define CAPTION_BYTES_MAX ((size_t)64 << 10)
enum { WORDS_MAX = 300 };

/* The server's own words: error.message, error, message, or the body; cleaned and cut. */
static const char *server_words(long code, const df_json *root, const char *body, size_t size,
                                df_arena *arena)
{
    const df_json *error = df_json_member(root, "error");
    const char *text = df_json_text(df_json_member(error, "message"));
    text = text ? text : df_json_text(error);
    text = text ? text : df_json_text(df_json_member(root, "message"));
    df_str words = {0};
    df_str_printf(&words, "HTTP %ld: ", code);
    df_str_append_clean(&words, text ? text : body, text ? strlen(text) : size, WORDS_MAX);
    const char *copy = df_arena_strdup(arena, df_str_text(&words));
    df_str_free(&words);
    return copy ? copy : "";
}

/* content is text, or a list of parts that have some. A reasoning model's thoughts are not the
 * caption. */
static bool read_content(const df_json *content, df_str *text)
{
    df_str raw = {0};
    for (size_t i = 0; i < df_json_count(content); i++) {
        const char *part = df_json_text(df_json_member(df_json_item(content, i), "text"));
        df_str_append(&raw, part ? part : "");
    }
    const char *whole = df_json_text(content);
    whole = whole ? whole : df_str_text(&raw);
    const char *thought = strstr(whole, "</think>");
    whole =
        thought && strncmp(whole + strspn(whole, " \r\n"), "<think>", 7) == 0 ? thought + 8 : whole;
    df_str_append_clean(text, whole, strlen(whole), CAPTION_BYTES_MAX);
    text->failed |= raw.failed;
    df_str_free(&raw);
    return !text->failed;
}

static const char *why_empty(const df_json *message, const char *finish, df_arena *arena)
{
    const char *refusal = df_json_text(df_json_member(message, "refusal"));
    if (strcmp(finish, "length") == 0)
        return "the answer was used up before a caption began: raise caption.max_tokens";
    if (!refusal)
        return "the server answered with an empty caption";
    df_str words = {0};
    df_str_append(&words, "refused: ");
    df_str_append_clean(&words, refusal, strlen(refusal), WORDS_MAX);
    const char *copy = df_arena_strdup(arena, df_str_text(&words));
    df_str_free(&words);
    return copy ? copy : "refused";
}

static const char *copy_member(const df_json *object, const char *key, df_arena *arena)
{
    const char *text = df_json_text(df_json_member(object, key));
    df_str clean = {0};
    if (text)
        df_str_append_clean(&clean, text, strlen(text), WORDS_MAX);
    text = df_arena_strdup(arena, df_str_text(&clean));
    df_str_free(&clean);
    return text ? text : "";
}

/* A count that cannot be right is none: what it cost is not known. */
static int64_t count_of(const df_json *object, const char *key, int64_t least)
{
    const int64_t n = df_json_int(df_json_member(object, key), -1);
    return df_tokens_credible(n, least) ? n : -1;
}

static void read_usage(const df_json *usage, df_caption *out)
{
    out->prompt_tokens = count_of(usage, "prompt_tokens", 1);
    out->completion_tokens = count_of(usage, "completion_tokens", out->text ? 1 : 0);
    out->cached_tokens =
        count_of(df_json_member(usage, "prompt_tokens_details"), "cached_tokens", 0);
    if (out->cached_tokens > out->prompt_tokens)
        out->cached_tokens = -1;
}

/* False: this is no chat answer. What counts tokens was paid for, whatever it says. */
static bool read_caption(const df_json *root, df_arena *arena, df_caption *out)
{
    const df_json *choice = df_json_item(df_json_member(root, "choices"), 0);
    const df_json *message = df_json_member(choice, "message"),
                  *content = df_json_member(message, "content");
    const df_json *usage = df_json_member(root, "usage");
    const df_json_type kind = df_json_kind(content);
    if (!message || (kind != DF_JSON_TEXT && kind != DF_JSON_LIST && !usage))
        return false;
    df_str text = {0};
    const bool read = read_content(content, &text);
    out->text = text.size > 0 ? df_arena_strdup(arena, df_str_text(&text)) : NULL;
    df_str_free(&text);
    out->model = copy_member(root, "model", arena);
    out->finish = copy_member(choice, "finish_reason", arena);
    out->error = out->text ? NULL : why_empty(message, out->finish, arena);
    read_usage(usage, out);
    return read;
}

static bool says(const char *words, const char *const *phrases)
{
    for (; *phrases; phrases++)
        if (strcasestr(words, *phrases))
            return true;
    return false;
}

/* As OpenAI, vLLM, SGLang, llama.cpp and those who speak like them put it. */
static const char *const too_long[] = {
    "context length",      "context_length_exceeded", "context size",
    "exceed_context_size", "context window",          "maximum model length",
    "max_model_len",       "prompt is too long",      NULL};
static const char *const no_model[] = {"model_not_found", "is not a valid model", NULL};
static const char *const no_money[] = {"insufficient_quota", "exceeded your current quota", NULL};

/* error.code and error.type are words too. */
static bool error_says(const df_json *root, const char *words, const char *const *phrases)
{
    const df_json *error = df_json_member(root, "error");
    const char *code = df_json_text(df_json_member(error, "code")),
               *type = df_json_text(df_json_member(error, "type"));
    return says(words, phrases) || says(code ? code : "", phrases) ||
           says(type ? type : "", phrases);
}

df_answer_kind df_openai_answer_judge(long code, const df_json *root, const char *body, size_t size,
                                      df_arena *arena, df_caption *out)
{
    if (code >= 200 && code < 300 && read_caption(root, arena, out))
        return DF_ANSWER_DONE;
    out->error = server_words(code, root, body, size, arena);
    if (code >= 400 && code != 429 && code <= 500 && error_says(root, out->error, too_long))
        return DF_ANSWER_TOO_LONG;
    if (code == 404 || (code == 400 && error_says(root, out->error, no_model)))
        return DF_ANSWER_NO_MODEL;
    if (code == 429)
        return error_says(root, out->error, no_money) ? DF_ANSWER_STOP : DF_ANSWER_BUSY;
    if ((code >= 502 && code <= 504) || code == 529)
        return DF_ANSWER_BUSY;
    /* we follow no redirect with a key in hand: the address is not the right one */
    if (code >= 300 && code < 400)
        return DF_ANSWER_STOP;
    if (code < 400 || code == 408 || code == 409 || code >= 500)
        return DF_ANSWER_AGAIN;
    return code == 401 || code == 402 || code == 403 || code == 405 || code == 407 || code == 410
               ? DF_ANSWER_STOP
               : DF_ANSWER_RECORD;
}

/* ---- from bytes ---- */

/* The code unit of "\uXXXX" at text, which has n bytes; -1: it is none. */
static int unit_at(const char *text, size_t n)
{
    char hex[5] = "", *end;
    if (n < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    memcpy(hex, text + 2, 4);
    const long unit = strspn(hex, "0123456789abcdefABCDEF") == 4 ? strtol(hex, &end, 16) : -1;
    return (int)unit;
}

/* Half of a pair, as where an answer was cut within an emoji, and a zero byte become U+FFFD. */
static void mend_escapes(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int unit = unit_at(text + i, n - i),
                  next = unit >= 0 ? unit_at(text + i + 6, n - i - 6) : -1;
        if (text[i] == '\\' && unit < 0) {
            i++;                             /* another escape: \\u is none of ours */
        } else if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
            i += 11;
        } else if (unit == 0 || (unit >= 0xD800 && unit < 0xE000)) {
            memcpy(text + i + 2, "fffd", 4);
            i += 5;
        }
    }
}

/* Bytes that no JSON may hold (zero bytes, control characters, bad UTF-8) become
 * blanks and U+FFFD. */
static df_status parse_mended(df_json **out, const char *bytes, size_t size)
{
    df_str text = {0};
    df_str_append_clean(&text, bytes, size, 3 * size + 1);
    if (text.data)
        mend_escapes(text.data, text.size);
    df_status status =
        text.failed ? DF_NOMEM : df_json_parse(out, df_str_text(&text), text.size, "answer", NULL);
    df_str_free(&text);
    return status;
}

df_status df_openai_answer_parse(df_json **out, const char *bytes, size_t size)
{
    df_status status = df_json_parse(out, bytes, size, "answer", NULL);
    return status == DF_FORMAT ? parse_mended(out, bytes, size) : status;
}

df_answer_kind df_openai_answer_read(long code, const char *body, size_t size, df_arena *arena,
                                     df_caption *out)
{
    df_json *root = NULL;
    if (df_openai_answer_parse(&root, body, size) != DF_OK)
        root = NULL;
    const df_answer_kind kind = df_openai_answer_judge(code, root, body, size, arena, out);
    df_json_close(root);
    return kind;
}
