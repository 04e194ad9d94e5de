/* One image and what is said of it, as LLaVA's training reads it. */
#ifndef DF_STAGE_EXPORT_CONVERSATION_H
#define DF_STAGE_EXPORT_CONVERSATION_H
#include "base/str.h"

/* Appends {"id", "image", "conversations": [human: the image mark and what it asks; gpt: what it
 * answers]}. LLaVA looks for its mark, <image>, in every turn: where a text holds it, it is written
 * [image]. */
void df_conversation_append(df_str *out, const char *id, const char *image, const char *human,
                            const char *gpt);
#endif
