#include "stage/export/conversation.h"

#include <string.h>

#include "io/json.h"

static void append_unmarked(df_str *plain, const char *words)
{
    for (const char *mark; (mark = strstr(words, "<image>")) != NULL;
         words = mark + strlen("<image>")) {
        df_str_append_n(plain, words, (size_t)(mark - words));
        df_str_append(plain, "[image]");
    }
    df_str_append(plain, words);
}

static void append_turn(df_str *out, const char *from, const char *before, const char *words)
{
    df_str turn = {0};
    df_str_append(&turn, before);
    append_unmarked(&turn, words);
    df_str_printf(out, "{\"from\": \"%s\", \"value\": ", from);
    df_json_append_text(out, df_str_text(&turn));
    df_str_append(out, "}");
    out->failed |= turn.failed;
    df_str_free(&turn);
}

void df_conversation_append(df_str *out, const char *id, const char *image, const char *human,
                            const char *gpt)
{
    df_str_append(out, "{\"id\": ");
    df_json_append_text(out, id);
    df_str_append(out, ", \"image\": ");
    df_json_append_text(out, image);
    df_str_append(out, ", \"conversations\": [");
    append_turn(out, "human", "<image>\n", human);
    df_str_append(out, ", ");
    append_turn(out, "gpt", "", gpt);
    df_str_append(out, "]}");
}
