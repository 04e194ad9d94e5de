/* Perceptual fusion, section 3.2.1 of the paper: from all that the experts said to what goes into
 * the prompt ("told"). */
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
    /* least score of taggers without a df_accept. Weaker tags are not told, but still confirm
     * boxes. */
    double tag_score;
    int64_t max_tags;
    df_merge_options merge;
    df_sample_options sample;
    double line_score;
    int64_t max_lines;
    /* most tokens of all evidence in a prompt, as df_tokens_estimate counts; 0: no limit */
    int64_t max_tokens;
} df_fuse_options;

/* All that fusion needs beside the evidence. The pointers are borrowed; shared by threads. */
typedef struct {
    const df_fuse_options *options;
    const df_kinds *kinds;
    /* [n_accept]: least scores of single experts, which override those of the options */
    const df_accept *accept;
    int n_accept;
} df_fusion;

/* Evidence that is left out of the prompt, and the reason. Tags: "score", "repeated", "general" (a
 * narrower tag is told), "budget". Boxes: those of df_object, "counted" and "budget" (sample.h),
 * "broken". Lines: "score", "repeated", "inside" (a longer line), "budget". */
typedef struct {
    const char *kind, *text, *source, *reason;               /* kind: "tag", "box", "line" */
    double score, x0, y0, x1, y1;            /* 0 for a tag */
    int item;
} df_left;

typedef struct {
    /* tags and boxes by falling score, which here is belief (merge.h); lines in reading order */
    df_evidence told;
    const df_left *left;
    int n_left;
} df_fused;

/* Pure and deterministic: the same records in any order give the same fused evidence. Ties are
 * broken by score, then label or text, then place, then item. Each fused record's item is that of a
 * raw record.
 *
 *   raw    boxes in any order, lines in reading order; borrowed: fused keeps pointers to its text
 *   fused  written, all in the arena
 *
 * Tags of the same thing become one. Of a tag and a narrower one ("dog", "poodle") the narrower is
 * told. Lines below line_score are left out. A text that was read several times (ignoring case,
 * spaces and punctuation) is told once, at the place of the highest score. A line is left out when
 * it lies inside another line that holds its text. Of more than max_lines, those with the highest
 * scores are told. Lines may use half of max_tokens, and what boxes, tags and alt-text leave of the
 * rest. When that is not enough, fewer boxes are told. Errors: DF_NOMEM. */
df_status df_fuse(const df_fusion *how, const df_evidence *raw, df_arena *arena, df_fused *fused,
                  df_error *err);
#endif
