/* Nouns that experts and captions use for things: which words name the same thing, what kind of
 * thing it is. It is knowledge of English, not of a model: a label that is not here is handled as a
 * plain countable noun. */
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
    DF_NOUN_SCENE                            /* a place: where everything else is */
} df_noun_kind;

typedef struct {
    const char *name;                        /* singular, lower case */
    df_noun_kind kind;
    /* what it is a kind of ("tabby" -> "cat"); NULL: nothing here */
    const char *parent;
    const char *same;                        /* synonyms, separated by '|'; or NULL */
    const char *phrase; /* scenes: "at the seashore"; plural nouns: "a pair of scissors"; or NULL */
    /* its word has other senses ("orange", "mouse", "train"): proves nothing in prose */
    bool weak;
} df_noun;

/* A table of all their forms, singular and plural. Immutable: shared by threads. */
typedef struct df_nouns df_nouns;
df_status df_nouns_open(df_nouns **out, df_error *err);
void df_nouns_close(df_nouns *nouns);

/* By any form, any case. NULL: not a known noun. */
const df_noun *df_nouns_find(const df_nouns *nouns, const char *text, size_t size);
/* Whether a noun of several words may begin with this one: most words are no such beginning, and
 * need no search. */
bool df_nouns_may_begin(const df_nouns *nouns, const char *word);
/* An expert's label: "Tabby, tabby cat" is read up to the comma, '_' is a space, "(...)" is left
 * out; when the whole is unknown, its last word ("border terrier"). `clean` (may be NULL) receives
 * the label as a writer would put it. */
enum { DF_LABEL_MAX = 64 };
const df_noun *df_nouns_label(const df_nouns *nouns, const char *label, char clean[DF_LABEL_MAX]);
/* Whether `child` is `parent`, or a kind of it. */
bool df_noun_is(const df_nouns *nouns, const df_noun *child, const df_noun *parent);
#endif
