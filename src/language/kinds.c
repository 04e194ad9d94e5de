/* Which words mean the same kind of thing: the small noun table, and the tree of WordNet's physical
 * things. */
#include "language/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "language/english.h"

enum { DEPTH_MAX = 40 };

/* A thing of WordNet: the number of the thing above it (-1: none) and its words, one NUL-terminated
 * text after another. */
typedef struct {
    int parent;
    const char *words;
    int n_words;
} thing;

struct df_kinds {
    df_nouns *nouns;
    char *text; /* the lexicon, in which '|' and line ends became NUL */
    thing *things;
    int n_things;
    /* word -> the thing that it most often means */
    df_map first;
};

static df_status broken(const char *lexicon, int line, const char *what, df_error *err)
{
    return df_fail(err, DF_FORMAT, "%s:%d: %s; delete the file and run `make setup`", lexicon, line,
                   what);
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

/* Cuts "a|*b|c" into words, in place. A '*' marks a word that most often means this thing; such
 * words go into the index. */
static df_status read_words(df_kinds *k, char *word, df_error *err)
{
    thing *t = &k->things[k->n_things];
    char *to = word; /* the marks are dropped, so the words move up */
    t->words = to;
    for (bool last = false; !last; t->n_words++) {
        const size_t n = strcspn(word, "|");
        last = word[n] == '\0';
        const bool own = word[0] == '*';
        char *const at = to;
        memmove(to, word + own, n - own);
        to += n - own;
        *to++ = '\0';
        word += n + 1;
        int64_t known;
        if (own)
            DF_TRY(df_map_put(&k->first, at, k->n_things, &known, err));
    }
    return DF_OK;
}

/* Reads a line of the lexicon: the number of the kind above it, or a dash, then its words. */
static df_status read_line(df_kinds *k, char *line, int n_lines, const char *lexicon, int number,
                           df_error *err)
{
    char *end;
    long parent = -1;
    if (line[0] == '-' && line[1] == ' ') {
        end = line + 1;
    } else {
        parent = strtol(line, &end, 10);
        if (end == line || parent < 0 || parent >= n_lines)
            return broken(lexicon, number, "no number of the kind above it", err);
    }
    if (*end != ' ' || !end[1])
        return broken(lexicon, number, "no words", err);
    k->things[k->n_things] = (thing){.parent = (int)parent};
    DF_TRY(read_words(k, end + 1, err));
    k->n_things++;
    return DF_OK;
}

/* Reads the lexicon of kinds, a thing a line, in the order of their numbers. */
static df_status read_lexicon(df_kinds *k, const char *lexicon, df_error *err)
{
    size_t size;
    DF_TRY(df_file_read(lexicon, DF_KINDS_BYTES_MAX, &k->text, &size, err));
    const int n_lines = count_lines(k->text);
    k->things = calloc((size_t)n_lines + 1, sizeof *k->things);
    if (!k->things)
        return df_no_memory(err, "read %s", lexicon);
    int number = 1;
    for (char *line = k->text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
        *end = '\0';
        if (line[0] != '#')
            DF_TRY(read_line(k, line, n_lines, lexicon, number, err));
    }
    for (int i = 0; i < k->n_things; i++)
        if (k->things[i].parent >= k->n_things)
            return broken(lexicon, number, "a kind above another is missing", err);
    return DF_OK;
}

df_status df_kinds_open(df_kinds **out, const char *lexicon, df_error *err)
{
    df_kinds *k = calloc(1, sizeof *k);
    if (!k)
        return df_no_memory(err, "kinds of things");
    df_status status = df_nouns_open(&k->nouns, err);
    if (status == DF_OK && lexicon && df_file_exists(lexicon))
        status = read_lexicon(k, lexicon, err);
    if (status != DF_OK) {
        df_kinds_close(k);
        return status;
    }
    *out = k;
    return DF_OK;
}

void df_kinds_close(df_kinds *k)
{
    if (!k)
        return;
    df_nouns_close(k->nouns);
    df_map_free(&k->first);
    free(k->things);
    free(k->text);
    free(k);
}

static void look_up_kind(const df_kinds *k, const char *name, df_kind *kind)
{
    kind->noun = df_nouns_find(k->nouns, name, strlen(name));
    kind->thing = (int)df_map_find(&k->first, name, -1);
}

/* Tries the whole label, then its singular, then its last word. */
df_kind df_kinds_find(const df_kinds *k, const char *label)
{
    df_kind kind = {.thing = -1};
    df_nouns_label(k->nouns, label, kind.name);
    look_up_kind(k, kind.name, &kind);
    if (!kind.noun && kind.thing < 0) {
        df_singular(kind.name);
        look_up_kind(k, kind.name, &kind);
    }
    const char *last = strrchr(kind.name, ' ');
    if (!kind.noun && kind.thing < 0 && last) {
        look_up_kind(k, last + 1, &kind);
        kind.loose = kind.noun || kind.thing >= 0;
    }
    return kind;
}

/* Whether the small table contradicts: it knows what a word means in pictures. Its hot dog is food;
 * in WordNet it is first of all a show-off. */
static bool differ(const df_kind *a, const df_kind *b)
{
    return a->noun && b->noun && a->noun->kind != b->noun->kind;
}

bool df_kind_same(const df_kind *a, const df_kind *b)
{
    if (strcmp(a->name, b->name) == 0)
        return true;
    if (a->loose || b->loose)
        return false;
    return a->thing >= 0 && b->thing >= 0 ? a->thing == b->thing && !differ(a, b)
                                          : a->noun && a->noun == b->noun;
}

static bool has_word(const thing *t, const char *name)
{
    const char *word = t->words;
    for (int i = 0; i < t->n_words; i++, word += strlen(word) + 1)
        if (strcmp(word, name) == 0)
            return true;
    return false;
}

/* Walks up the tree and compares words, not things: above "computer mouse" stands the word "mouse",
 * whatever a mouse most often is. */
bool df_kind_is(const df_kinds *k, const df_kind *child, const df_kind *parent)
{
    if (df_kind_same(child, parent))
        return true;
    if (parent->loose)
        return false;
    if (differ(child, parent))
        return false;
    if ((child->thing < 0 || parent->thing < 0) && child->noun && parent->noun)
        return df_noun_is(k->nouns, child->noun, parent->noun);
    int at = child->thing;
    for (int depth = 0; at >= 0 && depth < DEPTH_MAX; depth++, at = k->things[at].parent)
        if (has_word(&k->things[at], parent->name))
            return true;
    return false;
}
