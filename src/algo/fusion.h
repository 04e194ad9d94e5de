/* Perceptual fusion, section 3.2.1 of the paper: from what all experts said to what a captioner should be told. */
#ifndef DF_ALGO_FUSION_H
#define DF_ALGO_FUSION_H
#include "algo/evidence.h"
#include "algo/merge.h"
#include "algo/sample.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"

typedef struct {
    double tag_score;                        /* tags below are dropped (after they vouched for weak boxes) */
    int64_t max_tags;
    df_merge_options merge;
    df_sample_options sample;
    double line_score;
    int64_t max_lines;
} df_fuse_options;

/* Pure and deterministic: the same records in any order give the same fused evidence; ties fall by score, then label or
 * text, then place, then item. Every fused record's item is that of a raw record.
 *   raw     boxes in any order, lines in reading order; borrowed: fused keeps pointers to its text
 *   fused   written; tags and boxes by falling score, lines in reading order, in the arena
 * Lines: below line_score go; a text that was read before (ignoring case, spaces and punctuation) is told once, where it is
 * surest; a line inside another line's place whose text the other holds goes; beyond max_lines the surest stay.
 * Errors: DF_NOMEM. */
df_status df_fuse(const df_evidence *raw, const df_fuse_options *options, df_arena *arena, df_evidence *fused, df_error *err);

/* XXH3-128 of all that the evidence says: alt-text, sizes, tags, boxes with their looks, lines, looks. Numbers count to
 * six decimals. out of memory: DF_NOMEM. */
df_status df_evidence_hash(const df_evidence *e, char hex[DF_HASH_HEX], df_error *err);
#endif
