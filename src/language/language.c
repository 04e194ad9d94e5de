/* Recognises English by its function words, and phrases that repeat. */
#include "language/language.h"

#include <ctype.h>
#include <string.h>

enum { WORDS_TO_JUDGE = 8, WORDS_WITHOUT = 15, PHRASE_MAX = 8, WORD_BYTES_MAX = 60 };

/* Function words of English, and those of its neighbours (French, German, Spanish, Italian,
 * Portuguese, Dutch) that are not English as well. Both are sorted for binary search. */
static const char *const english[] = {
    "a",    "above", "across", "against", "along",  "an",      "and",   "are",  "around",
    "as",   "at",    "behind", "below",   "beside", "between", "by",    "from", "has",
    "have", "in",    "into",   "is",      "it",     "its",     "near",  "of",   "on",
    "onto", "or",    "over",   "that",    "the",    "their",   "there", "this", "through",
    "to",   "under", "up",     "which",   "while",  "with",
};
static const char *const foreign[] = {
    "auf", "aux", "avec", "com", "con",  "dans", "das",   "del",   "della", "dem",  "der", "des",
    "det", "di",  "du",   "een", "ein",  "eine", "einem", "einer", "eines", "el",   "en",  "est",
    "et",  "het", "il",   "im",  "ist",  "la",   "las",   "le",    "les",   "los",  "met", "mit",
    "na",  "nel", "no",   "os",  "para", "por",  "que",   "se",    "sich",  "sono", "sur", "um",
    "uma", "un",  "una",  "und", "une",  "van",  "von",   "y",     "zu",
};

/* Whether a sorted list holds a word, by binary search. */
static bool holds(const char *const *list, size_t n, const char *word)
{
    size_t from = 0, to = n;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int first = list[middle][0] - word[0],
                  order = first ? first : strcmp(list[middle], word);
        if (order == 0)
            return true;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

/* Whether at least three quarters of the letters are Latin. Letters from U+0370 (Greek) on are
 * not. */
static bool is_latin(const char *own)
{
    int latin = 0, other = 0;
    for (const unsigned char *p = (const unsigned char *)own; *p; p++) {
        latin += isalpha(*p) != 0;
        /* lead bytes of UTF-8; E2 and EF begin punctuation */
        other += (*p >= 0xCD && *p < 0xE2) || (*p > 0xE2 && *p < 0xEF) || *p == 0xF0;
    }
    return other * 4 <= latin + other;
}

bool df_text_is_english(const char *own, const df_word *words, int n)
{
    int n_own = 0, n_english = 0, n_foreign = 0;
    if (!is_latin(own))
        return false;
    for (int i = 0; i < n; i++) {
        if (words[i].quoted)
            continue;
        n_own++;
        if (strlen(words[i].text) > 7)
            continue;
        n_english += holds(english, sizeof english / sizeof *english, words[i].text);
        n_foreign += holds(foreign, sizeof foreign / sizeof *foreign, words[i].text);
    }
    if (n_own < WORDS_TO_JUDGE)
        return true;
    return !(n_foreign >= 3 && n_foreign > n_english) &&
           !(n_own >= WORDS_WITHOUT && n_english == 0);
}

static bool same_phrase(const df_word *a, const df_word *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i].text[0] != b[i].text[0] || strcmp(a[i].text, b[i].text) != 0)
            return false;
    return true;
}

static int times_said(const df_word *words, int n, int from, int size)
{
    int times = 1;
    while (from + (times + 1) * size <= n &&
           same_phrase(&words[from], &words[from + times * size], size))
        times++;
    return times;
}

bool df_words_loop(const df_word *words, int n, df_loop *out)
{
    for (int i = 0; i < n; i++) {
        if (words[i].quoted)
            continue;
        if (strlen(words[i].text) > WORD_BYTES_MAX) {
            *out = (df_loop){i, 1, 1};
            return true;
        }
        for (int size = 1; size <= PHRASE_MAX && i + 3 * size <= n; size++) {
            const int times = times_said(words, n, i, size);
            if (times >= (size == 1 ? 4 : 3)) {
                *out = (df_loop){i, size, times};
                return true;
            }
        }
    }
    return false;
}
