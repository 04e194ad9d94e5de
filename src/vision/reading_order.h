/* Puts lines of text into the order in which one reads them, and groups them into paragraphs. */
#ifndef DF_VISION_READING_ORDER_H
#define DF_VISION_READING_ORDER_H
#include "base/status.h"
#include "evidence/evidence.h"

/* Sorts lines in place and numbers their paragraphs. The page is first turned to the direction of
 * most of its text (level, downward, upside down or upward, and up to 45 degrees off); hence
 * columns of vertical CJK text go from right to left. Lines make blocks (text_block.h). Blocks are
 * read column by column where at least two columns of running text stand side by side with a gutter
 * between them, else row by row from the top, each row from the left. The result does not depend on
 * the order of the input. Errors: DF_NOMEM. */
df_status df_reading_order(df_line *lines, int n, df_error *err);
#endif
