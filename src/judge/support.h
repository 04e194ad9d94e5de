/* Which parts of a caption the evidence supports, what of the evidence the caption leaves out, and
 * what it invents. */
#ifndef DF_JUDGE_SUPPORT_H
#define DF_JUDGE_SUPPORT_H
#include "evidence/evidence.h"
#include "judge/rules.h"
#include "language/nouns.h"

typedef enum { DF_BY_BOX, DF_BY_LINE, DF_BY_TAG, DF_BY_LOOK, DF_BY_ALT } df_backing;
extern const char *const df_backing_names[]; /* "box", "line", "tag", "look", "alt" */
/* Bytes [from, to) of the caption, supported by evidence number `item` of a kind (as `item` in the
 * evidence; 0 for look and alt). */
typedef struct {
    int from, to;
    df_backing by;
    int item;
} df_span;

typedef struct {
    df_span *spans;
    int n_spans; /* in the order of the caption, not overlapping */
    /* text lines of the evidence; those that the caption quotes */
    int lines, lines_told;
    int line_words, line_words_told;
    int objects, objects_told; /* different kinds of boxes; those that the caption names */
    /* things named, supported or not: the denominator of CHAIR (Rohrbach et al., EMNLP 2018) */
    int n_named;
    /* objects named, and quotes made, for which there is no evidence */
    int n_invented, n_quotes;
    char *invented, *quote; /* the first of each; NULL: none */
    char *own; /* the caption with supported quotes blanked: its own words, at the same offsets */
} df_support;

/* Compares a caption with the evidence. Marks the words of supported quotes as `quoted`. *out lives
 * in the arena. False: out of memory. */
bool df_support_find(const df_nouns *nouns, const char *caption, df_word *words, int n_words,
                     const df_evidence *ev, df_arena *arena, df_support *out);
#endif
