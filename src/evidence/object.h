/* Objects and their boxes: belief, order, overlap, names of their sources. */
#ifndef DF_EVIDENCE_OBJECT_H
#define DF_EVIDENCE_OBJECT_H
#include "base/arena.h"
#include "evidence/evidence.h"
#include "language/kinds.h"

/* The score from which an answer of one expert is believed without another's help. */
typedef struct {
    const char *source;
    double score;
} df_accept;

/* What an expert's score is worth: 0.5 where it is believed alone (its accept), 0 at 0, 1 at 1,
 * straight lines between. So scores of experts that mean different things by 0.3 can be compared
 * and joined. */
double df_belief(double score, double accept);

/* One object: boxes that say the same. */
typedef struct {
    /* score: belief; source: all detectors that saw it; item: of the raw box with the highest
     * belief */
    df_box box;
    df_kind kind;
    const char *reason; /* why it is not told: "score", "conflict", "joined" (it
                           is told under one name with another), "broken"; NULL: it is told */
} df_object;

/* What source needs; `other` when it is not listed. */
double df_accept_of(const df_accept *accept, int n_accept, const char *source, double other);
/* Names in alphabetical order, each once, joined by '+'; a and b may be such lists. NULL when out
 * of memory. */
const char *df_sources_join(const char *a, const char *b, df_arena *arena);

/* Told ones to the front, both halves in their order. scratch: room for n. Returns how many are
 * told. */
int df_objects_told_first(df_object *objects, int n, df_object *scratch);
/* their boxes by df_box_compare, for qsort */
int df_object_compare(const void *a, const void *b);
/* Total order of boxes: falling score, then label, place, source, item. For qsort. */
int df_box_compare(const void *a, const void *b);
double df_box_area(const df_box *b);
double df_box_overlap(const df_box *a, const df_box *b); /* intersection over union */
#endif
