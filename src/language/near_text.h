/* Approximate search: does a text contain a line, but for a few letters? Text readers confuse O
 * with 0, and engines correct what readers got wrong. */
#ifndef DF_LANGUAGE_NEAR_TEXT_H
#define DF_LANGUAGE_NEAR_TEXT_H
#include <stdbool.h>

/* Whether some part of text is within one edit (a byte inserted, deleted or changed) per six bytes
 * of line. Only the first 64 bytes of a line count; a line below six bytes is never found. Myers'
 * bit-parallel algorithm (J. ACM 1999): one step for each byte of text. */
bool df_text_holds_nearly(const char *text, const char *line);
#endif
