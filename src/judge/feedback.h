/* The message that asks an engine to write a caption again, with what was wrong. */
#ifndef DF_JUDGE_FEEDBACK_H
#define DF_JUDGE_FEEDBACK_H
#include "judge/verdict.h"

/* The next message of the conversation, which follows the caption: what is wrong, with the words in
 * question, and what to write instead. In the arena; NULL when out of memory. */
const char *df_feedback_text(const df_verdict *verdict, df_arena *arena);
#endif
