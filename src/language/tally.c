/* Counts of texts, and histograms. */
#include "language/tally.h"

#include <stdlib.h>
#include <string.h>

/* Length of the text cut to at most max bytes, without cutting a UTF-8 character in two. */
static size_t cut_length(const char *text, size_t n, size_t max)
{
    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

static bool grow(df_tally *t)
{
    if (t->n < t->capacity)
        return true;
    size_t capacity = t->capacity ? t->capacity * 2 : 16;
    df_tally_entry *entries = realloc(t->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    t->entries = entries;
    t->capacity = capacity;
    return true;
}

df_status df_tally_add(df_tally *t, const char *text, size_t n_bytes, int64_t count, df_error *err)
{
    char key[DF_TALLY_TEXT_MAX + 1];
    size_t n = cut_length(text, n_bytes, DF_TALLY_TEXT_MAX);
    memcpy(key, text, n);
    key[n] = '\0';
    int64_t at = df_map_find(&t->index, key, -1);
    if (at >= 0) {
        t->entries[at].n += count;
        return DF_OK;
    }
    char *copy = grow(t) ? strdup(key) : NULL;
    if (!copy)
        return df_no_memory(err, "count");
    int64_t stored;
    df_status status = df_map_put(&t->index, copy, (int64_t)t->n, &stored, err);
    if (status != DF_OK) {
        free(copy);
        return status;
    }
    t->entries[t->n++] = (df_tally_entry){copy, count};
    return DF_OK;
}

df_status df_tally_join(df_tally *t, const df_tally *more, df_error *err)
{
    for (size_t i = 0; i < more->n; i++)
        DF_TRY(df_tally_add(t, more->entries[i].text, strlen(more->entries[i].text),
                            more->entries[i].n, err));
    return DF_OK;
}

static int by_count(const void *a, const void *b)
{
    const df_tally_entry *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return strcmp(x->text, y->text);
}

void df_tally_sort(df_tally *t)
{
    if (t->n)
        qsort(t->entries, t->n, sizeof *t->entries, by_count);
}

int64_t df_tally_total(const df_tally *t)
{
    int64_t total = 0;
    for (size_t i = 0; i < t->n; i++)
        total += t->entries[i].n;
    return total;
}

void df_tally_free(df_tally *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->entries[i].text);
    free(t->entries);
    df_map_free(&t->index);
    *t = (df_tally){0};
}

void df_bins_add(df_bins *b, int64_t value)
{
    int64_t bin = value < 0 ? 0 : value / b->step;
    b->counts[bin < DF_BINS ? bin : DF_BINS - 1]++;
}

void df_bins_join(df_bins *b, const df_bins *more)
{
    for (int i = 0; i < DF_BINS; i++)
        b->counts[i] += more->counts[i];
}
