/* A chat server's answer is foreign: whatever it is, there is a caption or words why not, in valid
 * UTF-8 on one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "engine/openai/answer.h"

static void check(long code, const char *text, size_t size)
{
    df_arena arena = {0};
    df_caption got = {.prompt_tokens = -1, .completion_tokens = -1};
    const df_answer_kind kind = df_openai_answer_read(code, text, size, &arena, &got);
    if (!got.text == !got.error || (got.text && kind != DF_ANSWER_DONE))
        abort();
    const char *words = got.text ? got.text : got.error;
    if (!df_str_is_plain(words, strlen(words)))
        abort();
    df_arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    check(200, text, size);
    check(400, text, size);
    check(429, text, size);
    free(text);
    return 0;
}
