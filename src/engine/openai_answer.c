#include "engine/openai_answer.h"

#include <string.h>

#define CAPTION_BYTES_MAX ((size_t)64 << 10)
enum { WORDS_MAX = 300 };

/* The server's own words: error.message, error, message, or the body; cleaned and cut. */
static const char *server_words(long code, const df_json *root, const char *body, size_t size, df_arena *arena)
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

/* False: this is no chat answer. */
static bool read_caption(const df_json *root, df_arena *arena, df_caption *out)
{
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
    return content != NULL && out->model && out->finish;
}

df_answer_kind df_openai_answer_judge(long code, const df_json *root, const char *body, size_t size, df_arena *arena,
                                      df_caption *out)
{
    const bool good = code >= 200 && code < 300;
    if (good && read_caption(root, arena, out))
        return DF_ANSWER_DONE;
    out->error = server_words(code, root, body, size, arena);
    if (good || code == 408 || code == 409 || code == 429 || code >= 500)
        return DF_ANSWER_AGAIN;
    return code == 400 || code == 413 || code == 415 || code == 422 ? DF_ANSWER_RECORD : DF_ANSWER_STOP;
}

df_answer_kind df_openai_answer_read(long code, const char *body, size_t size, df_arena *arena, df_caption *out)
{
    df_json *root = NULL;
    if (df_json_parse(&root, body, size, "answer", NULL) != DF_OK)
        root = NULL;
    const df_answer_kind kind = df_openai_answer_judge(code, root, body, size, arena, out);
    df_json_close(root);
    return kind;
}
