/* Cuts a text into lower-case words. */
#include "language/words.h"

#include <limits.h>
#include <string.h>

#include "language/english.h"

df_word *df_words_of(const char *text, df_arena *arena, int *n)
{
    size_t size, length = strlen(text), most = 1;
    if (length > INT_MAX / 2)
        return NULL;
    for (size_t i = 1; i < length; i++)
        most += df_is_space(text[i - 1]) && !df_is_space(text[i]);
    df_word *words = df_arena_alloc(arena, most, sizeof *words);
    char *lower = df_arena_alloc(arena, length + most + 1, 1);
    if (!words || !lower)
        return NULL;
    *n = 0;
    for (const char *p = text, *word; (word = df_word_next(&p, &size)) != NULL;) {
        words[*n] = (df_word){(int)(word - text), (int)(word - text) + (int)size, lower, false};
        for (size_t i = 0; i < size; i++)
            *lower++ = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] + 32) : word[i];
        *lower++ = '\0';
        ++*n;
    }
    return words;
}
