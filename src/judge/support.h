/* Which parts of a caption the evidence backs, what it leaves out, and what it adds
 * out of nothing. */
#ifndef DF_JUDGE_SUPPORT_H
#define DF_JUDGE_SUPPORT_H
#include "evidence/evidence.h"
#include "judge/rules.h"
#include "language/nouns.h"

typedef enum { DF_BY_BOX, DF_BY_LINE, DF_BY_TAG, DF_BY_LOOK, DF_BY_ALT } df_backing;
extern const char *const df_backing_names[]; /* "box", "line", "tag", "look", "alt" */
typedef struct {
    int from, to;
    df_backing by;
    int item;
} df_span; /* bytes [from, to) of the caption; item as in the evidence */

typedef struct {
    df_span *spans;
    int n_spans; /* in order, not overlapping */
    /* text lines of the evidence; those whose words are in the caption */
    int lines, lines_told;
    int line_words, line_words_told;
    int objects, objects_told; /* kinds of boxes; those named */
    /* things named, backed or not: what CHAIR divides by */
    int n_named;
    /* objects named, quotes made, that no evidence holds */
    int n_invented, n_quotes;
    char *invented, *quote; /* the first of each; NULL none */
    char *own; /* the caption with backed quotes blanked: its own words, at the same places */
} df_support;

/* Marks the words of backed quotes as `quoted`. False: out of memory. */
bool df_support_find(const df_nouns *nouns, const char *caption, df_word *words, int n_words,
                     const df_evidence *ev, df_arena *arena, df_support *out);
#endif
