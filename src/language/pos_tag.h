/* A Brill tagger for English parts of speech (Eric Brill, "A simple rule-based part of speech
 * tagger", 1992): a lexicon gives each word its most common tag, suffix rules guess the tag of
 * unknown words, and rules over neighbouring words correct both. The three rule files are those of
 * Pattern / TextBlob (Penn Treebank tags). */
#ifndef DF_LANGUAGE_POS_TAG_H
#define DF_LANGUAGE_POS_TAG_H
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

typedef enum {
    DF_POS_OTHER,
    DF_POS_NOUN,
    DF_POS_ADJECTIVE,
    DF_POS_ADVERB,
    DF_POS_VERB,
    DF_POS_NUMERAL,
    DF_POS_COUNT
} df_pos;
typedef struct {
    const char *text;
    uint32_t n, word;
    uint8_t tag;
/* text and n are given; the tagger fills the rest. text is borrowed and needs no NUL. */
} df_pos_token;
typedef struct df_pos_tagger df_pos_tagger;

/* Takes the texts of the three files, which must live as long as the tagger. An open tagger may be
 * shared by threads. df_pos_tagger_close frees it; NULL is fine. */
df_status df_pos_tagger_open(df_pos_tagger **out, const char *lexicon, const char *morphology,
                             const char *context, df_error *err);
void df_pos_tagger_close(df_pos_tagger *t);
/* Tags the tokens of one sentence, punctuation included. */
void df_pos_tag(const df_pos_tagger *t, df_pos_token *tokens, size_t n);
const char *df_pos_name(const df_pos_tagger *t, uint8_t tag); /* such as "NNS"; "" for no tag */
/* names count as nouns, auxiliaries and modals as verbs */
df_pos df_pos_class(const df_pos_tagger *t, uint8_t tag);
#endif
