/* How the caption grows: sentence by sentence, as long as there are words left. */
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "engine/compose/compose.h"
#include "language/english.h"

int compose_pick(const composer *c, int what, int n)
{
    uint64_t key[2] = {c->seed, (uint64_t)what};
    return (int)(df_hash_64(key, sizeof key) % (uint64_t)n);
}

void compose_put(composer *c, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = n < 0 ? NULL : df_arena_alloc(c->arena, (size_t)n + 1, 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    if (text)
        df_str_append(&c->now, text);
    else
        c->now.failed = true;
}

int compose_words_left(const composer *c)
{
    return COMPOSE_WORDS - c->words;
}

bool compose_say(composer *c, compose_slot slot)
{
    int words = df_words_count(df_str_text(&c->now));
    bool fits = words > 0 && c->words + words <= COMPOSE_WORDS &&
                c->bytes + c->now.size + 2 <= COMPOSE_BYTES;
    if (fits) {
        df_str *s = &c->slots[slot];
        if (s->size)
            df_str_append(s, " ");
        size_t from = s->size;
        df_str_append(s, df_str_text(&c->now));
        df_str_append(s, ".");
        df_sentence_case(s, from);
        c->words += words;
        c->bytes += c->now.size + 2;
        if (c->now.failed)
            s->failed = true;
    }
    df_str_clear(&c->now);
    return fits;
}
