/* Boxes of several detectors become one list of objects. */
#ifndef DF_EVIDENCE_MERGE_H
#define DF_EVIDENCE_MERGE_H
#include "base/arena.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "language/kinds.h"

/* The score from which an answer of one expert is believed without another's help. */
typedef struct {
    const char *source;
    double score;
} df_accept;

typedef struct {
    /* boxes of one thing that overlap more are the same object */
    double iou;
    double accept;                           /* of sources that have no df_accept */
    /* overlap above which boxes of two names are one object with two names */
    double same_place;
    /* what a tag's belief counts as a witness for boxes of its name; 0: nothing */
    double tag_weight;
} df_merge_options;

/* What an expert's score is worth: 0.5 where it is believed alone (its accept), 0 at 0, 1 at 1,
 * straight lines between. So scores of experts that mean different things by 0.3 can be compared
 * and joined. */
double df_belief(double score, double accept);

/* One object: boxes that say the same. */
typedef struct {
    /* score: belief; source: all who saw it; item: of the surest raw box */
    df_box box;
    df_kind kind;
    const char *reason; /* why it is not told: "score", "conflict", "joined" (it
                           is told under one name with another), "broken"; NULL: it is told */
} df_object;

typedef struct {
    const df_merge_options *options;
    const df_kinds *kinds;
    const df_accept *accept;
    int n_accept;
    double tag_accept; /* of taggers that have no df_accept */
} df_merger;

/* Weighted box fusion (Solovyev et al. 2021, arXiv 1910.13302): boxes of one thing (df_kind_same)
 * that overlap become their mean, weighted by belief. Witnesses raise the belief as independent
 * ones do: 1 - (1-a)(1-b), each detector's best box counting once, and each tagger whose tag is
 * that thing or a kind of it; `source` joins the detectors' names with '+' in alphabetical order.
 * An object believed below 0.5 is not told. raw      borrowed; broken boxes (not finite, empty,
 * outside the image) come last objects  [*n] told ones first, each by falling belief, in the arena;
 * labels are raw's The order of raw->boxes does not matter. Errors: DF_NOMEM. */
df_status df_merge_boxes(const df_merger *m, const df_evidence *raw, df_arena *arena,
                         df_object **objects, int *n, df_error *err);

/* The second half of df_merge_boxes, on objects by falling belief; sets `reason` and moves told
 * ones to the front. Two names for one place: where one is a kind of the other they are one object,
 * called by the narrower name if that is believed by itself; else the surer stays ("conflict").
 * What is believed below 0.5 goes. Returns how many are told, -1 when out of memory. (settle.c) */
int df_settle(const df_merger *m, df_object *objects, int n, df_arena *arena);

/* What source needs; `other` when it is not listed. */
double df_accept_of(const df_accept *accept, int n_accept, const char *source, double other);
/* Names in alphabetical order, each once, joined by '+'; a and b may be such lists. NULL when out
 * of memory. */
const char *df_sources_join(const char *a, const char *b, df_arena *arena);

/* Told ones to the front, both halves in their order. scratch: room for n. Returns how many are
 * told. (settle.c) */
int df_objects_told_first(df_object *objects, int n, df_object *scratch);
/* their boxes by df_box_compare, for qsort */
int df_object_compare(const void *a, const void *b);
/* Total order of boxes: falling score, then label, place, source, item. For qsort. */
int df_box_compare(const void *a, const void *b);
double df_box_area(const df_box *b);
double df_box_overlap(const df_box *a, const df_box *b); /* intersection over union */
#endif
