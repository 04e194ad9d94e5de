/* Judges a caption by the paper's rules and by the evidence. */
#ifndef DF_JUDGE_VERDICT_H
#define DF_JUDGE_VERDICT_H
#include "judge/support.h"

typedef struct {
    int64_t max_words, min_words, max_invented, max_quotes;
    char *language; /* "en"; with "any" or NULL the language is not judged */
    double max_repetition, min_text_recall, min_object_recall;
} df_limits;
extern const df_limits df_limits_default;

/* A caption of 192 words has no room for more words of visible text than this, so recall is
 * measured against at most so many. */
enum { DF_TEXT_WORDS_ROOM = 110, DF_OBJECTS_ROOM = 8 };

/* One fault: a stable code (docs/FORMAT.md), a constant; the words for it; and both,
 * "opening: The image shows". */
typedef struct {
    const char *code, *words, *detail;
} df_finding;
enum { DF_FINDINGS_MAX = 24 };

typedef struct {
    bool pass;
    int words;
    /* shares in [0, 1]; -1 when the evidence holds nothing to mention */
    double text_recall, object_recall, repetition;
    df_finding findings[DF_FINDINGS_MAX];
    int n_findings;
    df_support support;
} df_verdict;

/* A caption, and what is known of how it was made. */
typedef struct {
    const char *text;
    /* "length": the engine stopped at its limit; NULL or "" when unknown */
    const char *finish;
    bool elsewhere;                          /* another image has the same words */
} df_written;

/* Judges a caption. Everything in *out lives in the arena. Errors: DF_NOMEM. */
df_status df_verdict_make(const df_nouns *nouns, const df_written *caption, const df_evidence *ev,
                          const df_limits *limits, df_arena *arena, df_verdict *out, df_error *err);
#endif
