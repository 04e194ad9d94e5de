/* English prose cut into sentences and tokens, and counted. */
#ifndef DF_LANGUAGE_PROSE_H
#define DF_LANGUAGE_PROSE_H
#include <stddef.h>
#include <stdint.h>
#include "language/pos_tag.h"

/* Words are what stands between spaces and holds a letter or digit; characters are code points,
 * spaces included; the shares of parts of speech are over tokens, punctuation included (as in the
 * paper's Table 1, as far as it says). */
typedef struct {
    int64_t characters, words, sentences, tokens, pos[DF_POS_COUNT];
} df_prose_count;

typedef struct {
    df_pos_token *tokens;
    size_t capacity;
} df_prose_space; /* reused from text to text; free(tokens) at the end */
/* Adds to *count. tagger NULL: pos is left alone. text is UTF-8. */
df_status df_prose_measure(const df_pos_tagger *tagger, const char *text, df_prose_space *space,
                           df_prose_count *count, df_error *err);
/* The next sentence of *at as tokens into space; *n is 0 at the end. *words grows by its words. */
df_status df_prose_sentence(const char **at, df_prose_space *space, size_t *n, int64_t *words,
                            df_error *err);
#endif
