/* Labels of different experts name the same thing in different words: "couch" and "sofa", "tabby"
 * and "cat". This file knows which words mean the same, and what is a kind of what. It has a small
 * table that is always there (nouns.c), and WordNet's physical things (tools/convert/wordnet.py)
 * where they are installed. It is knowledge of English, not of a model. */
#ifndef DF_LANGUAGE_KINDS_H
#define DF_LANGUAGE_KINDS_H
#include "language/nouns.h"

enum { DF_KINDS_BYTES_MAX = 64 << 20 };
/* Immutable: shared by threads. */
typedef struct df_kinds df_kinds;
/* lexicon: the file that wordnet.py wrote. When it is NULL or does not exist, only the small table
 * is used. A broken line is DF_FORMAT, and the message names it. df_kinds_close frees *out; NULL is
 * fine. */
df_status df_kinds_open(df_kinds **out, const char *lexicon, df_error *err);
void df_kinds_close(df_kinds *kinds);

/* A label, looked up. Plain data; noun points into the tables of the df_kinds. */
typedef struct {
    /* singular, lower case, without what stands after a comma or in brackets */
    char name[DF_LABEL_MAX];
    const df_noun *noun;                     /* NULL: not in the small table */
    int thing;                               /* its kind in WordNet; -1: not there */
    /* only its last word was found, as "terrier" for "border terrier" */
    bool loose;
} df_kind;
/* Looks a label up; one that is unknown comes back with noun NULL and thing -1. */
df_kind df_kinds_find(const df_kinds *kinds, const char *label);
/* Whether two labels name the same kind of thing. */
bool df_kind_same(const df_kind *a, const df_kind *b);
/* Whether `child` is the same as `parent` or a kind of it: a tabby is a cat; a "border collie pup",
 * unknown as a whole, is a pup. */
bool df_kind_is(const df_kinds *kinds, const df_kind *child, const df_kind *parent);
#endif
