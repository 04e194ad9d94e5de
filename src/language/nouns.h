/* The nouns that experts and captions use for things: which words name the same thing, and what
 * kind of thing it is. It is knowledge of English, not of a model. A label that is not here is
 * treated as an ordinary countable noun. */
#ifndef DF_LANGUAGE_NOUNS_H
#define DF_LANGUAGE_NOUNS_H
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

typedef enum {
    DF_NOUN_OTHER,
    DF_NOUN_PERSON,
    DF_NOUN_ANIMAL,
    DF_NOUN_VEHICLE,
    DF_NOUN_FURNITURE,
    DF_NOUN_FOOD,
    DF_NOUN_PLANT,
    DF_NOUN_DEVICE,
    DF_NOUN_BUILDING,
    DF_NOUN_SCENE                            /* a place that holds everything else */
} df_noun_kind;

typedef struct {
    const char *name;                        /* singular, lower case */
    df_noun_kind kind;
    /* what it is a kind of ("tabby" -> "cat"); NULL: the table has nothing above it */
    const char *parent;
    const char *same;                        /* synonyms, separated by '|'; or NULL */
    const char *phrase; /* scenes: "at the seashore"; plural nouns: "a pair of scissors"; or NULL */
    /* the word has other senses ("orange", "mouse", "train"), so it proves nothing in prose */
    bool weak;
} df_noun;

/* An index of all forms, singular and plural. Immutable: shared by threads. */
typedef struct df_nouns df_nouns;
df_status df_nouns_open(df_nouns **out, df_error *err);
void df_nouns_close(df_nouns *nouns);

/* Finds a noun by any of its forms, in any case. NULL: not known. */
const df_noun *df_nouns_find(const df_nouns *nouns, const char *text, size_t size);
/* Whether a noun of several words may begin with this word. Most words cannot, which spares a
 * search; a false alarm is possible. */
bool df_nouns_may_begin(const df_nouns *nouns, const char *word);
/* Finds the noun of an expert's label. "Tabby, tabby cat" is read up to the comma, '_' is a space,
 * "(...)" is left out. When the whole is unknown, the last word counts ("border terrier"). `clean`
 * (may be NULL) receives the label as one would write it. */
enum { DF_LABEL_MAX = 64 };
const df_noun *df_nouns_label(const df_nouns *nouns, const char *label, char clean[DF_LABEL_MAX]);
/* Whether `child` is `parent` or a kind of it. */
bool df_noun_is(const df_nouns *nouns, const df_noun *child, const df_noun *parent);
#endif
