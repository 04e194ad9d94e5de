/* A prompt is a template filled with evidence. docs/FUSION.md describes the template language and
 * the rules for foreign text. */
#ifndef DF_EVIDENCE_PROMPT_H
#define DF_EVIDENCE_PROMPT_H
#include <stddef.h>
#include "base/status.h"
#include "base/str.h"
#include "evidence/evidence.h"

/* Foreign text is cut to these lengths, in bytes, between characters. */
enum {
    DF_PROMPT_ALT_MAX = 1000,
    DF_PROMPT_LABEL_MAX = 80,
    DF_PROMPT_PARAGRAPH_MAX = 1000,
    DF_PROMPT_TEMPLATE_MAX = 65536
};

typedef struct df_prompt df_prompt;
/* Placeholders are {world_knowledge} {detection_box} {ocr} {tags} {width} {height}. Any other
 * {name} of small letters and '_' is DF_FORMAT; the message says `name`, the line and the
 * placeholder. Blocks are separated by blank lines. A block is left out when there is no evidence
 * for any of its placeholders. name: the file, for errors; text is copied. df_prompt_close frees
 * *out; NULL is fine. */
df_status df_prompt_open(df_prompt **out, const char *name, const char *text, size_t size,
                         df_error *err);
void df_prompt_close(df_prompt *prompt);
/* Appends the prompt for an image. Thread-safe. Errors: DF_NOMEM. */
df_status df_prompt_fill(const df_prompt *prompt, const df_evidence *fused, df_str *out,
                         df_error *err);

/* Appends foreign text made harmless: one line of valid UTF-8, at most max_bytes before the
 * replacements. [ ] become ( ), < > become U+2039 U+203A, a run of # becomes one, a run of `
 * becomes ', and the ':' after a chat role's name becomes ' -'. Thus it cannot contain a block
 * heading, a box line, a media marker or a chat-template token. */
void df_prompt_append_foreign(df_str *out, const char *text, size_t max_bytes);
#endif
