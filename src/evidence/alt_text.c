/* Finds the name in a web page's alt-text by lists of words that names do not have. */
#include "evidence/alt_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "language/english.h"

enum { TITLE_MAX = 160, TITLE_WORDS_MAX = 14 };

/* Beginnings that speak about the file and not about what it shows. They are cut off. */
static const char *const leads[] = {
    "a ",
    "an ",
    "the ",
    "photo of ",
    "photos of ",
    "image of ",
    "images of ",
    "picture of ",
    "pictures of ",
    "photograph of ",
    "photographs of ",
    "close-up of ",
    "closeup of ",
    "close up of ",
    "view of ",
    "shot of ",
    "portrait of ",
    "illustration of ",
    "painting of ",
    "drawing of ",
    "stock photo of ",
    "file photo of ",
    "black and white ",
    "photo: ",
    "image: ",
    "picture: ",
    "file photo: ",
    "stock photo: ",
};
/* A phrase with one of these words is an offer, a sentence, an opinion or an instruction. It is not
 * a name. */
static const char *const junk[] = {
    "buy",       "sale",        "price",        "prices",       "shop",       "free",
    "download",  "downloads",   "wallpaper",    "wallpapers",   "stock",      "vector",
    "clipart",   "shipping",    "image",        "images",       "img",        "photo",
    "photos",    "picture",     "pictures",     "photograph",   "jpg",        "png",
    "click",     "ignore",      "instructions", "instruction",  "prompt",     "caption",
    "captions",  "subscribe",   "best",         "cheap",        "discount",   "offer",
    "order",     "store",       "online",       "royalty-free", "hd",         "4k",
    "thumbnail", "screenshot",  "logo",         "icon",         "banner",     "i",
    "you",       "my",          "your",         "we",           "our",        "us",
    "me",        "is",          "are",          "was",          "were",       "be",
    "been",      "has",         "have",         "had",          "will",       "can",
    "could",     "should",      "would",        "do",           "does",       "did",
    "isn't",     "don't",       "please",       "how",          "why",        "what",
    "who",       "when",        "where",        "which",        "beautiful",  "stunning",
    "amazing",   "gorgeous",    "lovely",       "awesome",      "perfect",    "cute",
    "inspiring", "appears",     "seems",        "probably",     "perhaps",    "maybe",
    "possibly",  "likely",      "assistant",    "system",       "user",       "untitled",
    "default",   "placeholder", "null",         "undefined",    "review",     "reviews",
    "blog",      "homepage",    "website",      "http",         "https",      "showcases",
    "captures",  "shows",       "joy",          "mood",         "atmosphere", "unique",
    "vibe",
};

static bool in_list(const char *word, size_t size, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(list[i]) == size && strncasecmp(list[i], word, size) == 0)
            return true;
    return false;
}

/* Skips beginnings such as "Photo of the ". */
static const char *skip_leads(const char *p)
{
    const char *start = p;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
            if (strncasecmp(p, leads[i], strlen(leads[i])) == 0) {
                p += strlen(leads[i]);
                again = true;
            }
    }
    /* an article alone belongs to the name, as in "The Hague" */
    bool article = p - start <= 4 && p > start;
    return article ? start : p;
}

/* Length of the name: it ends at the first mark after which pages put words of their own, such as "
 * | " or " by Somebody". */
static size_t title_end(const char *p)
{
    static const char *const marks[] = {" | ",
                                        " :: ",
                                        " - ",
                                        " \xE2\x80\x93 ",
                                        " \xE2\x80\x94 ",
                                        " \xC2\xBB ",
                                        " \xC2\xB7 ",
                                        " (",
                                        " [",
                                        " \xC2\xA9",
                                        ". ",
                                        "; ",
                                        ": ",
                                        " / "};
    size_t end = strlen(p);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(p, marks[i]);
        if (at && at > p && (size_t)(at - p) < end)
            end = (size_t)(at - p);
    }
    for (const char *by = strstr(p, " by "); by; by = strstr(by + 1, " by "))
        if (isupper((unsigned char)by[4]) && (size_t)(by - p) < end)
            end = (size_t)(by - p);
    while (end > 0 && strchr(" .,;:-", p[end - 1]))
        end--;
    return end;
}

/* Whether a name holds what no name of a thing or place does: code, addresses, prices, many
 * digits. */
static bool odd_characters(const char *p, size_t n)
{
    size_t digits = 0, commas = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c < ' ' || strchr("<>{}[]()\\=_#@$%^*~`|+/?!:;", c))
            return true;
        if (c == 0xE2 && i + 1 < n && (unsigned char)p[i + 1] == 0x82) /* currency signs */
            return true;
        /* a full stop within a word, as in file.jpg or www.site */
        if (c == '.' && i + 1 < n && p[i + 1] != ' ')
            return true;
        digits += isdigit(c) != 0;
        commas += c == ',';
    }
    return digits * 3 > n || commas > 2;
}

/* Whether the phrase holds a name: a capital after the first word. A phrase all in capitals is
 * shouting and does not count. */
static bool has_name(const char *title)
{
    int words = 0, names = 0, shouted = 0;
    size_t size;
    for (const char *p = title, *word; (word = df_word_next(&p, &size)) != NULL; words++) {
        if (in_list(word, size, junk, sizeof junk / sizeof *junk))
            return false;
        bool capital = isupper((unsigned char)word[0]) && size > 1;
        names += words > 0 && capital;
        shouted += capital && size > 2 && isupper((unsigned char)word[1]) &&
                   isupper((unsigned char)word[2]);
    }
    return words >= 2 && words <= TITLE_WORDS_MAX && names >= 1 && shouted * 2 <= words;
}

void df_alt_title(const char *alt, char *title, size_t size)
{
    title[0] = '\0';
    const char *p = skip_leads(alt + strspn(alt, " "));
    size_t end = title_end(p);
    if (end < 4 || end > TITLE_MAX || end >= size || odd_characters(p, end))
        return;
    for (size_t i = 0; i < end; i++)
        title[i] = p[i] == '"' ? '\'' : p[i];
    title[end] = '\0';
    if (!has_name(title))
        title[0] = '\0';
}

bool df_alt_contradicts(const df_nouns *nouns, const char *title, const df_noun *seen)
{
    bool other = false;
    size_t size;
    for (const char *p = title, *word; (word = df_word_next(&p, &size)) != NULL;) {
        const df_noun *noun = df_nouns_find(nouns, word, size);
        if (!noun || noun->weak)
            continue;
        if (df_noun_is(nouns, noun, seen) || df_noun_is(nouns, seen, noun))
            return false;
        other = other || (noun->kind == seen->kind &&
                          (seen->kind == DF_NOUN_ANIMAL || seen->kind == DF_NOUN_VEHICLE));
    }
    return other;
}
