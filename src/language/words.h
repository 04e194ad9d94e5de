/* The words of a text, for all code that counts, compares or forbids words. */
#ifndef DF_LANGUAGE_WORDS_H
#define DF_LANGUAGE_WORDS_H
#include <stdbool.h>
#include "base/arena.h"

/* Whether c separates words. isspace() would depend on the locale. */
static inline bool df_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A word: its bytes [from, to) in the text, and the same in lower case without the punctuation
 * around it. `quoted` is for the caller to set. */
typedef struct {
    int from, to;
    const char *text;
    bool quoted;
} df_word;
/* The words of a text, *n of them, in the arena. NULL when out of memory, or when the text is
 * longer than INT_MAX / 2. */
df_word *df_words_of(const char *text, df_arena *arena, int *n);
#endif
