/* Approximate search: is a line in a text, but for a few letters? Readers confuse O with 0, and
 * engines mend what readers got wrong. */
#ifndef DF_LANGUAGE_NEAR_TEXT_H
#define DF_LANGUAGE_NEAR_TEXT_H
#include <stdbool.h>

/* Whether some part of text is within one edit (a byte put in, left out or changed) per six bytes
 * of line. Of a line above 64 bytes the first 64 count; below six bytes: false. Myers' bit-parallel
 * search (1999): one step a byte of text. */
bool df_text_holds_nearly(const char *text, const char *line);
#endif
