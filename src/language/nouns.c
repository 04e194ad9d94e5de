/* An index over the noun table: a hash table with open addressing from every form to its noun. */
#include "language/nouns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "language/english.h"
#include "language/noun_table.h"

typedef struct {
    char *key;
    const df_noun *noun;
} slot;
enum { BEGINNINGS = 8192 };
struct df_nouns {
    slot *slots;
    size_t capacity, n;
    const df_noun **parents;                 /* by index in df_noun_table; NULL: none */
    /* a bit for the first word of each form of several words, by its hash (a Bloom filter with one
     * hash) */
    uint8_t begins[BEGINNINGS / 8];
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* FNV-1a over lower-case bytes. */
static size_t hash_of(const char *text, size_t size)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)lower(text[i])) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

/* The slot of a form, or the empty slot where it would go (linear probing). Case is ignored. */
static slot *find_slot(const df_nouns *nouns, const char *text, size_t size)
{
    size_t i = hash_of(text, size) & (nouns->capacity - 1);
    for (; nouns->slots[i].key; i = (i + 1) & (nouns->capacity - 1))
        if (strncasecmp(nouns->slots[i].key, text, size) == 0 && nouns->slots[i].key[size] == '\0')
            break;
    return &nouns->slots[i];
}

/* Adds a form. The first noun to claim a form keeps it. The table cannot get full, for it is larger
 * than all forms. */
static bool put_form(df_nouns *nouns, const char *text, size_t size, const df_noun *noun)
{
    slot *s = find_slot(nouns, text, size);
    if (s->key || size == 0)
        return true;
    const char *space = memchr(text, ' ', size);
    if (space) {
        const size_t h = hash_of(text, (size_t)(space - text)) % BEGINNINGS;
        nouns->begins[h / 8] = (uint8_t)(nouns->begins[h / 8] | 1 << h % 8);
    }
    s->key = strndup(text, size);
    s->noun = noun;
    nouns->n++;
    return s->key != NULL;
}

/* Adds a word's singular and its plural. */
static bool put_forms(df_nouns *nouns, const char *word, size_t size, const df_noun *noun)
{
    char singular[DF_LABEL_MAX];
    if (size >= sizeof singular)
        return true;
    memcpy(singular, word, size);
    singular[size] = '\0';
    df_str plural = {0};
    df_plural_append(&plural, singular);
    bool ok = !plural.failed && put_form(nouns, word, size, noun) &&
              put_form(nouns, df_str_text(&plural), plural.size, noun);
    df_str_free(&plural);
    return ok;
}

static bool put_noun(df_nouns *nouns, const df_noun *noun)
{
    bool ok = put_forms(nouns, noun->name, strlen(noun->name), noun);
    for (const char *p = noun->same; ok && p && *p;) {
        size_t size = strcspn(p, "|");
        ok = put_forms(nouns, p, size, noun);
        p += size + (p[size] == '|');
    }
    return ok;
}

df_status df_nouns_open(df_nouns **out, df_error *err)
{
    df_nouns *nouns = calloc(1, sizeof *nouns);
    bool ok = nouns != NULL;
    if (ok) {
        nouns->capacity = 8192;
        nouns->slots = calloc(nouns->capacity, sizeof *nouns->slots);
        ok = nouns->slots != NULL;
    }
    /* names go before synonyms, so that no synonym takes a name */
    for (size_t i = 0; ok && i < df_noun_table_size; i++)
        ok = put_forms(nouns, df_noun_table[i].name, strlen(df_noun_table[i].name),
                       &df_noun_table[i]);
    for (size_t i = 0; ok && i < df_noun_table_size; i++)
        ok = put_noun(nouns, &df_noun_table[i]);
    ok = ok && (nouns->parents = calloc(df_noun_table_size + 1, sizeof *nouns->parents)) != NULL;
    for (size_t i = 0; ok && i < df_noun_table_size; i++) {
        const char *parent = df_noun_table[i].parent;
        nouns->parents[i] = parent ? df_nouns_find(nouns, parent, strlen(parent)) : NULL;
    }
    if (!ok) {
        df_nouns_close(nouns);
        return df_no_memory(err, "nouns");
    }
    *out = nouns;
    return DF_OK;
}

void df_nouns_close(df_nouns *nouns)
{
    if (!nouns)
        return;
    for (size_t i = 0; nouns->slots && i < nouns->capacity; i++)
        free(nouns->slots[i].key);
    free(nouns->slots);
    free(nouns->parents);
    free(nouns);
}

const df_noun *df_nouns_find(const df_nouns *nouns, const char *text, size_t size)
{
    return size < DF_LABEL_MAX ? find_slot(nouns, text, size)->noun : NULL;
}

bool df_nouns_may_begin(const df_nouns *nouns, const char *word)
{
    const size_t h = hash_of(word, strlen(word)) % BEGINNINGS;
    return nouns->begins[h / 8] >> h % 8 & 1;
}

/* A label in lower case up to its first comma, without brackets, quotes and double spaces. */
static void clean_label(const char *label, char clean[DF_LABEL_MAX])
{
    size_t n = 0;
    bool inside = false;
    for (; *label && *label != ',' && n < DF_LABEL_MAX - 1; label++) {
        inside = inside || *label == '(';
        char c =
            *label == '_' || *label == '"' || (unsigned char)*label < ' ' ? ' ' : lower(*label);
        if (!inside && !(c == ' ' && (n == 0 || clean[n - 1] == ' ')))
            clean[n++] = c;
        inside = inside && *label != ')';
    }
    if ((*label & 0xC0) == 0x80) { /* a UTF-8 character that was cut in two is dropped */
        while (n > 0 && (clean[n - 1] & 0xC0) == 0x80)
            n--;
        n -= n > 0;
    }
    while (n > 0 && clean[n - 1] == ' ')
        n--;
    clean[n] = '\0';
}

const df_noun *df_nouns_label(const df_nouns *nouns, const char *label, char clean[DF_LABEL_MAX])
{
    char own[DF_LABEL_MAX], *text = clean ? clean : own;
    clean_label(label, text);
    const df_noun *noun = df_nouns_find(nouns, text, strlen(text));
    const char *space = strrchr(text, ' ');
    return noun || !space ? noun : df_nouns_find(nouns, space + 1, strlen(space + 1));
}

bool df_noun_is(const df_nouns *nouns, const df_noun *child, const df_noun *parent)
{
    for (int depth = 0; child && depth < 6; depth++) {
        if (child == parent)
            return true;
        child = nouns->parents[child - df_noun_table];
    }
    return false;
}
