/* Merges the boxes of several detectors into one list of objects. */
#ifndef DF_EVIDENCE_MERGE_H
#define DF_EVIDENCE_MERGE_H
#include "base/status.h"
#include "evidence/object.h"

typedef struct {
    /* boxes of one thing are the same object when their intersection over union is larger */
    double iou;
    double accept;                           /* for detectors without a df_accept */
    /* boxes of two names are one object when their intersection over union is larger */
    double same_place;
    /* factor on a tag's belief when it confirms boxes of its name; 0: tags confirm nothing */
    double tag_weight;
} df_merge_options;

typedef struct {
    const df_merge_options *options;
    const df_kinds *kinds;
    const df_accept *accept;
    int n_accept;
    double tag_accept; /* for taggers without a df_accept */
} df_merger;

/* Weighted box fusion (Solovyev et al. 2021, arXiv 1910.13302): boxes of one thing (df_kind_same)
 * that overlap become their mean, weighted by belief. Experts that agree raise the belief as
 * independent witnesses, 1 - (1-a)(1-b). Each detector counts once, by its best box; so does the
 * strongest tag that names the thing or a kind of it. `source` joins the detectors' names with '+'
 * in alphabetical order. Objects with a belief below 0.5 are not told.
 *
 *   raw      borrowed; labels of the objects point into it
 *   objects  [*n], in the arena: the told ones by falling belief, then the others; broken boxes
 * (not finite, empty, outside the image) come last
 *
 * The order of raw->boxes does not matter. Errors: DF_NOMEM. */
df_status df_merge_boxes(const df_merger *m, const df_evidence *raw, df_arena *arena,
                         df_object **objects, int *n, df_error *err);

/* The second half of df_merge_boxes, on objects by falling belief; sets `reason` and moves told
 * ones to the front. Two names for one place: where one is a kind of the other they are one object,
 * called by the narrower name if that is believed by itself; else the surer stays ("conflict").
 * What is believed below 0.5 goes. Returns how many are told, -1 when out of memory.
 * (merge_names.c) */
int df_merge_names(const df_merger *m, df_object *objects, int n, df_arena *arena);
#endif
