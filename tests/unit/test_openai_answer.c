/* What a server's answer means for the record and for the run, in the words that servers use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "engine/openai/answer.h"
#include "engine/openai/request.h"

typedef struct {
    const char *name;
    long code;
    const char *body;
    df_answer_kind kind;
    const char *text, *error;
} answer_case;

static const answer_case cases[] = {
    {"good", 200, "{\"choices\":[{\"message\":{\"content\":\"A dog.\"}}]}", DF_ANSWER_DONE,
     "A dog.", NULL},
    {"parts", 200,
     "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"A "
     "\"},{\"text\":\"dog.\"}]}}]}",
     DF_ANSWER_DONE, "A dog.", NULL},
    {"thoughts", 200,
     "{\"choices\":[{\"message\":{\"content\":\"<think>is it a cat?</think>\\n\\nA dog.\"}}]}",
     DF_ANSWER_DONE, "A dog.", NULL},
    {"no thoughts", 200,
     "{\"choices\":[{\"message\":{\"content\":\"A sign says </think> here.\"}}]}", DF_ANSWER_DONE,
     "A sign says </think> here.", NULL},
    {"empty", 200, "{\"choices\":[{\"message\":{\"content\":\" \"}}]}", DF_ANSWER_DONE, NULL,
     "empty caption"},
    {"paid, null", 200,
     "{\"choices\":[{\"finish_reason\":\"length\",\"message\":{\"content\":null}}],\"usage\":{"
     "\"prompt_tokens\":9,\"completion_tokens\":4}}",
     DF_ANSWER_DONE, NULL, "raise caption.max_tokens"},
    {"refusal", 200,
     "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I can't.\"}}],\"usage\":{}}",
     DF_ANSWER_DONE, NULL, "refused: I can't."},
    {"null, unpaid", 200, "{\"choices\":[{\"message\":{\"content\":null}}]}", DF_ANSWER_AGAIN, NULL,
     "HTTP 200"},
    {"half a pair", 200, "{\"choices\":[{\"message\":{\"content\":\"A dog \\ud83d\"}}]}",
     DF_ANSWER_DONE, "A dog \xEF\xBF\xBD", NULL},
    {"the other half", 200, "{\"choices\":[{\"message\":{\"content\":\"A \\uDC15 dog\"}}]}",
     DF_ANSWER_DONE, "A \xEF\xBF\xBD dog", NULL},
    {"halves apart, a pair", 200,
     "{\"choices\":[{\"message\":{\"content\":\"\\ud83d\\ud83d\\udc15 \\\\ud83d\"}}]}",
     DF_ANSWER_DONE, "\xEF\xBF\xBD\xF0\x9F\x90\x95 \\ud83d", NULL},
    {"zero byte", 200, "{\"choices\":[{\"message\":{\"content\":\"A dog\\u0000 barks.\"}}]}",
     DF_ANSWER_DONE, "A dog\xEF\xBF\xBD barks.", NULL},
    {"bare control, bad UTF-8", 200,
     "{\"choices\":[{\"message\":{\"content\":\"A\001 d\xC3g.\"}}]}", DF_ANSWER_DONE,
     "A d\xEF\xBF\xBDg.", NULL},
    {"cut in an escape", 200, "{\"choices\":[{\"message\":{\"content\":\"A dog \\ud8",
     DF_ANSWER_AGAIN, NULL, "HTTP 200"},
    {"no choices", 200, "{\"choices\":[]}", DF_ANSWER_AGAIN, NULL, "HTTP 200"},
    {"no JSON", 200, "<html>It works!</html>", DF_ANSWER_AGAIN, NULL, "It works!"},
    {"other shapes", 200, "[{\"choices\":3}]", DF_ANSWER_AGAIN, NULL, "HTTP 200"},
    {"redirect", 302, "", DF_ANSWER_STOP, NULL, "HTTP 302"},
    {"timeout", 408, "", DF_ANSWER_AGAIN, NULL, "HTTP 408"},
    {"conflict", 409, "", DF_ANSWER_AGAIN, NULL, "HTTP 409"},
    {"rate", 429, "{\"error\":{\"message\":\"slow down\"}}", DF_ANSWER_BUSY, NULL,
     "HTTP 429: slow down"},
    {"quota", 429, "{\"error\":{\"message\":\"No more.\",\"code\":\"insufficient_quota\"}}",
     DF_ANSWER_STOP, NULL, "No more."},
    {"crash", 500, "{\"error\":\"boom\"}", DF_ANSWER_AGAIN, NULL, "boom"},
    {"loading", 503, "{\"error\":{\"message\":\"Loading model\"}}", DF_ANSWER_BUSY, NULL,
     "Loading model"},
    {"gateway", 502, "<html>", DF_ANSWER_BUSY, NULL, "HTTP 502"},
    {"key", 401, "{\"error\":{\"message\":\"Incorrect API key provided\"}}", DF_ANSWER_STOP, NULL,
     "Incorrect API key"},
    {"vLLM model", 404, "{\"object\":\"error\",\"message\":\"The model `x` does not exist.\"}",
     DF_ANSWER_NO_MODEL, NULL, "does not exist"},
    {"gateway's model", 400, "{\"error\":{\"message\":\"x is not a valid model ID\"}}",
     DF_ANSWER_NO_MODEL, NULL, "valid model"},
    {"record", 400, "{\"error\":{\"message\":\"bad image\"}}", DF_ANSWER_RECORD, NULL,
     "HTTP 400: bad image"},
    {"large", 413, "", DF_ANSWER_RECORD, NULL, "HTTP 413"},
    {"OpenAI context", 400,
     "{\"error\":{\"message\":\"Too long.\",\"code\":\"context_length_exceeded\"}}",
     DF_ANSWER_TOO_LONG, NULL, "Too long."},
    {"vLLM context", 400,
     "{\"error\":{\"message\":\"This model's maximum context length is 4096 "
     "tokens.\",\"code\":400}}",
     DF_ANSWER_TOO_LONG, NULL, "4096"},
    {"vLLM decoder", 400,
     "{\"message\":\"The decoder prompt (length 5000) is longer than the maximum model length of "
     "4096.\"}",
     DF_ANSWER_TOO_LONG, NULL, "5000"},
    {"SGLang context", 400,
     "{\"error\":{\"message\":\"The input (900 tokens) is longer than the model's context length "
     "(512 tokens).\"}}",
     DF_ANSWER_TOO_LONG, NULL, "900"},
    {"llama.cpp context", 400,
     "{\"error\":{\"code\":400,\"message\":\"request (900 tokens) exceeds the available context "
     "size (512 tokens), try increasing it\","
     "\"type\":\"exceed_context_size_error\"}}",
     DF_ANSWER_TOO_LONG, NULL, "900"},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const answer_case *c = &cases[i];
        df_arena arena = {0};
        df_caption got = {.prompt_tokens = -1};
        const df_answer_kind kind =
            df_openai_answer_read(c->code, c->body, strlen(c->body), &arena, &got);
        if (kind != c->kind)
            fail_msg("%s: %d, not %d", c->name, (int)kind, (int)c->kind);
        if (c->text ? !got.text || strcmp(got.text, c->text) != 0 : got.text != NULL)
            fail_msg("%s: \"%s\"", c->name, got.text ? got.text : "(none)");
        if (c->error ? !got.error || !strstr(got.error, c->error) : got.error != NULL)
            fail_msg("%s: error \"%s\"", c->name, got.error ? got.error : "(none)");
        df_arena_reset(&arena);
    }
}

static void test_usage(void **state)
{
    (void)state;
    static const char body[] = "{\"model\":\"m\",\"choices\":[{\"finish_reason\":\"length\","
                               "\"message\":{\"content\":\"A\"}}],"
                               "\"usage\":{\"prompt_tokens\":700,\"completion_tokens\":21,\"prompt_"
                               "tokens_details\":{\"cached_tokens\":512}}}";
    df_arena arena = {0};
    df_caption got = {0};
    assert_int_equal(df_openai_answer_read(200, body, sizeof body - 1, &arena, &got),
                     DF_ANSWER_DONE);
    assert_int_equal(got.prompt_tokens, 700);
    assert_int_equal(got.completion_tokens, 21);
    assert_int_equal(got.cached_tokens, 512);
    assert_string_equal(got.finish, "length");
    assert_string_equal(got.model, "m");
    df_arena_reset(&arena);
}

/* A count that cannot be right is none. */
static void test_usage_that_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *usage;
        int64_t prompt, completion, cached;
    } counts[] = {{"null", -1, -1, -1},
                  {"[]", -1, -1, -1},
                  {"{\"prompt_tokens\":-5,\"completion_tokens\":-9}", -1, -1, -1},
                  {"{\"prompt_tokens\":1e15,\"completion_tokens\":1e300}", -1, -1, -1},
                  {"{\"prompt_tokens\":0,\"completion_tokens\":0}", -1, -1, -1},
                  {"{\"prompt_tokens\":\"7\",\"completion_tokens\":2.5}", -1, -1, -1},
                  {"{\"completion_tokens\":3}", -1, 3, -1},
                  {"{\"prompt_tokens\":7,\"completion_tokens\":3,\"prompt_tokens_details\":{"
                   "\"cached_tokens\":8}}",
                   7, 3, -1},
                  {"{\"prompt_tokens\":7,\"completion_tokens\":3,\"prompt_tokens_details\":{"
                   "\"cached_tokens\":7}}",
                   7, 3, 7}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char body[400];
        df_arena arena = {0};
        df_caption got = {0};
        snprintf(body, sizeof body,
                 "{\"choices\":[{\"message\":{\"content\":\"A\"}}],\"usage\":%s}", counts[i].usage);
        assert_int_equal(df_openai_answer_read(200, body, strlen(body), &arena, &got),
                         DF_ANSWER_DONE);
        if (got.prompt_tokens != counts[i].prompt ||
            got.completion_tokens != counts[i].completion || got.cached_tokens != counts[i].cached)
            fail_msg("%s", counts[i].usage);
        df_arena_reset(&arena);
    }
}

/* ---- the request ---- */

static df_json *body_of(const df_engine_config *config, const char *extra,
                        const df_caption_request *request)
{
    df_str body = {0};
    df_json *root = NULL;
    df_error err = {""};
    assert_int_equal(df_openai_request_append(config, extra, request, &body, &err), DF_OK);
    if (df_json_parse(&root, df_str_text(&body), body.size, "body", &err) != DF_OK)
        fail_msg("%s: %s", err.message, df_str_text(&body));
    df_str_free(&body);
    return root;
}

static void test_image_is_base64(void **state)
{
    (void)state;
    static const char *const want[] = {"TQ==", "TWE=", "TWFu", "TWFuTQ=="};
    static const uint8_t bytes[] = {'M', 'a', 'n', 'M'};
    for (size_t n = 1; n <= sizeof bytes; n++) {
        df_caption_request request = {.prompt = "p", .jpeg = bytes, .jpeg_size = n};
        df_json *root = body_of(&(df_engine_config){.max_tokens = 5}, NULL, &request);
        const df_json *content =
            df_json_member(df_json_item(df_json_member(root, "messages"), 0), "content");
        assert_string_equal(df_json_text(df_json_member(df_json_item(content, 0), "text")), "p");
        const char *url = df_json_text(
            df_json_member(df_json_member(df_json_item(content, 1), "image_url"), "url"));
        assert_string_equal(url + strlen("data:image/jpeg;base64,"), want[n - 1]);
        df_json_close(root);
    }
}

static void test_options(void **state)
{
    (void)state;
    const df_caption_request request = {.prompt = "p"};
    df_json *plain =
        body_of(&(df_engine_config){.max_tokens = 5, .temperature = 0.5, .top_p = 1}, "", &request);
    assert_null(df_json_member(plain, "top_p"));
    assert_null(df_json_member(plain, "top_k"));
    assert_null(df_json_member(plain, "stop"));
    df_json_close(plain);
    df_json *full = body_of(
        &(df_engine_config){
            .max_tokens = 5, .top_p = 0.9, .top_k = 40, .stop_text = "\n\n", .seed = 7},
        "{\"max_tokens\":null,\"max_completion_tokens\":9,\"seed\":8,\"a\":{\"b\":[1]}}", &request);
    assert_null(df_json_member(full, "max_tokens"));
    assert_int_equal(df_json_int(df_json_member(full, "max_completion_tokens"), 0), 9);
    assert_int_equal(df_json_int(df_json_member(full, "seed"), 0), 8);
    assert_int_equal(df_json_int(df_json_member(full, "top_k"), 0), 40);
    assert_true(df_json_real(df_json_member(full, "top_p"), 0) > 0.89);
    assert_string_equal(df_json_text(df_json_item(df_json_member(full, "stop"), 0)), "\n\n");
    assert_int_equal(
        df_json_int(df_json_item(df_json_member(df_json_member(full, "a"), "b"), 0), 0), 1);
    df_json_close(full);
}

static void test_extra_is_checked(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{\"messages\":[]}", "{\"stream\":true}", "[1]", "{",
                                        "{\"model\":\"x\"}"};
    df_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        err.message[0] = '\0';
        assert_true(df_openai_request_check(wrong[i], &err) != DF_OK);
        assert_non_null(strstr(err.message, "caption.openai.extra"));
    }
    assert_int_equal(df_openai_request_check("{\"min_p\":0.1}", &err), DF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_usage_that_is_none),
        cmocka_unit_test(test_image_is_base64),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_extra_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
