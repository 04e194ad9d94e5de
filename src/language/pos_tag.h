/* Parts of speech after Eric Brill (1992): a lexicon, suffix rules for unknown words, then rules
 * over neighbours. The three rule files are those of Pattern / TextBlob for English (Penn Treebank
 * tags). */
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
} df_pos_token; /* text, n: given; the rest is the tagger's */
typedef struct df_pos_tagger df_pos_tagger;

/* The texts of the three files, borrowed for the life of the tagger. Thread-safe once open. */
df_status df_pos_tagger_open(df_pos_tagger **out, const char *lexicon, const char *morphology,
                             const char *context, df_error *err);
void df_pos_tagger_close(df_pos_tagger *t);
/* Tags the tokens of one sentence, punctuation included. */
void df_pos_tag(const df_pos_tagger *t, df_pos_token *tokens, size_t n);
const char *df_pos_name(const df_pos_tagger *t, uint8_t tag);        /* "NNS" */
/* nouns with names, verbs with auxiliaries and modals */
df_pos df_pos_class(const df_pos_tagger *t, uint8_t tag);
#endif
