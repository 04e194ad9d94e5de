/* The order in which a reader meets lines of text: rows from the top, each from the left. */
#ifndef DF_ALGO_READING_ORDER_H
#define DF_ALGO_READING_ORDER_H
#include "algo/evidence.h"
#include "base/status.h"

/* Sorts lines in place. Up and left are those of a page that is turned as most of its level lines are (up to 45
 * degrees). Two lines share a row when their middles differ by at most half of the smaller height. The result does not
 * depend on the order of the input. Errors: DF_NOMEM. */
df_status df_reading_order(df_line *lines, int n, df_error *err);
#endif
