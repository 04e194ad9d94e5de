/* Searches a caption for phrases, openings and marks that the paper's rules forbid, and for
 * repetition. */
#include "judge/rules.h"

#include <ctype.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "language/english.h"

const char *const df_rule_codes[DF_RULES] = {"opening",     "reasoning",      "mood",
                                             "speculation", "interpretation", "meta",
                                             "coordinates", "markup",         "unfinished"};

/* Lower case, single spaces; they are matched word by word anywhere in the caption. */
typedef struct {
    const char *words;
    df_rule rule;
} phrase;
static const phrase phrases[] = {
    {"appears to", DF_RULE_REASONING},
    {"appear to", DF_RULE_REASONING},
    {"appearing to", DF_RULE_REASONING},
    {"seems", DF_RULE_REASONING},
    {"seem to", DF_RULE_REASONING},
    {"seemingly", DF_RULE_REASONING},
    {"probably", DF_RULE_REASONING},
    {"likely", DF_RULE_REASONING},
    {"possibly", DF_RULE_REASONING},
    {"perhaps", DF_RULE_REASONING},
    {"maybe", DF_RULE_REASONING},
    {"might be", DF_RULE_REASONING},
    {"may be", DF_RULE_REASONING},
    {"could be", DF_RULE_REASONING},
    {"presumably", DF_RULE_REASONING},
    {"suggests", DF_RULE_REASONING},
    {"suggesting", DF_RULE_REASONING},
    {"suggest that", DF_RULE_REASONING},
    {"indicating", DF_RULE_REASONING},
    {"indicates that", DF_RULE_REASONING},
    {"implying", DF_RULE_REASONING},
    {"implies", DF_RULE_REASONING},
    {"inferred", DF_RULE_REASONING},
    {"judging by", DF_RULE_REASONING},
    {"it is unclear", DF_RULE_REASONING},
    {"mood", DF_RULE_MOOD},
    {"atmosphere", DF_RULE_MOOD},
    {"ambiance", DF_RULE_MOOD},
    {"ambience", DF_RULE_MOOD},
    {"vibe", DF_RULE_MOOD},
    {"serene", DF_RULE_MOOD},
    {"serenity", DF_RULE_MOOD},
    {"tranquil", DF_RULE_MOOD},
    {"tranquility", DF_RULE_MOOD},
    {"peaceful", DF_RULE_MOOD},
    {"eerie", DF_RULE_MOOD},
    {"cozy", DF_RULE_MOOD},
    {"cosy", DF_RULE_MOOD},
    {"nostalgic", DF_RULE_MOOD},
    {"nostalgia", DF_RULE_MOOD},
    {"whimsical", DF_RULE_MOOD},
    {"ominous", DF_RULE_MOOD},
    {"dreamy", DF_RULE_MOOD},
    {"sense of", DF_RULE_MOOD},
    {"feeling of", DF_RULE_MOOD},
    {"evokes", DF_RULE_MOOD},
    {"evoking", DF_RULE_MOOD},
    {"evoke", DF_RULE_MOOD},
    {"exudes", DF_RULE_MOOD},
    {"viewer", DF_RULE_SPECULATION},
    {"viewers", DF_RULE_SPECULATION},
    {"the observer", DF_RULE_SPECULATION},
    {"makes you", DF_RULE_SPECULATION},
    {"you feel", DF_RULE_SPECULATION},
    {"inspiring", DF_RULE_SPECULATION},
    {"inspires", DF_RULE_SPECULATION},
    {"reminiscent", DF_RULE_SPECULATION},
    {"beyond the frame", DF_RULE_SPECULATION},
    {"outside the frame", DF_RULE_SPECULATION},
    {"imagine", DF_RULE_SPECULATION},
    {"one can", DF_RULE_SPECULATION},
    {"creates a", DF_RULE_INTERPRETATION},
    {"creates an", DF_RULE_INTERPRETATION},
    {"creating a", DF_RULE_INTERPRETATION},
    {"creating an", DF_RULE_INTERPRETATION},
    {"adds a", DF_RULE_INTERPRETATION},
    {"adding a", DF_RULE_INTERPRETATION},
    {"adds to the", DF_RULE_INTERPRETATION},
    {"adding to the", DF_RULE_INTERPRETATION},
    {"symbolizes", DF_RULE_INTERPRETATION},
    {"symbolises", DF_RULE_INTERPRETATION},
    {"symbolizing", DF_RULE_INTERPRETATION},
    {"testament to", DF_RULE_INTERPRETATION},
    {"visually appealing", DF_RULE_INTERPRETATION},
    {"visually striking", DF_RULE_INTERPRETATION},
    {"captivating", DF_RULE_INTERPRETATION},
    {"stunning", DF_RULE_INTERPRETATION},
    {"breathtaking", DF_RULE_INTERPRETATION},
    {"harmonious", DF_RULE_INTERPRETATION},
    {"unique and", DF_RULE_INTERPRETATION},
    {"beautifully", DF_RULE_INTERPRETATION},
    {"overall composition", DF_RULE_INTERPRETATION},
    {"the caption", DF_RULE_META},
    {"alt text", DF_RULE_META},
    {"alt-text", DF_RULE_META},
    {"bounding box", DF_RULE_META},
    {"bounding boxes", DF_RULE_META},
    {"ocr", DF_RULE_META},
    {"detection results", DF_RULE_META},
    {"detection box", DF_RULE_META},
    {"external information", DF_RULE_META},
    {"world knowledge", DF_RULE_META},
    {"as an ai", DF_RULE_META},
    {"language model", DF_RULE_META},
    {"i cannot", DF_RULE_META},
    {"i can't", DF_RULE_META},
    {"i'm sorry", DF_RULE_META},
    {"i am sorry", DF_RULE_META},
    {"confidence score", DF_RULE_META},
};

static bool is_word(const df_word *w, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(w->text, *list) == 0)
            return true;
    return false;
}

/* The caption's text from one word to another, in the arena. */
static char *text_between(const char *caption, const df_word *from, const df_word *to,
                          df_arena *arena)
{
    return df_arena_printf(arena, "%.*s", to->to - from->from, caption + from->from);
}

/* How many words from words[i] on match the phrase, 0 when it does not match. */
static int matches(const char *text, const df_word *words, int i, int n)
{
    int used = 0;
    while (i + used < n && !words[i + used].quoted) {
        size_t size = strlen(words[i + used].text);
        if (strncmp(text, words[i + used].text, size) != 0 ||
            (text[size] != ' ' && text[size] != '\0'))
            return 0;
        used++;
        if (text[size] == '\0')
            return used;
        text += size + 1;
    }
    return 0;
}

/* Finds the phrases that the rules forbid, outside quotes. Phrases are chained by their first
 * letter. */
static void find_phrases(const char *caption, const df_word *words, int n, df_arena *arena,
                         df_rules_found *out)
{
    enum { N = sizeof phrases / sizeof *phrases };
    int first[256], next[N];                 /* phrases by their first letter */
    memset(first, -1, sizeof first);
    for (int k = N - 1; k >= 0; k--) {
        next[k] = first[(unsigned char)phrases[k].words[0]];
        first[(unsigned char)phrases[k].words[0]] = k;
    }
    for (int i = 0; i < n; i++)
        for (int k = words[i].quoted ? -1 : first[(unsigned char)words[i].text[0]]; k >= 0;
             k = next[k]) {
            if (phrases[k].words[1] != words[i].text[1] || out->found[phrases[k].rule])
                continue;
            int used = matches(phrases[k].words, words, i, n);
            if (used)
                out->found[phrases[k].rule] =
                    text_between(caption, &words[i], &words[i + used - 1], arena);
        }
}

/* Searches for an opening that speaks of the image instead of its content, such as "The image
 * shows", "In this photo", "Here we see" or "This is a picture of". */
static void find_opening(const char *caption, const df_word *words, int n, df_arena *arena,
                         df_rules_found *out)
{
    static const char *const media[] = {
        "image",        "picture",    "photo",    "photograph", "scene",
        "illustration", "screenshot", "painting", "snapshot",   NULL};
    static const char *const verbs[] = {
        "shows",    "showcases", "showcasing", "captures",    "depicts",    "features",
        "displays", "presents",  "portrays",   "illustrates", "contains",   "showing",
        "consists", "provides",  "includes",   "reveals",     "highlights", NULL};
    static const char *const talk[] = {"sure", "certainly", "here", "okay", NULL};
    if (n == 0 || words[0].quoted)
        return;
    if (is_word(&words[0], talk))
        out->found[DF_RULE_OPENING] = text_between(caption, &words[0], &words[0], arena);
    bool within = strcmp(words[0].text, "in") == 0,
         this_is = n > 2 && strcmp(words[0].text, "this") == 0 && strcmp(words[1].text, "is") == 0;
    bool the = is_word(&words[0], (const char *const[]){"the", "this", NULL});
    for (int i = 0; i < n - 1 && i < 6 && !words[i].quoted; i++)
        if (is_word(&words[i], media) &&
            (is_word(&words[i + 1], verbs) || (within && i < 3) || this_is ||
             (the && i == 1 && strcmp(words[i + 1].text, "is") == 0))) {
            out->found[DF_RULE_OPENING] = text_between(caption, &words[0], &words[i + 1], arena);
            return;
        }
}

/* Length in bytes of coordinates at p: numbers in brackets, at least two in [] or three in (). 0
 * when there are none. */
static int coordinates(const char *p)
{
    int numbers = 0, i = 1;
    if (*p != '[' && *p != '(')
        return 0;
    while (p[i] && p[i] != ']' && p[i] != ')') {
        if (isdigit((unsigned char)p[i])) {
            numbers++;
            while (isdigit((unsigned char)p[i]) || p[i] == '.')
                i++;
        } else if (strchr(" ,;xyXY=-", p[i]))
            i++;
        else
            return 0;
    }
    return p[i] && numbers >= (*p == '[' ? 2 : 3) ? i + 1 : 0;
}

/* Length in bytes of Markdown or HTML markup at p, 0 when there is none. */
static int markup(const char *p, bool line_start)
{
    if (line_start &&
        (strncmp(p, "- ", 2) == 0 || strncmp(p, "* ", 2) == 0 || strncmp(p, "#", 1) == 0))
        return 2;
    if (line_start && isdigit((unsigned char)p[0]) && (p[1] == '.' || p[1] == ')') && p[2] == ' ')
        return 2;
    if (strncmp(p, "**", 2) == 0 || strncmp(p, "__", 2) == 0 || strncmp(p, "```", 3) == 0 ||
        strncmp(p, "](", 2) == 0)
        return 2;
    if (*p == '<' && (isalpha((unsigned char)p[1]) || p[1] == '/') && strchr(p, '>'))
        return (int)strcspn(p, ">") + 1;
    return 0;
}

static void find_marks(const char *caption, df_arena *arena, df_rules_found *out)
{
    for (int i = 0; caption[i]; i++) {
        if (isalpha((unsigned char)caption[i]) || caption[i] == ' ')
            continue;
        int size = coordinates(caption + i);
        if (size && !out->found[DF_RULE_COORDINATES])
            out->found[DF_RULE_COORDINATES] = df_arena_printf(arena, "%.*s", size, caption + i);
        size = markup(caption + i, i == 0 || caption[i - 1] == '\n');
        if (size && !out->found[DF_RULE_MARKUP])
            out->found[DF_RULE_MARKUP] = df_arena_printf(arena, "%.*s", size, caption + i);
    }
}

/* Finds the end of a caption that breaks off. */
static void find_unfinished(const char *caption, df_arena *arena, df_rules_found *out)
{
    size_t n = strlen(caption);
    while (n > 0 && df_is_space(caption[n - 1]))
        n--;
    size_t end = n;
    while (end > 0 && strchr("\"')", caption[end - 1]))
        end--;
    /* a closing Unicode quotation mark or full stop */
    if (end > 2 && (unsigned char)caption[end - 1] >= 0x80)
        return;
    if (n > 0 && (end == 0 || !strchr(".!?", caption[end - 1]))) {
        size_t from = n > 24 ? n - 24 : 0;
        while (from < n && ((unsigned char)caption[from] & 0xC0) == 0x80)
            from++;
        out->found[DF_RULE_UNFINISHED] =
            df_arena_printf(arena, "%.*s", (int)(n - from), caption + from);
    }
}

/* Share of 4-word sequences that occurred before. Their hashes are kept in an open-addressing table
 * with room for at least twice as many. */
static double repetition(const df_word *words, int n, df_arena *arena)
{
    size_t size = 64;
    while (size < 2 * (size_t)n)
        size *= 2;
    uint64_t *seen = df_arena_alloc(arena, size, sizeof *seen), hash[4] = {0};
    int runs = 0, again = 0, streak = 0;
    for (int i = 0; seen && i < n; i++) {
        streak = words[i].quoted ? 0 : streak + 1;
        memmove(hash, hash + 1, 3 * sizeof *hash);
        hash[3] = df_hash_64(words[i].text, strlen(words[i].text));
        if (streak < 4)
            continue;
        uint64_t key = df_hash_64(hash, sizeof hash) | 1;
        size_t at = (size_t)(key >> 8) & (size - 1);
        while (seen[at] && seen[at] != key)
            at = (at + 1) & (size - 1);
        again += seen[at] == key;
        seen[at] = key;
        runs++;
    }
    return runs ? (double)again / runs : 0;
}

void df_rules_check(const char *caption, const df_word *words, int n, df_arena *arena,
                    df_rules_found *out)
{
    *out = (df_rules_found){0};
    find_opening(caption, words, n, arena, out);
    find_phrases(caption, words, n, arena, out);
    find_marks(caption, arena, out);
    find_unfinished(caption, arena, out);
    out->repetition = repetition(words, n, arena);
}
