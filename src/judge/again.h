/* Asking again: what an engine is told about a caption that failed. */
#ifndef DF_JUDGE_AGAIN_H
#define DF_JUDGE_AGAIN_H
#include "judge/verdict.h"

/* The next message of the conversation, after the caption itself: what is wrong, with the words
 * that are, and what to write instead. In the arena; NULL when out of memory. */
const char *df_again_text(const df_verdict *verdict, df_arena *arena);
#endif
