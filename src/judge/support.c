/* Compares a caption with the evidence: quotes with text lines, names with the alt-text, nouns with
 * boxes and tags, colours with how regions look. */
#include "judge/support.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/paragraph.h"
#include "language/english.h"
#include "language/near_text.h"

const char *const df_backing_names[] = {"box", "line", "tag", "look", "alt"};

enum { NGRAM = 3, ALT_WORDS_MAX = 64, LINE_WORDS = 24 };

/* Words that name things, but as often mean something else. They do not prove that an object was
 * invented. */
static const char *const ambiguous[] = {
    "figure",    "figures",   "file",    "files",   "pot",     "pots",     "ball",     "balls",
    "bag",       "bags",      "tub",     "monitor", "speaker", "speakers", "coast",    "guy",
    "player",    "players",   "racer",   "coach",   "bug",     "beacon",   "throne",   "balance",
    "blossom",   "bloom",     "table",   "tables",  "human",   "humans",   "plane",    "planes",
    "vessel",    "vessels",   "cycle",   "liner",   "diver",   "beagle",   "notebook", "building",
    "buildings", "fountain",  "fence",   "tree",    "trees",   "flower",   "flowers",  "roof",
    "roofs",     "screen",    "screens", "bridge",  "shop",    "pole",     "poles",    "street",
    "mountain",  "mountains", "forest",  "valley",  "line",    "feature",  "bar",
};

typedef struct {
    const df_nouns *nouns;
    const char *caption;
    df_word *words;
    int n;
    const df_evidence *ev;
    df_arena *arena;
    df_support *out;
    df_span *claim; /* [n]: what supports each word; to == 0: nothing */
    const df_noun **box_noun, **tag_noun; /* for each box, for each tag; NULL: not a known noun */
    char (*box_name)[DF_LABEL_MAX];
    bool *box_told;
    /* index of the first box of the same kind, which stands for all of them */
    int *box_first;
    const char *text; /* " words of the caption " in lower case */
    df_word *alt;
    int n_alt;
} support;

/* Joins words with one space around each, " a b c ", so that a search finds whole words only. NULL:
 * out of memory. */
static const char *spaced_words(const df_word *words, int n, df_arena *arena)
{
    size_t size = 2;
    for (int i = 0; i < n; i++)
        size += strlen(words[i].text) + 1;
    char *out = df_arena_alloc(arena, size, 1), *p = out;
    if (!out)
        return NULL;
    *p++ = ' ';
    for (int i = 0; i < n; i++) {
        size_t m = strlen(words[i].text);
        memcpy(p, words[i].text, m);
        p += m;
        *p++ = ' ';
    }
    return out;
}

static const char *spaced_text(const char *text, df_arena *arena, int *n)
{
    df_word *words = df_words_of(text, arena, n);
    return words ? spaced_words(words, *n, arena) : NULL;
}

/* Records that the words [from, to) are supported, unless one of them already is. */
static void mark_supported(support *s, int from, int to, df_backing by, int item)
{
    for (int i = from; i < to; i++)
        if (s->claim[i].to)
            return;
    for (int i = from; i < to; i++)
        s->claim[i] = (df_span){s->words[from].from, s->words[to - 1].to, by, item};
}

static bool claimed(const support *s, int from, int to)
{
    for (int i = from; i < to; i++)
        if (s->claim[i].to || s->words[i].quoted)
            return true;
    return false;
}

/* Length in bytes of a double quotation mark at p, 0 when there is none. */
static int quote_mark(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    if (*p == '"')
        return 1;
    return u[0] == 0xE2 && u[1] == 0x80 && (u[2] == 0x9C || u[2] == 0x9D) ? 3 : 0;
}

/* Index of the line that contains these words, or of one (at least half as long) that they contain.
 * n_lines: the alt-text contains them; -1: nothing does. */
static int line_with(const support *s, const char *const *lines, const char *words, const char *alt)
{
    size_t n = strlen(words);
    for (int i = 0; i < s->ev->n_lines; i++)
        if (strstr(lines[i], words))
            return i;
    for (int i = 0; i < s->ev->n_lines; i++)
        if (strlen(lines[i]) > 2 && strlen(lines[i]) * 2 >= n && strstr(words, lines[i]))
            return i;
    return alt && strstr(alt, words) ? s->ev->n_lines : -1;
}

/* The text without spaces and ASCII punctuation, in the arena; NULL: out of memory. */
static char *squeezed(const char *text, df_arena *arena)
{
    char *out = df_arena_strdup(arena, text), *to = out;
    for (const char *p = text; out && *p; p++)
        if ((unsigned char)*p >= 0x80 || isalnum((unsigned char)*p))
            *to++ = *p;
    if (out)
        *to = '\0';
    return out;
}

/* Whether the text holds the words when spaces and punctuation are ignored. Chinese and Japanese
 * have no spaces, so a quote that spans two lines matches only this way. */
static bool holds_squeezed(const char *text, const char *words, df_arena *arena)
{
    const char *a, *b;
    return strpbrk(words, "\xE0\xE1\xE2\xE3\xE4\xE5\xE6\xE7\xE8\xE9\xEF\xF0") &&
           (a = squeezed(text, arena)) != NULL && (b = squeezed(words, arena)) != NULL &&
           strstr(a, b);
}

/* Judges one quote of the caption: a text line or the alt-text must hold its words, or all lines
 * together. */
static void add_quote(support *s, const char *const *lines, const char *alt, const char *all,
                      int from, int to)
{
    int first = 0, last;
    while (first < s->n && s->words[first].to <= from)
        first++;
    for (last = first; last < s->n && s->words[last].from < to; last++)
        ;
    if (first == last)
        return;
    const char *words = spaced_words(s->words + first, last - first, s->arena);
    int line = words ? line_with(s, lines, words, alt) : -1;
    if (line < 0 && words &&
        /* the quote spans several lines, or differs in a letter that the reader or the engine got
         * wrong */
        all &&
        (strstr(all, words) || holds_squeezed(all, words, s->arena) ||
         df_text_holds_nearly(all, words)))
        line = 0;
    if (line < 0) {
        if (s->out->n_quotes++ == 0)
            s->out->quote = df_arena_printf(s->arena, "%.*s", to - from, s->caption + from);
        return;
    }
    bool is_line = line < s->ev->n_lines;
    mark_supported(s, first, last, is_line ? DF_BY_LINE : DF_BY_ALT,
                   is_line ? s->ev->lines[line].item : 0);
    for (int i = first; i < last; i++)
        s->words[i].quoted = true;
    memset(s->out->own + from, ' ', (size_t)(to - from));
}

/* The beginning of a line: a very long line counts as quoted when its beginning is. */
static const char *first_words(const support *s, const char *line)
{
    size_t n = 1;
    for (int words = 0; line[n] && words < LINE_WORDS; n++)
        words += line[n] == ' ';
    const char *first = df_arena_printf(s->arena, "%.*s", (int)n, line);
    return first ? first : line;
}

/* The words of line i. Of a word that is hyphenated across two lines, the first line has the whole
 * and the second line nothing. */
static const char *line_words(const support *s, int i, int *n)
{
    const df_line *l = &s->ev->lines[i];
    const bool joins = i + 1 < s->ev->n_lines && l[1].paragraph == l->paragraph &&
                       l[1].item - l->item <= 1 &&
                       df_lines_join(l->text, l[1].text) == DF_JOIN_WORD;
    const bool joined = i > 0 && l[-1].paragraph == l->paragraph && l->item - l[-1].item <= 1 &&
                        df_lines_join(l[-1].text, l->text) == DF_JOIN_WORD;
    const char *text = l->text + (joined ? strcspn(l->text, " ") : 0), *words;
    df_str whole = {0};
    if (!joins)
        return spaced_text(text, s->arena, n);
    const char *rest = df_arena_printf(s->arena, "%.*s", (int)strcspn(l[1].text, " "), l[1].text);
    if (!rest)
        return NULL;
    df_paragraph_append((const df_line[]){{.text = text}, {.text = rest}}, 2, SIZE_MAX, &whole);
    words = spaced_text(df_str_text(&whole), s->arena, n);
    s->arena->failed |= whole.failed;
    df_str_free(&whole);
    return words;
}

static bool joins_close(const df_line *a, const df_line *b)
{
    return a->paragraph == b->paragraph && df_lines_join(a->text, b->text) == DF_JOIN_CLOSE;
}

/* Whether the caption contains a line: exactly, by its beginning, with a few wrong letters, or
 * without spaces where the neighbouring line is written without them. */
static bool is_told(const support *s, int i, const char *line, int words)
{
    if (strstr(s->text, line) || (words > LINE_WORDS && strstr(s->text, first_words(s, line))))
        return true;
    if (df_text_holds_nearly(s->text, line))
        return true;
    const df_line *l = &s->ev->lines[i];
    const bool close =
        (i > 0 && joins_close(l - 1, l)) || (i + 1 < s->ev->n_lines && joins_close(l, l + 1));
    return close && holds_squeezed(s->text, line, s->arena);
}

/* Counts the text lines that the caption tells, and judges each of its quotes. */
static bool find_quotes(support *s)
{
    int n = s->ev->n_lines, ignored;
    const char **lines = df_arena_alloc(s->arena, (size_t)n + 1, sizeof *lines);
    df_str joined = {0};
    if (!lines)
        return false;
    for (int i = 0; i < n; i++) {
        int words = 0;
        lines[i] = line_words(s, i, &words);
        if (!lines[i]) {
            df_str_free(&joined);
            return false;
        }
        df_str_append(&joined, i ? lines[i] + 1 : lines[i]);
        if (words == 0)
            continue;
        const bool told = is_told(s, i, lines[i], words);
        s->out->lines++;
        s->out->lines_told += told;
        s->out->line_words += words;
        s->out->line_words_told += told ? words : 0;
    }
    const char *alt = *s->ev->alt_text ? spaced_text(s->ev->alt_text, s->arena, &ignored) : NULL;
    for (const char *p = s->caption; *p; p++) {
        int open = quote_mark(p), close = 0;
        if (!open)
            continue;
        const char *end = p + open;
        while (*end && (close = quote_mark(end)) == 0)
            end++;
        if (!*end)
            break;
        add_quote(s, lines, alt, joined.data, (int)(p + open - s->caption),
                  (int)(end - s->caption));
        p = end + close - 1;
    }
    const bool failed = joined.failed;
    df_str_free(&joined);
    return !failed;
}

/* Marks runs of words that the alt-text has as well: at least two words, one of them with a
 * capital. */
static void find_alt(support *s)
{
    for (int i = 0; i < s->n; i++) {
        int best = 0;
        bool name = false;
        for (int k = 0; k < s->n_alt; k++) {
            int run = 0;
            while (i + run < s->n && k + run < s->n_alt &&
                   s->words[i + run].text[0] == s->alt[k + run].text[0] &&
                   strcmp(s->words[i + run].text, s->alt[k + run].text) == 0)
                run++;
            best = run > best ? run : best;
        }
        for (int k = 0; k < best; k++)
            name = name || isupper((unsigned char)s->caption[s->words[i + k].from]);
        if (best >= 2 && name && !claimed(s, i, i + best)) {
            mark_supported(s, i, i + best, DF_BY_ALT, 0);
            i += best - 1;
        }
    }
}

static bool in_alt(const support *s, const df_noun *noun)
{
    for (int i = 0; i < s->n_alt; i++) {
        const df_noun *other = df_nouns_find(s->nouns, s->alt[i].text, strlen(s->alt[i].text));
        if (other && (df_noun_is(s->nouns, other, noun) || df_noun_is(s->nouns, noun, other)))
            return true;
    }
    return false;
}

/* Looks for evidence of a noun: a box, else a tag, else the alt-text. The noun in the evidence may
 * be a kind of the one in the caption, or the other way round. */
static bool back_noun(support *s, int from, int to, const df_noun *noun)
{
    int box = -1, tag = -1;
    for (int i = 0; i < s->ev->n_boxes; i++)
        if (s->box_first[i] == i && s->box_noun[i] &&
            (df_noun_is(s->nouns, s->box_noun[i], noun) ||
             df_noun_is(s->nouns, noun, s->box_noun[i]))) {
            s->box_told[i] = true;
            box = box < 0 ? i : box;
        }
    for (int i = 0; i < s->ev->n_tags && tag < 0; i++)
        if (s->tag_noun[i] && (df_noun_is(s->nouns, s->tag_noun[i], noun) ||
                               df_noun_is(s->nouns, noun, s->tag_noun[i])))
            tag = i;
    if (box >= 0)
        mark_supported(s, from, to, DF_BY_BOX, s->ev->boxes[box].item);
    else if (tag >= 0)
        mark_supported(s, from, to, DF_BY_TAG, s->ev->tags[tag].item);
    else if (in_alt(s, noun))
        mark_supported(s, from, to, DF_BY_ALT, 0);
    else
        return false;
    return true;
}

static bool is_ambiguous(const char *word)
{
    for (size_t i = 0; i < sizeof ambiguous / sizeof *ambiguous; i++)
        if (ambiguous[i][0] == word[0] && strcmp(ambiguous[i], word) == 0)
            return true;
    return false;
}

/* Looks for nouns, the longest first, and whether the evidence holds each. */
static void find_nouns(support *s)
{
    for (int i = 0; i < s->n; i++) {
        for (int size = df_nouns_may_begin(s->nouns, s->words[i].text) ? NGRAM : 1; size >= 1;
             size--) {
            if (i + size > s->n || s->words[i].quoted)
                continue;
            char key[DF_LABEL_MAX * 2];
            size_t n = 0;
            for (int k = 0; k < size && n < sizeof key; k++) {
                size_t m = strlen(s->words[i + k].text);
                if (n + m + 1 >= sizeof key)
                    break;
                memcpy(key + n, s->words[i + k].text, m);
                n += m;
                key[n++] = ' ';
            }
            const df_noun *noun = n ? df_nouns_find(s->nouns, key, n - 1) : NULL;
            if (!noun || (claimed(s, i, i + size) && s->claim[i].by != DF_BY_ALT))
                continue;
            bool backed = back_noun(s, i, i + size, noun);
            bool thing = noun->kind != DF_NOUN_SCENE && !noun->weak &&
                         !(size == 1 && is_ambiguous(s->words[i].text));
            s->out->n_named += thing || (backed && noun->kind != DF_NOUN_SCENE);
            if (!backed && thing && !s->claim[i].to && s->out->n_invented++ == 0)
                s->out->invented = df_arena_printf(s->arena, "%.*s", (int)(n - 1), key);
            i += size - 1;
            break;
        }
    }
}

/* Searches the caption for boxes with labels that are not in the noun table: the label as it is,
 * then its plural. */
static void find_unknown(support *s)
{
    for (int b = 0; b < s->ev->n_boxes; b++) {
        int n;
        if (s->box_noun[b] || !s->box_name[b][0] || s->box_first[b] < b)
            continue;
        const char *name = spaced_text(s->box_name[b], s->arena, &n),
                   *at = name && n ? strstr(s->text, name) : NULL;
        df_str many = {0};
        df_plural_append(&many, s->box_name[b]);
        if (!at && (name = spaced_text(df_str_text(&many), s->arena, &n)) != NULL && n)
            at = strstr(s->text, name);
        s->arena->failed |= many.failed;
        df_str_free(&many);
        if (!at)
            continue;
        int from = 0;
        for (const char *p = s->text; p < at; p++)
            from += *p == ' ';
        s->box_told[b] = true;
        if (from + n <= s->n && !claimed(s, from, from + n))
            mark_supported(s, from, from + n, DF_BY_BOX, s->ev->boxes[b].item);
    }
}

static bool has_colour(const df_region *r, const char *base)
{
    for (int i = 0; i < r->n_colours; i++) {
        const char *space = strrchr(r->colours[i].name, ' ');
        if (strcmp(space ? space + 1 : r->colours[i].name, base) == 0)
            return true;
    }
    return false;
}

/* Looks for colours that the image, a cell or a box has. */
static void find_colours(support *s)
{
    static const char *const names[] = {"black", "white", "grey",      "red",   "orange", "yellow",
                                        "green", "blue",  "purple",    "pink",  "brown",  "beige",
                                        "olive", "teal",  "turquoise", "sepia", NULL};
    for (int i = 0; i < s->n; i++) {
        const char *said = s->words[i].text,
                   *word = said[0] == 'g' && strcmp(said, "gray") == 0 ? "grey" : said;
        const char *const *name = names;
        while (*name && ((*name)[0] != word[0] || strcmp(*name, word) != 0))
            name++;
        if (!*name || claimed(s, i, i + 1))
            continue;
        bool held = has_colour(&s->ev->whole, word);
        for (int k = 0; k < 9 && !held; k++)
            held = has_colour(&s->ev->cells[k], word);
        for (int k = 0; k < s->ev->n_boxes && !held; k++)
            held = has_colour(&s->ev->boxes[k].look, word);
        const char *before = i > 0 ? s->words[i - 1].text : "";
        bool shade = strcmp(before, "dark") == 0 || strcmp(before, "light") == 0 ||
                     strcmp(before, "pale") == 0;
        int from = shade && !claimed(s, i - 1, i) ? i - 1 : i;
        if (held)
            mark_supported(s, from, i + 1, DF_BY_LOOK, 0);
    }
}

static void count_objects(support *s)
{
    for (int i = 0; i < s->ev->n_boxes; i++) {
        if (s->box_first[i] < i || !s->box_name[i][0])
            continue;
        s->out->objects++;
        s->out->objects_told += s->box_told[i];
    }
}

static void collect_spans(support *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->claim[i].to && (i == 0 || s->claim[i - 1].from != s->claim[i].from))
            s->out->spans[s->out->n_spans++] = s->claim[i];
}

/* Makes room, and looks up the nouns that boxes and tags name. False: out of memory. */
static bool prepare_support(support *s)
{
    size_t n = (size_t)s->n + 1, boxes = (size_t)s->ev->n_boxes + 1,
           tags = (size_t)s->ev->n_tags + 1;
    s->claim = df_arena_alloc(s->arena, n, sizeof *s->claim);
    s->out->spans = df_arena_alloc(s->arena, n, sizeof *s->out->spans);
    s->box_noun = df_arena_alloc(s->arena, boxes, sizeof *s->box_noun);
    s->tag_noun = df_arena_alloc(s->arena, tags, sizeof *s->tag_noun);
    s->box_name = df_arena_alloc(s->arena, boxes, sizeof *s->box_name);
    s->box_told = df_arena_alloc(s->arena, boxes, sizeof *s->box_told);
    s->box_first = df_arena_alloc(s->arena, boxes, sizeof *s->box_first);
    s->text = spaced_words(s->words, s->n, s->arena);
    s->alt = df_words_of(s->ev->alt_text, s->arena, &s->n_alt);
    s->out->own = df_arena_strdup(s->arena, s->caption);
    if (!s->out->own || !s->claim || !s->out->spans || !s->box_noun || !s->tag_noun ||
        !s->box_name || !s->box_told || !s->box_first || !s->text || !s->alt)
        return false;
    s->n_alt = s->n_alt < ALT_WORDS_MAX ? s->n_alt : ALT_WORDS_MAX;
    for (int i = 0; i < s->ev->n_boxes; i++)
        s->box_noun[i] = df_nouns_label(s->nouns, s->ev->boxes[i].label, s->box_name[i]);
    for (int i = 0; i < s->ev->n_boxes; i++)
        while (s->box_noun[s->box_first[i]] != s->box_noun[i] ||
               (!s->box_noun[i] && strcmp(s->box_name[s->box_first[i]], s->box_name[i]) != 0))
            s->box_first[i]++;
    for (int i = 0; i < s->ev->n_tags; i++)
        s->tag_noun[i] = df_nouns_label(s->nouns, s->ev->tags[i].label, NULL);
    return true;
}

bool df_support_find(const df_nouns *nouns, const char *caption, df_word *words, int n_words,
                     const df_evidence *ev, df_arena *arena, df_support *out)
{
    *out = (df_support){0};
    support s = {.nouns = nouns,
                 .caption = caption,
                 .words = words,
                 .n = n_words,
                 .ev = ev,
                 .arena = arena,
                 .out = out};
    if (!prepare_support(&s) || !find_quotes(&s))
        return false;
    find_alt(&s);
    find_nouns(&s);
    find_unknown(&s);
    find_colours(&s);
    count_objects(&s);
    collect_spans(&s);
    return true;
}
