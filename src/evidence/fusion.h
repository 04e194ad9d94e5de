/* Perceptual fusion, section 3.2.1 of the paper: from what all experts said to what a captioner
 * should be told. */
#ifndef DF_EVIDENCE_FUSION_H
#define DF_EVIDENCE_FUSION_H
#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "evidence/merge.h"
#include "evidence/sample.h"
#include "language/kinds.h"

typedef struct {
    /* of taggers that have no df_accept: tags below are not told, but vouch for boxes */
    double tag_score;
    int64_t max_tags;
    df_merge_options merge;
    df_sample_options sample;
    double line_score;
    int64_t max_lines;
    /* of all evidence in a prompt, as df_tokens_estimate counts; 0: no limit */
    int64_t max_tokens;
} df_fuse_options;

/* All that fusion needs beside the evidence. Borrowed; shared by threads. */
typedef struct {
    const df_fuse_options *options;
    const df_kinds *kinds;
    /* of experts whose scores mean something else than the options say */
    const df_accept *accept;
    int n_accept;
} df_fusion;

/* What the prompt does not tell, and why: evidence all the same. reason: of tags "score",
 * "repeated", "general" (a narrower tag is told), "budget"; of boxes those of df_object, "counted"
 * and "budget" (sample.h), and "broken"; of lines "score", "repeated", "inside" (a longer line),
 * "budget". */
typedef struct {
    const char *kind, *text, *source, *reason;               /* kind: "tag", "box", "line" */
    double score, x0, y0, x1, y1;            /* of a tag all sides are 0 */
    int item;
} df_left;

typedef struct {
    /* tags and boxes by falling score, which is belief (merge.h); lines in reading order */
    df_evidence told;
    const df_left *left;
    int n_left;
} df_fused;

/* Pure and deterministic: the same records in any order give the same fused evidence; ties fall by
 * score, then label or text, then place, then item. Every fused record's item is that of a raw
 * record. raw     boxes in any order, lines in reading order; borrowed: fused keeps pointers to its
 * text fused   written; all in the arena Tags of one thing are one; of a tag and a narrower one
 * ("dog", "poodle") the narrower is told. Lines: below line_score go; a text that was read before
 * (ignoring case, spaces and punctuation) is told once, where it is surest; a line inside another
 * line's place whose text the other holds goes; beyond max_lines the surest stay. Beyond max_tokens
 * lines may use half of them, and what boxes, tags and alt-text leave; then boxes become fewer.
 * Errors: DF_NOMEM. */
df_status df_fuse(const df_fusion *how, const df_evidence *raw, df_arena *arena, df_fused *fused,
                  df_error *err);
#endif
