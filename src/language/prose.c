/* Cuts text into sentences and tokens as Penn Treebank taggers expect: punctuation apart from
 * words, "dog's" as "dog" and "'s". */
#include "language/prose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool space_at(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A table, since each byte that begins or ends a word is tested. */
static const bool ascii_marks[128] = {
    ['.'] = true, [','] = true,  [';'] = true, [':'] = true,  ['!'] = true, ['?'] = true,
    ['"'] = true, ['\''] = true, ['('] = true, [')'] = true,  ['['] = true, [']'] = true,
    ['{'] = true, ['}'] = true,  ['<'] = true, ['>'] = true,  ['*'] = true, ['`'] = true,
    ['~'] = true, ['^'] = true,  ['|'] = true, ['\\'] = true, ['/'] = true};

/* Length in bytes of the punctuation mark at p, 0 when it is none. Marks are general punctuation,
 * CJK marks, and those of ASCII that stand next to words. */
static size_t mark_at(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n && u[0] < 0x80)
        return ascii_marks[u[0]] ? 1 : 0;
    if (n < 3)
        return 0;
    /* dashes, quotes, ellipsis */
    bool general = u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x90 && u[2] <= 0xA7;
    bool cjk = u[0] == 0xE3 && u[1] == 0x80 && u[2] >= 0x81 && u[2] <= 0x91;
    bool wide = u[0] == 0xEF && u[1] == 0xBC && (u[2] == 0x81 || u[2] == 0x8C || u[2] == 0x9F);
    return general || cjk || wide ? 3 : 0;
}

static size_t mark_before(const char *text, size_t n)
{
    if (n && mark_at(text + n - 1, 1))
        return 1;
    return n >= 3 && mark_at(text + n - 3, 3) == 3 ? 3 : 0;
}

static bool ends_sentence(const char *mark, size_t n)
{
    if (n == 1)
        return *mark == '.' || *mark == '!' || *mark == '?';
    return memcmp(mark, "\xE3\x80\x82", 3) == 0 || memcmp(mark, "\xEF\xBC\x81", 3) == 0 ||
           memcmp(mark, "\xEF\xBC\x9F", 3) == 0;
}

/* Whether a word before a full stop is an abbreviation, so that the stop does not end a
 * sentence. */
static bool is_abbreviation(const char *word, size_t n)
{
    static const char *const known[] = {"Mr",  "Mrs", "Ms",     "Dr",  "St",  "No", "vs", "etc",
                                        "e.g", "i.e", "approx", "Inc", "Ltd", "Co", "ca"};
    if (n == 1)
        return (*word >= 'A' && *word <= 'Z') || (*word >= 'a' && *word <= 'z');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && memcmp(word, known[i], n) == 0)
            return true;
    return n == 3 && word[1] == '.'; /* "U.S" */
}

static df_status push(df_prose_space *space, size_t *n, const char *text, size_t length,
                      df_error *err)
{
    if (*n == space->capacity) {
        size_t capacity = space->capacity ? space->capacity * 2 : 64;
        df_pos_token *tokens = realloc(space->tokens, capacity * sizeof *tokens);
        if (!tokens)
            return df_no_memory(err, "count words");
        space->tokens = tokens;
        space->capacity = capacity;
    }
    space->tokens[(*n)++] = (df_pos_token){.text = text, .n = (uint32_t)length};
    return DF_OK;
}

/* The index at which "'s", "n't" and the like begin in a word; n when it has none. */
static size_t clitic(const char *word, size_t n)
{
    const size_t last = n < 5 ? n : 5;
    if (!memchr(word + n - last, '\'', last) && !memchr(word + n - last, '\xE2', last))
        return n; /* true of nearly every word, so it is tested first */
    static const char *const ends[] = {"'s", "'re", "'ve", "'ll",
                                       "'d", "'m",  "n't", "\xE2\x80\x99s"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t length = strlen(ends[i]);
        if (n > length && memcmp(word + n - length, ends[i], length) == 0)
            return n - length;
    }
    return n;
}

/* Cuts one run of characters between spaces into marks, word, clitic and marks. *ends: it ends a
 * sentence, by a full stop that does not belong to an abbreviation. */
static df_status cut_piece(df_prose_space *space, size_t *n, const char *piece, size_t size,
                           bool *ends, df_error *err)
{
    size_t mark;
    *ends = false;
    while (size && (mark = mark_at(piece, size)) != 0) { /* marks in front of the word */
        *ends |= ends_sentence(piece, mark);
        DF_TRY(push(space, n, piece, mark, err));
        piece += mark;
        size -= mark;
    }
    size_t word = size;
    while (word && (mark = mark_before(piece, word)) != 0)
        word -= mark;
    bool abbreviation = word < size && piece[word] == '.' && is_abbreviation(piece, word);
    size_t base = abbreviation ? word + 1 : word, tail = clitic(piece, base);
    if (tail)
        DF_TRY(push(space, n, piece, tail, err));
    if (tail < base)
        DF_TRY(push(space, n, piece + tail, base - tail, err));
    for (size_t at = base; at < size; at += mark) { /* marks after it */
        mark = mark_at(piece + at, size - at);
        *ends |= ends_sentence(piece + at, mark);
        DF_TRY(push(space, n, piece + at, mark, err));
    }
    return DF_OK;
}

static bool has_letter(const char *piece, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t mark = mark_at(piece + i, n - i);
        char c = piece[i];
        bool ascii = (unsigned char)c < 0x80;
        if (!mark &&
            (!ascii || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return true;
        i += mark ? mark : 1;
    }
    return false;
}

df_status df_prose_sentence(const char **at, df_prose_space *space, size_t *n, int64_t *words,
                            df_error *err)
{
    const char *p = *at;
    bool ends = false;
    *n = 0;
    while (!ends) {
        while (space_at(*p))
            p++;
        const char *piece = p;
        while (*p && !space_at(*p))
            p++;
        if (p == piece)
            break;
        size_t size = (size_t)(p - piece);
        if (size > UINT32_MAX)
            return df_fail(err, DF_FORMAT, "count words: a word is longer than 4 GiB");
        DF_TRY(cut_piece(space, n, piece, size, &ends, err));
        *words += has_letter(piece, size);
        const char *next = p + strspn(p, " \t\r\n\v\f");
        /* no sentence begins with a lower-case letter, as after "Yahoo!" in "Yahoo! answers" */
        ends = ends && !(*next >= 'a' && *next <= 'z');
    }
    *at = p;
    return DF_OK;
}

static int64_t count_characters(const char *text)
{
    int64_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

df_status df_prose_measure(const df_pos_tagger *tagger, const char *text, df_prose_space *space,
                           df_prose_count *count, df_error *err)
{
    count->characters += count_characters(text);
    for (const char *at = text;;) {
        size_t n;
        int64_t words = 0;
        DF_TRY(df_prose_sentence(&at, space, &n, &words, err));
        if (n == 0)
            return DF_OK;
        count->words += words;
        count->sentences += words > 0;
        count->tokens += (int64_t)n;
        if (tagger)
            df_pos_tag(tagger, space->tokens, n);
        for (size_t i = 0; tagger && i < n; i++)
            count->pos[df_pos_class(tagger, space->tokens[i].tag)]++;
    }
}
