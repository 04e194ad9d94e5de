/* How long a text is for a language model. */
#ifndef DF_EVIDENCE_TOKENS_H
#define DF_EVIDENCE_TOKENS_H
#include <stdint.h>

/* About how many tokens a language model makes of a text: a token for each digit and sign, for
 * every four letters of a word or the rest of it, for every two bytes beyond ASCII. docs/FUSION.md
 * compares it with real tokenizers. */
int64_t df_tokens_estimate(const char *text);
#endif
