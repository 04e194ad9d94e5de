#include "stage/export/conversation.h"

#include <string.h>

#include "io/json_writer.h"

static void append_unmarked(df_str *plain, const char *words)
{
    for (const char *mark; (mark = strstr(words, "<image>")) != NULL;
         words = mark + strlen("<image>")) {
        df_str_append_n(plain, words, (size_t)(mark - words));
        df_str_append(plain, "[image]");
    }
    df_str_append(plain, words);
}

/* One turn of the conversation; before: what stands before the words, in which no mark may be. */
static void put_turn(df_json_writer *w, const char *from, const char *before, const char *words)
{
    df_str turn = {0};
    df_str_append(&turn, before);
    append_unmarked(&turn, words);
    df_json_begin_object(w, NULL);
    df_json_put_text(w, "from", from);
    df_json_put_text(w, "value", df_str_text(&turn));
    df_json_end(w);
    w->out->failed |= turn.failed;
    df_str_free(&turn);
}

void df_conversation_append(df_str *out, const char *id, const char *image, const char *human,
                            const char *gpt)
{
    df_json_writer w = {.out = out};
    df_json_begin_object(&w, NULL);
    df_json_put_text(&w, "id", id);
    df_json_put_text(&w, "image", image);
    df_json_begin_list(&w, "conversations");
    put_turn(&w, "human", "<image>\n", human);
    put_turn(&w, "gpt", "", gpt);
    df_json_end(&w);
    df_json_end(&w);
}
