/* For each row of a block, finds the one of many vectors that has the largest dot product with it.
 * The answer is exact (the largest df_dot, ties to the lowest number), though most pairs are only
 * scored by their 8-bit codes: a pair is dropped when its score plus the proven error window stays
 * below a dot product that another vector is known to reach. k-means searches among centroids,
 * dedup among earlier images. */
#ifndef DF_VECTOR_MAX_DOT_H
#define DF_VECTOR_MAX_DOT_H
#include "vector/quantise.h"

enum { DF_MAX_DOT_ROWS = 1024, DF_MAX_DOT_CANDIDATES = 24 };
#define DF_MAX_DOT_NONE (-4.0F)               /* below every dot product of unit vectors */

/* A vector that may still win: its dot product is at most `high`. */
typedef struct {
    int32_t position;
    float high;
} df_max_dot_candidate;

typedef struct df_max_dot df_max_dot;
struct df_max_dot {
    const df_simd *simd;
    const df_quantised *panels;
    int n_rows;
    const int8_t *code;                      /* [n_rows][stride], borrowed */
    const df_code *row;                      /* [n_rows], borrowed */
    /* Returns the row as float [d], valid until the next call; NULL: it cannot be read. */
    const float *(*exact)(void *ctx, int row);
    void *exact_ctx;
    /* Upper bounds for the groups of panels that were skipped, or NULL. After a search
     * bound[row * bound_stride + group] is at least the largest dot product in that group, in steps
     * of 1 / DF_BOUND_STEPS, minus the group's drift; group = panel / group_panels. */
    int16_t *bound;
    size_t bound_stride;
    int group_panels;
    const int16_t *drift;
    bool failed; /* `exact` returned NULL */
    int64_t n_exact; /* dot products computed in full */
    int32_t end[DF_MAX_DOT_ROWS]; /* positions from here on are not scored */
    int32_t skip[DF_MAX_DOT_ROWS]; /* this position is not compared either; -1: none */
    float low[DF_MAX_DOT_ROWS]; /* lower bound of the largest dot product */
    int32_t best[DF_MAX_DOT_ROWS]; /* number of the best vector so far; -1: none */
    /* its df_dot; DF_MAX_DOT_NONE when only its score is known */
    float best_dot[DF_MAX_DOT_ROWS];
    float best_high[DF_MAX_DOT_ROWS];
    /* -1: there is no best, or it is not among these panels */
    int32_t best_position[DF_MAX_DOT_ROWS];
    int n_candidates[DF_MAX_DOT_ROWS];
    df_max_dot_candidate candidate[DF_MAX_DOT_ROWS][DF_MAX_DOT_CANDIDATES];
};

/* Begins a search in which every row is compared with all vectors. */
void df_max_dot_begin(df_max_dot *s, int n_rows);
/* Scores the rows listed against panels first .. end - 1. */
void df_max_dot_panels(df_max_dot *s, int first, int end, const uint16_t *rows, int n);
/* Decides between the row's candidates. exact: also computes the winner's df_dot if it is not known
 * yet. */
void df_max_dot_settle(df_max_dot *s, int row, bool exact);
#endif
