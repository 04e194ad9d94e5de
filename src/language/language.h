/* Two signs that a server writes nonsense: the text is not English, or it repeats itself. */
#ifndef DF_LANGUAGE_LANGUAGE_H
#define DF_LANGUAGE_LANGUAGE_H
#include "language/words.h"

/* Judges by script and by function words, without the words in quotes. A text with too few words
 * counts as English. own: the text with its quotes blanked. */
bool df_text_is_english(const char *own, const df_word *words, int n);
/* A phrase that is repeated without a pause at least three times (a single word: four times): its
 * first word, its number of words, how often it is said. A word of more than 60 bytes counts, too
 * (once). Returns false when there is none. */
typedef struct {
    int from, words, times;
} df_loop;
bool df_words_loop(const df_word *words, int n, df_loop *out);
#endif
