/* Less evidence for a model whose context is too small. */
#ifndef DF_EVIDENCE_SHORTEN_H
#define DF_EVIDENCE_SHORTEN_H
#include "base/status.h"
#include "base/str.h"
#include "evidence/evidence.h"

/* Appends the prompt with only `keep` (0 to 1) of its tags, boxes and lines, those of highest
 * score; with 0 the alt-text goes too. prompt: filled from `told` by any template (prompt.h). A
 * block that has nothing left is left out, as the template would. *n_left: how many pieces went; 0:
 * the prompt is as it was, nothing could be found to leave out. DF_NOMEM. */
df_status df_prompt_shorten(const char *prompt, const df_evidence *told, double keep, df_str *out,
                            int *n_left, df_error *err);
#endif
