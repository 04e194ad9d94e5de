/* Shortens a prompt by leaving out evidence, for a model with a context that is too small. */
#ifndef DF_EVIDENCE_SHORTEN_H
#define DF_EVIDENCE_SHORTEN_H
#include "base/status.h"
#include "base/str.h"
#include "evidence/evidence.h"

/* Appends the prompt with only the share `keep` (0 to 1) of its tags, boxes and lines, those with
 * the highest scores; keep 0 leaves out the alt-text as well. prompt: filled from `told` by any
 * template (prompt.h). A block for which nothing is left is left out, as the template would do.
 * *n_left: number of pieces left out; 0: the prompt is unchanged, since nothing to leave out was
 * found in it. Errors: DF_NOMEM. */
df_status df_prompt_shorten(const char *prompt, const df_evidence *told, double keep, df_str *out,
                            int *n_left, df_error *err);
#endif
