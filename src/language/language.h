/* Is a text English, and does it run in a circle? What a server does when it is tired: other
 * languages, and loops. */
#ifndef DF_LANGUAGE_LANGUAGE_H
#define DF_LANGUAGE_LANGUAGE_H
#include "language/words.h"

/* By script and by function words, of the words that are not quoted: too few of them are taken for
 * English. own: the text with its quotes blanked. */
bool df_text_is_english(const char *own, const df_word *words, int n);
/* A run of words that is said at least three times without a pause (a single word: four times):
 * from, its words, and how often. Also a word of more than 60 bytes (once). False: none. */
typedef struct {
    int from, words, times;
} df_loop;
bool df_words_loop(const df_word *words, int n, df_loop *out);
#endif
