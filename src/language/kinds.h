/* Labels of different experts name the same things in different words: "couch" and "sofa", "tabby"
 * and "cat". This tells which words mean the same, and what is a kind of what: a small table that
 * is always there (nouns.c), and WordNet's physical things (tools/convert/wordnet.py) where they
 * are installed. Knowledge of English, not of a model. */
#ifndef DF_LANGUAGE_KINDS_H
#define DF_LANGUAGE_KINDS_H
#include "language/nouns.h"

enum { DF_KINDS_BYTES_MAX = 64 << 20 };
/* Immutable: shared by threads. */
typedef struct df_kinds df_kinds;
/* lexicon: the file that wordnet.py wrote; NULL or not there: the small table alone. DF_FORMAT
 * names a line that is broken. */
df_status df_kinds_open(df_kinds **out, const char *lexicon, df_error *err);
void df_kinds_close(df_kinds *kinds);

/* A label as these tables know it. Plain data; noun points into the tables. */
typedef struct {
    /* singular, lower case, without what stands after a comma or in brackets */
    char name[DF_LABEL_MAX];
    const df_noun *noun;                     /* NULL: not in the small table */
    int thing;                               /* its kind in WordNet; -1: not there */
    /* found by its last word only: "border terrier" as a terrier */
    bool loose;
} df_kind;
df_kind df_kinds_find(const df_kinds *kinds, const char *label);
bool df_kind_same(const df_kind *a, const df_kind *b);
/* Whether `child` is `parent` or a kind of it: a tabby is a cat; an unknown "border collie pup" is
 * a pup. */
bool df_kind_is(const df_kinds *kinds, const df_kind *child, const df_kind *parent);
#endif
