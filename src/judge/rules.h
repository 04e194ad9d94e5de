/* The paper's 18 rules for a caption, as far as the words alone can show that one is broken
 * (DenseFusion-1M, Appendix C.2). */
#ifndef DF_JUDGE_RULES_H
#define DF_JUDGE_RULES_H
#include <stdbool.h>
#include "base/arena.h"
#include "language/words.h"

typedef enum {
    DF_RULE_OPENING,                         /* 17: "The image shows" */
    DF_RULE_REASONING,                       /* 10, 12: "appears to be" */
    DF_RULE_MOOD,                            /* 11 */
    DF_RULE_SPECULATION,                     /* 13: "viewers feel" */
    DF_RULE_INTERPRETATION,                  /* 14-16: "creates a unique visual" */
    /* speaks of the external information, or of the model itself */
    DF_RULE_META,
    DF_RULE_COORDINATES,
    DF_RULE_MARKUP,     /* 1: plain text, no boxes */
    DF_RULE_UNFINISHED,                      /* no full stop at the end */
    DF_RULES
} df_rule;
extern const char *const df_rule_codes[DF_RULES];    /* "opening", ... */

typedef struct {
    /* the words that break the rule, in the arena; NULL: the rule is kept, or out of memory */
    char *found[DF_RULES];
    double repetition;                       /* share of 4-word sequences that occurred before */
} df_rules_found;
/* Checks the rules. Words marked `quoted` are text in the picture and break no rule; in `caption`
 * they are blank. */
void df_rules_check(const char *caption, const df_word *words, int n, df_arena *arena,
                    df_rules_found *out);
#endif
