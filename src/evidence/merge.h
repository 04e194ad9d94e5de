/* Boxes of several detectors become one list of objects. */
#ifndef DF_EVIDENCE_MERGE_H
#define DF_EVIDENCE_MERGE_H
#include "base/status.h"
#include "evidence/object.h"

typedef struct {
    /* boxes of one thing that overlap more are the same object */
    double iou;
    double accept;                           /* of sources that have no df_accept */
    /* overlap above which boxes of two names are one object with two names */
    double same_place;
    /* what a tag's belief counts as a witness for boxes of its name; 0: nothing */
    double tag_weight;
} df_merge_options;

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
 * What is believed below 0.5 goes. Returns how many are told, -1 when out of memory.
 * (merge_names.c) */
int df_merge_names(const df_merger *m, df_object *objects, int n, df_arena *arena);
#endif
