/* English plurals, articles, number words and lists, by rules and a table of exceptions. */
#include "language/english.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Exceptions to the rules, used in both directions. The last word of a noun is looked up. */
static const struct {
    const char *one, *many;
} irregular[] = {
    {"person", "people"},
    {"man", "men"},
    {"woman", "women"},
    {"child", "children"},
    {"mouse", "mice"},
    {"knife", "knives"},
    {"goose", "geese"},
    {"foot", "feet"},
    {"tooth", "teeth"},
    {"ox", "oxen"},
    {"leaf", "leaves"},
    {"wolf", "wolves"},
    {"calf", "calves"},
    {"shelf", "shelves"},
    {"loaf", "loaves"},
    {"half", "halves"},
    {"scarf", "scarves"},
    {"thief", "thieves"},
    {"wife", "wives"},
    {"life", "lives"},
    {"sheep", "sheep"},
    {"deer", "deer"},
    {"fish", "fish"},
    {"goldfish", "goldfish"},
    {"starfish", "starfish"},
    {"jellyfish", "jellyfish"},
    {"moose", "moose"},
    {"bison", "bison"},
    {"salmon", "salmon"},
    {"trout", "trout"},
    {"aircraft", "aircraft"},
    {"spacecraft", "spacecraft"},
    {"skis", "skis"},
    {"scissors", "scissors"},
    {"sunglasses", "sunglasses"},
    {"glasses", "glasses"},
    {"jeans", "jeans"},
    {"broccoli", "broccoli"},
    {"series", "series"},
    {"fireman", "firemen"},
    {"fungus", "fungi"},
    {"cactus", "cacti"},
    {"potato", "potatoes"},
    {"tomato", "tomatoes"},
    {"hero", "heroes"},
    {"buffalo", "buffalo"},
    {"mango", "mangoes"},
    {"volcano", "volcanoes"},
    {"bus", "buses"},
    {"gas", "gases"},
    {"lens", "lenses"},
    {"octopus", "octopuses"},
    {"platypus", "platypuses"},
    {"dress", "dresses"},
    {"binoculars", "binoculars"},
    {"swiss", "swiss"},
    {"axis", "axes"},
    {"axe", "axes"},
    {"cookie", "cookies"},
    {"movie", "movies"},
    {"tie", "ties"},
    {"pie", "pies"},
    {"canvas", "canvases"},
    {"backhoe", "backhoes"},
    {"shoe", "shoes"},
    {"canoe", "canoes"},
    {"horse", "horses"},
    {"house", "houses"},
    {"vase", "vases"},
    {"suitcase", "suitcases"},
    {"purse", "purses"},
    {"hose", "hoses"},
    {"rose", "roses"},
    {"nose", "noses"},
    {"base", "bases"},
    {"lighthouse", "lighthouses"},
    {"bookcase", "bookcases"},
    {"mongoose", "mongooses"},
    {"blouse", "blouses"},
    {"case", "cases"},
    {"greenhouse", "greenhouses"},
    {"seahorse", "seahorses"},
    {"tortoise", "tortoises"},
};
enum { N_IRREGULAR = sizeof irregular / sizeof *irregular };

static const char *last_word(const char *noun)
{
    const char *space = strrchr(noun, ' ');
    return space ? space + 1 : noun;
}

static bool ends(const char *word, size_t n, const char *ending)
{
    size_t m = strlen(ending);
    return n >= m && memcmp(word + n - m, ending, m) == 0;
}

static bool vowel(char c)
{
    return c && strchr("aeiouAEIOU", c);
}

/* Exceptions first, then -y to -ies, -es after a hissing sound, else -s. */
void df_plural_append(df_str *out, const char *noun)
{
    const char *word = last_word(noun);
    size_t n = strlen(word);
    for (int i = 0; i < N_IRREGULAR; i++)
        if (strcmp(word, irregular[i].one) == 0) {
            df_str_append_n(out, noun, (size_t)(word - noun));
            df_str_append(out, irregular[i].many);
            return;
        }
    if (n > 1 && word[n - 1] == 'y' && !vowel(word[n - 2])) {
        df_str_append_n(out, noun, (size_t)(word - noun) + n - 1);
        df_str_append(out, "ies");
        return;
    }
    bool hiss = ends(word, n, "s") || ends(word, n, "x") || ends(word, n, "z") ||
                ends(word, n, "ch") || ends(word, n, "sh");
    df_str_append(out, noun);
    df_str_append(out, hiss ? "es" : "s");
}

/* Undoes df_plural_append: exceptions first, then the endings. */
void df_singular(char *noun)
{
    char *word = noun + (last_word(noun) - noun);
    size_t n = strlen(word);
    if (n < 3)
        return;
    for (int i = 0; i < N_IRREGULAR; i++) {
        if (strcmp(word, irregular[i].one) == 0)
            return;
        if (strcmp(word, irregular[i].many) == 0 && strlen(irregular[i].one) <= n) {
            memcpy(word, irregular[i].one, strlen(irregular[i].one) + 1);
            return;
        }
    }
    if (ends(word, n, "ies") && n > 4)
        memcpy(word + n - 3, "y", 2);
    else if (ends(word, n, "xes") || ends(word, n, "zes") || ends(word, n, "ches") ||
             ends(word, n, "shes") || ends(word, n, "sses"))
        word[n - 2] = '\0';
    else if (ends(word, n, "s") && !ends(word, n, "ss") && !ends(word, n, "us") &&
             !ends(word, n, "is"))
        word[n - 1] = '\0';
}

/* A word's sound is judged by its first letters; the exceptions begin with a silent h or with
 * "you". */
const char *df_article(const char *noun)
{
    static const char *const a[] = {"uni",  "use", "usu", "eu",  "ewe", "one",
                                    "once", "uri", "uto", "ufo", "uku"};
    static const char *const an[] = {"hour", "honest", "honour", "heir", "x-ray", "unim", "unin"};
    for (size_t i = 0; i < sizeof an / sizeof *an; i++)
        if (strncasecmp(noun, an[i], strlen(an[i])) == 0)
            return "an";
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        if (strncasecmp(noun, a[i], strlen(a[i])) == 0)
            return "a";
    return vowel(noun[0]) ? "an" : "a";
}

const char *df_number_word(int64_t n, char buffer[24])
{
    static const char *const words[] = {"no",    "one",   "two",  "three", "four",   "five",  "six",
                                        "seven", "eight", "nine", "ten",   "eleven", "twelve"};
    if (n >= 0 && n <= 12)
        return words[n];
    snprintf(buffer, 24, "%" PRId64, n);
    return buffer;
}

void df_sentence_case(df_str *s, size_t from)
{
    while (from < s->size && strchr("\"'([", s->data[from]))
        from++;
    if (from < s->size && s->data[from] >= 'a' && s->data[from] <= 'z')
        s->data[from] = (char)(s->data[from] - 'a' + 'A');
}

void df_list_append(df_str *out, const char *const *items, int n)
{
    for (int i = 0; i < n; i++) {
        df_str_append(out, i == 0 ? "" : i == n - 1 ? " and " : ", ");
        df_str_append(out, items[i]);
    }
}

static bool space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool wordy(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

/* Length in bytes of the Unicode punctuation mark at p (U+2010..2027, U+3001, U+3002, U+FF01,
 * U+FF0C, guillemets), 0 when there is none. */
static size_t mark(const char *p, const char *end)
{
    const unsigned char *u = (const unsigned char *)p;
    if (end - p >= 3 && u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x90 && u[2] <= 0xA7)
        return 3;
    if (end - p >= 3 && u[0] == 0xE3 && u[1] == 0x80 && (u[2] == 0x81 || u[2] == 0x82))
        return 3;
    if (end - p >= 3 && u[0] == 0xEF && u[1] == 0xBC && (u[2] == 0x81 || u[2] == 0x8C))
        return 3;
    return end - p >= 2 && u[0] == 0xC2 && (u[1] == 0xAB || u[1] == 0xBB) ? 2 : 0;
}

/* Cuts what is no word off both ends: spaces, signs and marks of two or three bytes. */
static const char *trim(const char *from, const char *end, size_t *size)
{
    for (size_t n; from < end && ((n = mark(from, end)) != 0 || !wordy(*from));)
        from += n ? n : 1;
    for (bool cut = true; cut && end > from;) {
        cut = !wordy(end[-1]);
        if (cut)
            end--;
        for (size_t n = 2; !cut && n <= 3 && end - from >= (ptrdiff_t)n; n++)
            if (mark(end - n, end) == n) {
                end -= n;
                cut = true;
            }
    }
    *size = (size_t)(end - from);
    return from;
}

const char *df_word_next(const char **p, size_t *size)
{
    while (**p) {
        while (space(**p))
            ++*p;
        const char *from = *p;
        while (**p && !space(**p))
            ++*p;
        const char *word = trim(from, *p, size);
        if (*size)
            return word;
    }
    return NULL;
}

int df_words_count(const char *text)
{
    int n = 0;
    size_t size;
    while (df_word_next(&text, &size))
        n++;
    return n;
}
