/* What the files of fusion share; private to fusion*.c. */
#ifndef DF_EVIDENCE_FUSION_PARTS_H
#define DF_EVIDENCE_FUSION_PARTS_H
#include <assert.h>
#include "evidence/fusion.h"

typedef struct {
    const df_fusion *how;
    const df_evidence *raw;
    df_arena *arena;
    df_evidence told;
    df_left *left;
    int n_left;               /* `left` has room for every raw record */
} fusing;

/* Adds to the evidence that is left out. */
static inline void fusion_leave(fusing *f, df_left what)
{
    assert(f->n_left < f->raw->n_tags + f->raw->n_boxes + f->raw->n_lines);
    f->left[f->n_left++] = what;
}
/* Sets told.lines. budget: their most tokens; lines with the highest scores go first. False: out of
 * memory. (fusion_lines.c) */
bool fusion_lines(fusing *f, int64_t budget);
#endif
