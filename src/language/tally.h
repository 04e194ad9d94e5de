/* How often each text occurs, and histograms of numbers. All are sums of whole numbers, so the
 * order of adding and joining does not matter. */
#ifndef DF_LANGUAGE_TALLY_H
#define DF_LANGUAGE_TALLY_H
#include <stdbool.h>
#include "base/map.h"

/* in bytes; a longer text is counted by its beginning */
enum { DF_TALLY_TEXT_MAX = 120 };
typedef struct {
    char *text;
    int64_t n;
} df_tally_entry;
typedef struct {
    df_tally_entry *entries;
    size_t n, capacity;
    df_map index;
} df_tally; /* all-zero is empty; df_tally_free frees its texts */
/* Adds `count` occurrences of a text, which is copied. */
df_status df_tally_add(df_tally *t, const char *text, size_t n_bytes, int64_t count, df_error *err);
/* Adds the counts of `more`. */
df_status df_tally_join(df_tally *t, const df_tally *more, df_error *err);
/* Sorts by falling count, then by text. Nothing may be added afterwards, since the index is
 * stale. */
void df_tally_sort(df_tally *t);
int64_t df_tally_total(const df_tally *t);
void df_tally_free(df_tally *t);

/* A histogram: bin i counts the values in [i * step, (i + 1) * step), the last one also everything
 * above. */
enum { DF_BINS = 33 };
typedef struct {
    int64_t step, counts[DF_BINS];
} df_bins;
void df_bins_add(df_bins *b, int64_t value); /* below zero counts as zero */
void df_bins_join(df_bins *b, const df_bins *more);
#endif
