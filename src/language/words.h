/* The words of a text, for everything that counts, compares or forbids them. */
#ifndef DF_LANGUAGE_WORDS_H
#define DF_LANGUAGE_WORDS_H
#include <stdbool.h>
#include "base/arena.h"

/* What stands between words; isspace() depends on the locale. */
static inline bool df_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A word of a text: where it is, and the same in lower case without the punctuation around it. */
typedef struct {
    int from, to;
    const char *text;
    bool quoted;
} df_word;
/* NULL when out of memory, or when the text is longer than INT_MAX / 2. */
df_word *df_words_of(const char *text, df_arena *arena, int *n);
#endif
