/* The order in which a reader meets lines of text: rows from the top, each from the left. */
#ifndef DF_ALGO_READING_ORDER_H
#define DF_ALGO_READING_ORDER_H
#include "algo/evidence.h"

/* Sorts lines in place. Two lines share a row when their middles differ by at most half of the smaller height.
 * Equal places keep their order by text, so that any order of input gives one result. */
void df_reading_order(df_line *lines, int n);
#endif
