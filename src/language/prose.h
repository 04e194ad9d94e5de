/* English prose cut into sentences and tokens, and counted. */
#ifndef DF_LANGUAGE_PROSE_H
#define DF_LANGUAGE_PROSE_H
#include <stddef.h>
#include <stdint.h>
#include "language/pos_tag.h"

/* A word is what stands between spaces and holds a letter or digit. Characters are code points,
 * spaces included. The shares of parts of speech are over tokens, punctuation included (as in the
 * paper's Table 1, as far as it says). */
typedef struct {
    int64_t characters, words, sentences, tokens, pos[DF_POS_COUNT];
} df_prose_count;

typedef struct {
    df_pos_token *tokens;
    size_t capacity;
} df_prose_space; /* reused from text to text; free(tokens) at the end */
/* Adds the counts of a text (UTF-8) to *count. tagger may be NULL; then pos is left alone. */
df_status df_prose_measure(const df_pos_tagger *tagger, const char *text, df_prose_space *space,
                           df_prose_count *count, df_error *err);
/* Cuts the next sentence of *at into tokens in space->tokens, which point into the text; *n is 0 at
 * the end. Its number of words is added to *words. */
df_status df_prose_sentence(const char **at, df_prose_space *space, size_t *n, int64_t *words,
                            df_error *err);
#endif
