/* The Brill tagger: reads its rule files and tags sentences. */
#include "language/pos_tag.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { TAGS_MAX = 200, WORD_MAX = 100 };
/* word 0 stands for all words that no file mentions */
enum { NO_TAG = 0, NO_WORD = 0 };

typedef enum {
    CHAR,
    HASPREF,
    HASSUF,
    ADDPREF,
    ADDSUF,
    DELETEPREF,
    DELETESUF,
    GOODLEFT,
    GOODRIGHT
} affix_test;
static const char *const affix_names[] = {"char",      "haspref",    "hassuf",    "addpref",
                                          "addsuf",    "deletepref", "deletesuf", "goodleft",
                                          "goodright", NULL};
typedef struct {
    affix_test test;
    const char *x;
    uint32_t n;
    bool only;
    uint8_t from, to;
} affix_rule;

/* A context rule tests x, and some rules y as well, at places relative to the word. In the names,
 * TAG means a tag and WD a word. */
typedef enum {
    PREVTAG,
    NEXTTAG,
    PREV2TAG,
    NEXT2TAG,
    PREV1OR2TAG,
    NEXT1OR2TAG,
    PREV1OR2OR3TAG,
    NEXT1OR2OR3TAG,
    SURROUNDTAG,
    CURWD,
    PREVWD,
    NEXTWD,
    PREV1OR2WD,
    NEXT1OR2WD,
    PREVWDTAG,
    NEXTWDTAG,
    WDPREVTAG,
    WDNEXTTAG,
    WDAND2AFT,
    WDAND2TAGBFR,
    WDAND2TAGAFT,
    LBIGRAM,
    RBIGRAM,
    PREVBIGRAM,
    NEXTBIGRAM
} place_test;
/* What each test compares: x and y as a tag ('T') or a word ('W'), at any offset from..to,
 * inclusive. When y_to < y_from, the test has no y. */
typedef struct {
    const char *name;
    char x_kind;
    int8_t x_from, x_to;
    char y_kind;
    int8_t y_from, y_to;
} place;
static const place places[] = {
    [PREVTAG] = {"PREVTAG", 'T', -1, -1, 0, 1, 0},
    [NEXTTAG] = {"NEXTTAG", 'T', 1, 1, 0, 1, 0},
    [PREV2TAG] = {"PREV2TAG", 'T', -2, -2, 0, 1, 0},
    [NEXT2TAG] = {"NEXT2TAG", 'T', 2, 2, 0, 1, 0},
    [PREV1OR2TAG] = {"PREV1OR2TAG", 'T', -2, -1, 0, 1, 0},
    [NEXT1OR2TAG] = {"NEXT1OR2TAG", 'T', 1, 2, 0, 1, 0},
    [PREV1OR2OR3TAG] = {"PREV1OR2OR3TAG", 'T', -3, -1, 0, 1, 0},
    [NEXT1OR2OR3TAG] = {"NEXT1OR2OR3TAG", 'T', 1, 3, 0, 1, 0},
    [SURROUNDTAG] = {"SURROUNDTAG", 'T', -1, -1, 'T', 1, 1},
    [CURWD] = {"CURWD", 'W', 0, 0, 0, 1, 0},
    [PREVWD] = {"PREVWD", 'W', -1, -1, 0, 1, 0},
    [NEXTWD] = {"NEXTWD", 'W', 1, 1, 0, 1, 0},
    [PREV1OR2WD] = {"PREV1OR2WD", 'W', -2, -1, 0, 1, 0},
    [NEXT1OR2WD] = {"NEXT1OR2WD", 'W', 1, 2, 0, 1, 0},
    [PREVWDTAG] = {"PREVWDTAG", 'W', -1, -1, 'T', -1, -1},
    [NEXTWDTAG] = {"NEXTWDTAG", 'W', 1, 1, 'T', 1, 1},
    [WDPREVTAG] = {"WDPREVTAG", 'T', -1, -1, 'W', 0, 0},
    [WDNEXTTAG] = {"WDNEXTTAG", 'W', 0, 0, 'T', 1, 1},
    [WDAND2AFT] = {"WDAND2AFT", 'W', 0, 0, 'W', 2, 2},
    [WDAND2TAGBFR] = {"WDAND2TAGBFR", 'T', -2, -2, 'W', 0, 0},
    [WDAND2TAGAFT] = {"WDAND2TAGAFT", 'W', 0, 0, 'T', 2, 2},
    [LBIGRAM] = {"LBIGRAM", 'W', -1, -1, 'W', 0, 0},
    [RBIGRAM] = {"RBIGRAM", 'W', 0, 0, 'W', 1, 1},
    [PREVBIGRAM] = {"PREVBIGRAM", 'T', -2, -2, 'T', -1, -1},
    [NEXTBIGRAM] = {"NEXTBIGRAM", 'T', 1, 1, 'T', 2, 2},
    {NULL, 0, 0, 0, 0, 0, 0},
};
/* A context rule changes tag `from` (NO_TAG: any) into `to`. */
typedef struct {
    const place *place;
    uint8_t from, to;
    uint32_t x, y;
} place_rule;

typedef struct {
    const char *text;
    uint32_t n;
    uint8_t tag;
} word; /* tag NO_TAG: the rules mention the word, the lexicon does not */
struct df_pos_tagger {
    word *words;                             /* words[0] is unused */
    uint32_t n_words, *slots, mask;
    char *tag_names[TAGS_MAX];
    df_pos classes[TAGS_MAX];
    int n_tags;
    bool failed;                             /* no memory for a name of a tag */
    affix_rule *affixes;
    place_rule *places;                      /* in the order of the file */
    size_t n_affixes, n_places;
    /* the context rules that may change this tag, the last of the file first */
    place_rule *by_tag[TAGS_MAX];
    size_t n_by_tag[TAGS_MAX];
    /* outside, outside_word: what context rules see before and after a sentence */
    uint8_t noun, name, number, outside;
    uint32_t outside_word;
};

/* ---- tags and words by number ---- */

/* The class of a Penn Treebank tag, by its first letters. */
static df_pos class_of(const char *tag)
{
    static const struct {
        const char *start;
        df_pos pos;
    } table[] = {{"NN", DF_POS_NOUN},    {"JJ", DF_POS_ADJECTIVE}, {"RB", DF_POS_ADVERB},
                 {"WRB", DF_POS_ADVERB}, {"VB", DF_POS_VERB},      {"MD", DF_POS_VERB},
                 {"CD", DF_POS_NUMERAL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strncmp(tag, table[i].start, strlen(table[i].start)) == 0)
            return table[i].pos;
    return DF_POS_OTHER;
}

/* The number of a tag, which is added if it is new. NO_TAG when memory is out or there are more
 * than TAGS_MAX tags, which only a foreign file has. */
static uint8_t tag_number(df_pos_tagger *t, const char *text, size_t n)
{
    for (int i = 1; i < t->n_tags; i++)
        if (strncmp(t->tag_names[i], text, n) == 0 && t->tag_names[i][n] == '\0')
            return (uint8_t)i;
    char *name = t->n_tags < TAGS_MAX ? strndup(text, n) : NULL;
    t->failed |= !name && t->n_tags < TAGS_MAX;
    if (!name)
        return NO_TAG;
    t->tag_names[t->n_tags] = name;
    t->classes[t->n_tags] = class_of(name);
    return (uint8_t)t->n_tags++;
}

static uint32_t *slot_of(const df_pos_tagger *t, const char *text, size_t n)
{
    uint32_t at = (uint32_t)df_hash_64(text, n) & t->mask;
    while (t->slots[at]) {
        const word *w = &t->words[t->slots[at]];
        if (w->n == n && memcmp(w->text, text, n) == 0)
            break;
        at = (at + 1) & t->mask;
    }
    return &t->slots[at];
}

static uint32_t word_find(const df_pos_tagger *t, const char *text, size_t n)
{
    return *slot_of(t, text, n);
}

/* The number of a word, which is added if it is new. There is always room, since the tables were
 * sized for every line of every file. */
static uint32_t word_put(df_pos_tagger *t, const char *text, size_t n)
{
    uint32_t *slot = slot_of(t, text, n);
    if (*slot == NO_WORD) {
        *slot = ++t->n_words;
        t->words[*slot] = (word){text, (uint32_t)n, NO_TAG};
    }
    return *slot;
}

static bool in_lexicon(const df_pos_tagger *t, const char *text, size_t n)
{
    return t->words[word_find(t, text, n)].tag != NO_TAG;
}

/* ---- the files ---- */

enum { FIELDS = 7 };
typedef struct {
    const char *text[FIELDS];
    size_t n[FIELDS];
    int count;
} fields;

/* The fields of the next line that holds a rule; false at the end. */
static bool next_line(const char **at, fields *f)
{
    while (**at) {
        const char *line = *at, *end = line + strcspn(line, "\n");
        *at = *end ? end + 1 : end;
        f->count = 0;
        for (const char *p = line; p < end && f->count < FIELDS;) {
            size_t n = strcspn(p, " \t\r\n");
            if (n) {
                f->text[f->count] = p;
                f->n[f->count++] = n;
            }
            p += n ? n : 1;
        }
        if (f->count >= 2 && strncmp(line, ";;;", 3) != 0)
            return true;
    }
    return false;
}

static size_t count_lines(const char *text)
{
    size_t n = 1;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

static bool is(const fields *f, int i, const char *name)
{
    return i < f->count && strlen(name) == f->n[i] && strncmp(f->text[i], name, f->n[i]) == 0;
}

/* Index in affix_names of field i, -1 when it is none. Rules that apply to one tag only have an 'f'
 * in front of the name; *only says so. */
static int affix_named(const fields *f, int i, bool *only)
{
    for (int k = 0; i < f->count && affix_names[k]; k++) {
        *only = f->text[i][0] == 'f' && f->n[i] == strlen(affix_names[k]) + 1 &&
                strncmp(f->text[i] + 1, affix_names[k], f->n[i] - 1) == 0;
        if (*only || is(f, i, affix_names[k]))
            return k;
    }
    return -1;
}

/* Reads the suffix rules: lines such as "NN s fhassuf 1 NNS x" or "ly hassuf 2 RB x". */
static df_status read_affixes(df_pos_tagger *t, const char *text, df_error *err)
{
    fields f;
    while (next_line(&text, &f)) {
        bool only = false;
        int at = 1, test = affix_named(&f, 1, &only);
        if (test < 0) {
            at = 2;
            test = affix_named(&f, 2, &only);
        }
        if (test < 0 || f.count < 4)
            return df_fail(err, DF_FORMAT, "the morphology rules: \"%.60s\" is not a rule",
                           f.text[0]);
        uint8_t from = only ? tag_number(t, f.text[0], f.n[0]) : NO_TAG,
                to = tag_number(t, f.text[f.count - 2], f.n[f.count - 2]);
        t->affixes[t->n_affixes++] =
            (affix_rule){(affix_test)test, f.text[at - 1], (uint32_t)f.n[at - 1], only, from, to};
    }
    return DF_OK;
}

static uint32_t operand(df_pos_tagger *t, const fields *f, int i, char kind)
{
    if (i >= f->count)
        return 0;
    return kind == 'T' ? tag_number(t, f->text[i], f->n[i]) : word_put(t, f->text[i], f->n[i]);
}

/* Reads the context rules: lines such as "NN VB PREVTAG TO". */
static df_status read_places(df_pos_tagger *t, const char *text, df_error *err)
{
    fields f;
    while (next_line(&text, &f)) {
        const place *p = places;
        while (p->name && !is(&f, 2, p->name))
            p++;
        bool needs_y = p->y_to >= p->y_from;
        if (!p->name || f.count < (needs_y ? 5 : 4))
            return df_fail(err, DF_FORMAT, "the context rules: \"%.60s\" is not a rule", f.text[0]);
        t->places[t->n_places++] =
            (place_rule){p, is(&f, 0, "*") ? NO_TAG : tag_number(t, f.text[0], f.n[0]),
                         tag_number(t, f.text[1], f.n[1]), operand(t, &f, 3, p->x_kind),
                         operand(t, &f, 4, p->y_kind)};
    }
    return DF_OK;
}

/* Lists for each tag the context rules that may change it, so that tagging tries no others. */
static bool sort_places(df_pos_tagger *t)
{
    for (int tag = 1; tag < t->n_tags; tag++) {
        t->by_tag[tag] = calloc(t->n_places + 1, sizeof *t->places);
        if (!t->by_tag[tag])
            return false;
        for (size_t i = t->n_places; i-- > 0;)
            if (t->places[i].from == NO_TAG || t->places[i].from == tag)
                t->by_tag[tag][t->n_by_tag[tag]++] = t->places[i];
    }
    return true;
}

/* Allocates tables that are large enough for every line of the files. */
static bool make_room(df_pos_tagger *t, const char *lexicon, const char *morphology,
                      const char *context)
{
    size_t affixes = count_lines(morphology), rules = count_lines(context),
           words = count_lines(lexicon) + 2 * rules;
    uint32_t slots = 1024;
    while (slots < words * 2 && slots < UINT32_C(1) << 30)
        slots *= 2;
    t->mask = slots - 1;
    t->words = calloc(words + 2, sizeof *t->words);
    t->slots = calloc(slots, sizeof *t->slots);
    t->affixes = calloc(affixes, sizeof *t->affixes);
    t->places = calloc(rules, sizeof *t->places);
    t->n_tags = 1;
    return t->words && t->slots && t->affixes && t->places;
}

df_status df_pos_tagger_open(df_pos_tagger **out, const char *lexicon, const char *morphology,
                             const char *context, df_error *err)
{
    if (strlen(lexicon) > (size_t)1 << 28)
        return df_fail(err, DF_FORMAT, "the lexicon is larger than 256 MiB");
    df_pos_tagger *t = calloc(1, sizeof *t);
    if (!t || !make_room(t, lexicon, morphology, context)) {
        df_pos_tagger_close(t);
        return df_no_memory(err, "load the lexicon");
    }
    t->noun = tag_number(t, "NN", 2);
    t->name = tag_number(t, "NNP", 3);
    t->number = tag_number(t, "CD", 2);
    t->outside = tag_number(t, "STAART", 6);
    t->outside_word = word_put(t, "STAART", 6);
    fields f;
    while (next_line(&lexicon, &f))
        t->words[word_put(t, f.text[0], f.n[0])].tag = tag_number(t, f.text[1], f.n[1]);
    df_status status = read_affixes(t, morphology, err);
    if (status == DF_OK)
        status = read_places(t, context, err);
    if (status == DF_OK && (t->failed || !sort_places(t)))
        status = df_no_memory(err, "load the lexicon");
    if (status == DF_OK)
        *out = t;
    else
        df_pos_tagger_close(t);
    return status;
}

void df_pos_tagger_close(df_pos_tagger *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_tags; i++) {
        free(t->tag_names[i]);
        free(t->by_tag[i]);
    }
    free(t->words);
    free(t->slots);
    free(t->affixes);
    free(t->places);
    free(t);
}

/* ---- tagging ---- */

/* Whether the word is written as a name: each of its parts begins with a capital, and no capital
 * stands elsewhere. "Rex" and "Two-Story" are names, "STOP" and "iPhone" are not. */
static bool is_title(const char *text, size_t n)
{
    bool any = false, inside = false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool upper = c < 0x80 && isupper(c), letter = c >= 0x80 || isalpha(c);
        if ((upper && inside) || (letter && !upper && !inside))
            return false;
        any |= upper;
        inside = letter;
    }
    return any;
}

static bool is_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr("0123456789-,.:/%$", text[i]) || text[i] == '\0')
            return false;
    return n > 0;
}

static bool same(const df_pos_token *token, const affix_rule *r)
{
    return token && token->n == r->n && memcmp(token->text, r->x, r->n) == 0;
}

static bool joined_known(const df_pos_tagger *t, const char *a, size_t na, const char *b, size_t nb)
{
    char both[2 * WORD_MAX];
    if (na > WORD_MAX || nb > WORD_MAX)
        return false;
    memcpy(both, a, na);
    memcpy(both + na, b, nb);
    return in_lexicon(t, both, na + nb);
}

static bool holds(const char *text, size_t n, const char *x, size_t nx)
{
    for (size_t i = 0; i + nx <= n; i++)
        if (memcmp(text + i, x, nx) == 0)
            return true;
    return false;
}

/* Whether a rule on the letters of an unknown word fits it (Brill, CL 1995). */
static bool affix_fits(const df_pos_tagger *t, const affix_rule *r, const df_pos_token *token,
                       const df_pos_token *before, const df_pos_token *after)
{
    const char *w = token->text;
    size_t n = token->n;
    bool starts = n >= r->n && memcmp(w, r->x, r->n) == 0,
         ends = n >= r->n && memcmp(w + n - r->n, r->x, r->n) == 0;
    switch (r->test) {
    case CHAR:
        return holds(w, n, r->x, r->n);
    case HASPREF:
        return starts;
    case HASSUF:
        return ends;
    case ADDPREF:
        return joined_known(t, r->x, r->n, w, n);
    case ADDSUF:
        return joined_known(t, w, n, r->x, r->n);
    case DELETEPREF:
        return starts && in_lexicon(t, w + r->n, n - r->n);
    case DELETESUF:
        return ends && in_lexicon(t, w, n - r->n);
    case GOODLEFT:
        return same(after, r);
    case GOODRIGHT:
        return same(before, r);
    }
    return false;
}

/* Guesses the tag of an unknown word: a name, a number or a noun, changed by the rules on its
 * letters. */
static uint8_t guess(const df_pos_tagger *t, const df_pos_token *tokens, size_t i, size_t n)
{
    const df_pos_token *token = &tokens[i];
    if (is_title(token->text, token->n))
        return t->name;
    if (is_number(token->text, token->n))
        return t->number;
    uint8_t tag = t->noun;
    for (size_t k = 0; k < t->n_affixes; k++) {
        const affix_rule *r = &t->affixes[k];
        if (r->only && r->from != tag)
            continue;
        if (affix_fits(t, r, token, i ? token - 1 : NULL, i + 1 < n ? token + 1 : NULL))
            tag = r->to;
    }
    return tag;
}

/* A sentence and the word in it that is being tagged. */
typedef struct {
    const df_pos_tagger *t;
    const df_pos_token *tokens;
    int64_t n, i;
} spot;

static inline bool stands(const spot *s, char kind, int64_t offset, uint32_t wanted)
{
    const int64_t near = s->i + offset;
    if (near < 0 || near >= s->n)
        return wanted == (kind == 'T' ? s->t->outside : s->t->outside_word);
    return kind == 'T' ? s->tokens[near].tag == wanted : s->tokens[near].word == wanted;
}

static inline bool found(const spot *s, char kind, int from, int to, uint32_t wanted)
{
    for (int offset = from; offset <= to; offset++)
        if (stands(s, kind, offset, wanted))
            return true;
    return false;
}

/* Applies the first context rule that fits. The rules are in reverse order of the file, so the last
 * of the file wins. */
static void adjust(const df_pos_tagger *t, df_pos_token *tokens, size_t n, size_t i)
{
    const place_rule *rules = t->by_tag[tokens[i].tag];
    const spot s = {t, tokens, (int64_t)n, (int64_t)i};
    for (size_t k = 0; k < t->n_by_tag[tokens[i].tag]; k++) {
        const place_rule *r = &rules[k];
        const place *p = r->place;
        if (found(&s, p->x_kind, p->x_from, p->x_to, r->x) &&
            (p->y_to < p->y_from || found(&s, p->y_kind, p->y_from, p->y_to, r->y))) {
            tokens[i].tag = r->to;
            return;
        }
    }
}

/* The word's tag in the lexicon. The first word of a sentence is also tried in lower case. */
static uint8_t look_up_tag(const df_pos_tagger *t, df_pos_token *token, bool first)
{
    token->word = word_find(t, token->text, token->n);
    uint8_t tag = t->words[token->word].tag;
    if (tag != NO_TAG || !first || token->n > WORD_MAX)
        return tag;
    char lower[WORD_MAX];
    for (size_t i = 0; i < token->n; i++)
        lower[i] =
            (char)((unsigned char)token->text[i] < 0x80 ? tolower((unsigned char)token->text[i])
                                                        : token->text[i]);
    return t->words[word_find(t, lower, token->n)].tag;
}

/* Follows Pattern's implementation: every context rule is tested against the tag from the lexicon,
 * and the last one that fits wins. Neighbours to the left have their corrected tags already. */
void df_pos_tag(const df_pos_tagger *t, df_pos_token *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tokens[i].tag = look_up_tag(t, &tokens[i], i == 0);
    for (size_t i = 0; i < n; i++)
        if (tokens[i].tag == NO_TAG)
            tokens[i].tag = guess(t, tokens, i, n);
    for (size_t i = 0; i < n; i++)
        if (tokens[i].tag != NO_TAG)
            adjust(t, tokens, n, i);
}

const char *df_pos_name(const df_pos_tagger *t, uint8_t tag)
{
    return tag != NO_TAG && tag < t->n_tags ? t->tag_names[tag] : "";
}

df_pos df_pos_class(const df_pos_tagger *t, uint8_t tag)
{
    return tag < t->n_tags ? t->classes[tag] : DF_POS_OTHER;
}
