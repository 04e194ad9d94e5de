/* The little English grammar that writing and checking captions need: plurals, articles, number
 * words, lists. Pure functions that do not depend on the locale. */
#ifndef DF_LANGUAGE_ENGLISH_H
#define DF_LANGUAGE_ENGLISH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"

/* "boat" -> "boats", "person" -> "people", "wine glass" -> "wine glasses", "sheep" -> "sheep". */
void df_plural_append(df_str *out, const char *noun);
/* Turns the last word of a lower-case noun back to singular, in place: "wine glasses" -> "wine
 * glass". */
void df_singular(char *noun);
/* "a" or "an" by sound: "an hour", "a uniform", "an X-ray". */
const char *df_article(const char *noun);
/* "no", "one" .. "twelve"; other numbers as digits, written into buffer. */
const char *df_number_word(int64_t n, char buffer[24]);
/* Makes the first letter (ASCII) of what was appended to s from byte `from` on upper case, past an
 * opening quote or bracket. */
void df_sentence_case(df_str *s, size_t from);
/* "a", "a and b", "a, b and c". */
void df_list_append(df_str *out, const char *const *items, int n);

/* Words as people count them: runs between spaces that hold a letter, a digit or any character
 * beyond ASCII. */
int df_words_count(const char *text);
/* Next such word at or after *p, or NULL. *size is its bytes with punctuation at both ends cut off
 * (Unicode quotes, dashes and full stops too); *p moves past the run. */
const char *df_word_next(const char **p, size_t *size);
#endif
