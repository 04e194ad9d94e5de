/* All text, quoted exactly, paragraph by paragraph, grouped by what it is written on and where. */
#include "engine/compose/compose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/paragraph.h"
#include "language/english.h"

enum { QUOTE_BYTES = 240, QUOTE_WORDS = 40, RESERVE_WORDS = 24 };

/* A paragraph, or a part of it that is short enough to be left out or told as a whole. goes_on: the
 * next part of the paragraph of the quote before; in one pair of quotation marks with it. cut: a
 * line too long to be quoted whole. */
typedef struct {
    const char *text;
    compose_rect rect;
    double height;
    int home, n_lines, words;
    bool goes_on, close, cut;
} quote;
typedef struct {
    const quote **quote;
    int n, home, n_lines;
    compose_rect hull;
    int words;
} text_group;

static compose_rect line_rect(const composer *c, const df_line *line)
{
    double w = c->ev->width > 0 ? (double)c->ev->width : 1,
           h = c->ev->height > 0 ? (double)c->ev->height : 1;
    compose_rect r = {1, 1, 0, 0};
    for (int k = 0; k < 4; k++) {
        double x = isfinite(line->x[k]) ? fmin(fmax(line->x[k] / w, 0), 1) : 0.5;
        double y = isfinite(line->y[k]) ? fmin(fmax(line->y[k] / h, 0), 1) : 0.5;
        r = (compose_rect){fmin(r.x0, x), fmin(r.y0, y), fmax(r.x1, x), fmax(r.y1, y)};
    }
    return r;
}

static int zone(compose_rect r)
{
    double cx = (r.x0 + r.x1) / 2, cy = (r.y0 + r.y1) / 2;
    return (cy < 0.34 ? 0 : cy > 0.66 ? 2 : 1) * 3 + (cx < 0.34 ? 0 : cx > 0.66 ? 2 : 1);
}

/* Text to go within our own quotation marks: its own double quotes become single; a very long line
 * is cut at a word. */
static void put_quoted(composer *c, const char *text)
{
    size_t n = 0, good = 0;
    int words = 0;
    for (; text[n] && n < QUOTE_BYTES && words < QUOTE_WORDS; n++) {
        if (text[n] == ' ') {
            good = n;
            words++;
        }
    }
    bool whole = text[n] == '\0';
    if (!whole && good > 0)
        n = good;
    while (!whole && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++) {
        const unsigned char *u = (const unsigned char *)text + i;
        bool curly = u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x9C && u[2] <= 0x9F;
        bool plain = u[0] != '"' && !curly;
        df_str_append_n(&c->now, plain ? text + i : "'", 1);
        i += curly ? 2 : 0;
    }
}

static bool same_text_before(const text_group *g, int at)
{
    for (int i = 0; i < at; i++)
        if (strcmp(g->quote[i]->text, g->quote[at]->text) == 0)
            return true;
    return false;
}

/* Puts the quotes [from, to) of a group; parts of one paragraph share their quotation marks. */
static void put_quotes(composer *c, const text_group *g, int from, int to)
{
    int last = to - 1, before = -1; /* the quote that was put last */
    while (last > from && same_text_before(g, last))
        last--;
    int last_open = last;
    while (last_open > from && g->quote[last_open]->goes_on)
        last_open--;
    for (int i = from; i <= last; i++) {
        if (same_text_before(g, i))
            continue;
        const bool goes_on = before >= 0 && before == i - 1 && g->quote[i]->goes_on &&
                             g->quote[before] == g->quote[i] - 1;
        if (goes_on)
            df_str_append(&c->now, g->quote[i]->close ? "" : " ");
        else
            df_str_append(&c->now, before < 0 ? "\"" : i == last_open ? "\" and \"" : "\", \"");
        put_quoted(c, g->quote[i]->text);
        before = i;
    }
    df_str_append(&c->now, before >= 0 ? "\"" : "");
}

static const char *kind_word(const char *text, bool several)
{
    bool digits = true, latin = true;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        digits = digits && ((*p >= '0' && *p <= '9') || strchr(" .,:-/", *p));
        latin = latin && *p < 0xD0;
    }
    if (several)
        return "the words";
    if (!latin)
        return "the text";
    return digits ? "the number" : strchr(text, ' ') ? "the words" : "the word";
}

static const char *name_of_box(const composer *c, int box, bool *main)
{
    for (int g = 0; g < c->n_groups; g++)
        for (int i = 0; i < c->groups[g].n; i++)
            if (c->groups[g].box[i] == box) {
                const df_noun *noun = c->groups[g].noun;
                *main = g == 0 && c->groups[g].n == 1 && !(noun && noun->kind == DF_NOUN_PERSON);
                return c->groups[g].name;
            }
    *main = false;
    return NULL;
}

static const char *size_of_text(const text_group *g)
{
    /* room between lines, and slant, make it less */
    double height = (g->hull.y1 - g->hull.y0) / (g->n_lines + 1);
    if (g->n_lines == 1)
        height = g->hull.y1 - g->hull.y0;
    return height > 0.1 ? "in large letters " : height < 0.016 ? "in small letters " : "";
}

static void put_where(composer *c, const text_group *g, const char *on, bool main)
{
    const char *where = compose_place(g->hull);
    if (on && main)
        compose_put(c, "on it, %s", where);
    else if (on)
        compose_put(c, "on the %s %s", on, where);
    else
        df_str_append(&c->now, where);
}

/* Says the text that stands together, in one of three builds. */
static void say_group(composer *c, const text_group *g, int index)
{
    bool main = false;
    const char *on = g->home >= 0 ? name_of_box(c, g->home, &main) : NULL, *size = size_of_text(g);
    const char *kind = kind_word(g->quote[0]->text, g->n > 1);
    bool plural = strcmp(kind, "the words") == 0;
    int k = main && index == 0 ? 0 : (compose_pick(c, 300, 3) + index) % 3;
    if (k == 0) {
        compose_put(c, "%s ", kind);
        put_quotes(c, g, 0, g->n);
        compose_put(c, " %s written %s", plural ? "are" : "is", size);
        put_where(c, g, on, main && index == 0);
    } else {
        put_where(c, g, on, false);
        if (k == 1)
            compose_put(c, " %s %s ", plural ? "are" : "is", kind);
        else
            compose_put(c, ", the text %sreads ", size);
        put_quotes(c, g, 0, g->n);
        if (k == 1 && *size)
            compose_put(c, ", %.*s", (int)strlen(size) - 1, size);
    }
    compose_say(c, main && index == 0 ? SLOT_MAIN_TEXT : SLOT_TEXT);
}

/* The text that is much larger than the rest, or -1. */
static int headline(const text_group *all)
{
    int best = -1;
    double first = 0, second = 0;
    for (int i = 0; i < all->n; i++) {
        double h = all->quote[i]->height;
        if (h > first) {
            second = first;
            first = h;
            best = i;
        } else if (h > second)
            second = h;
    }
    return first > 1.4 * second ? best : -1;
}

/* Everything in reading order, as much as there is room for: a page or a poster. */
static void say_page(composer *c, text_group *all)
{
    int head = headline(all), n = 0, words = 14;
    if (head >= 0) {
        compose_put(c, "the largest text, %s, is ", compose_place(all->quote[head]->rect));
        put_quotes(c, all, head, head + 1);
        if (compose_say(c, SLOT_TEXT)) {
            memmove(all->quote + head, all->quote + head + 1,
                    (size_t)(all->n - head - 1) * sizeof *all->quote);
            all->n--;
        }
    }
    for (; n < all->n; n++) {
        int more = same_text_before(all, n) ? 0 : all->quote[n]->words;
        if (words + (more < QUOTE_WORDS ? more : QUOTE_WORDS) >
            compose_words_left(c) - RESERVE_WORDS)
            break;
        words += more < QUOTE_WORDS ? more : QUOTE_WORDS;
    }
    if (n == 0)
        return;
    df_str_append(&c->now, head >= 0 ? "the rest reads, from top to bottom, "
                                     : "from top to bottom the text reads ");
    put_quotes(c, all, 0, n);
    if (compose_say(c, SLOT_TEXT) && n < all->n) {
        df_str_append(&c->now, "more lines of text follow");
        compose_say(c, SLOT_TEXT);
    }
}

static double line_height(const df_line *l)
{
    return fmin(hypot(l->x[3] - l->x[0], l->y[3] - l->y[0]),
                hypot(l->x[1] - l->x[0], l->y[1] - l->y[0]));
}

/* Index after the last line that goes into one quote with line `from`. */
static int quote_end(const composer *c, int from)
{
    const df_line *lines = c->ev->lines;
    size_t bytes = strlen(lines[from].text);
    int end = from + 1, words = df_words_count(lines[from].text);
    const int last = df_paragraph_end(lines, c->ev->n_lines, from);
    for (; end < last && c->home[end] == c->home[from]; end++) {
        bytes += 1 + strlen(lines[end].text);
        words += df_words_count(lines[end].text);
        if (bytes > QUOTE_BYTES || words > QUOTE_WORDS)
            break;
    }
    while (end > from + 1 && end < last &&
           df_lines_join(lines[end - 1].text, lines[end].text) == DF_JOIN_WORD)
        end--; /* a broken word stays whole */
    return end;
}

/* Makes a quote of the lines [from, end). False: out of memory. */
static bool quote_of(const composer *c, int from, int end, quote *out)
{
    const df_line *lines = c->ev->lines;
    df_str joined = {0};
    *out =
        (quote){.rect = line_rect(c, &lines[from]), .home = c->home[from], .n_lines = end - from};
    if (from > 0 && lines[from].paragraph == lines[from - 1].paragraph &&
        c->home[from] == c->home[from - 1]) {
        out->goes_on = true;
        out->close = df_lines_join(lines[from - 1].text, lines[from].text) != DF_JOIN_SPACE;
    }
    for (int i = from; i < end; i++) {
        out->rect = rect_hull(out->rect, line_rect(c, &lines[i]));
        out->height = fmax(out->height, line_height(&lines[i]));
    }
    if (end == from + 1) {
        out->text = lines[from].text;
    } else {
        df_paragraph_append(lines + from, end - from, QUOTE_BYTES, &joined);
        out->text = joined.failed ? NULL : df_arena_strdup(c->arena, df_str_text(&joined));
        df_str_free(&joined);
    }
    out->words = out->text ? df_words_count(out->text) : 0;
    out->cut = out->text && (out->words >= QUOTE_WORDS || strlen(out->text) >= QUOTE_BYTES);
    return out->text != NULL;
}

static void group_add(text_group *g, const quote *q)
{
    g->hull = rect_hull(g->hull, q->rect);
    g->n++;
    g->n_lines += q->n_lines;
}

/* Text by what it is written on and where, groups in the order of their first line; *all is
 * everything. */
static text_group *groups_of(const composer *c, int *n_groups, text_group *all)
{
    const size_t room = (size_t)c->ev->n_lines + 1;
    text_group *groups = df_arena_alloc(c->arena, room, sizeof *groups);
    quote *quotes = df_arena_alloc(c->arena, room, sizeof *quotes);
    const quote **of_all = df_arena_alloc(c->arena, 2 * room, sizeof *of_all);
    int *of = df_arena_alloc(c->arena, room, sizeof *of);
    if (!groups || !quotes || !of_all || !of)
        return NULL;
    *all = (text_group){.quote = of_all, .home = -1};
    *n_groups = 0;
    for (int i = 0, end; i < c->ev->n_lines; i = end) {
        quote *q = &quotes[all->n];
        end = quote_end(c, i);
        if (!quote_of(c, i, end, q))
            return NULL;
        if (q->words == 0) /* a stray mark: nothing to read */
            continue;
        q->goes_on = q->goes_on && all->n > 0 && !q[-1].cut;
        int at = 0;
        while (at < *n_groups &&
               (groups[at].home != q->home || zone(groups[at].hull) != zone(q->rect)))
            at++;
        if (at == *n_groups)
            groups[(*n_groups)++] = (text_group){.home = q->home, .hull = q->rect};
        group_add(&groups[at], q);
        of[all->n] = at;
        of_all[all->n++] = q;
        all->words += q->words;
    }
    const quote **next = of_all + room;
    for (int g = 0; g < *n_groups; next += groups[g++].n) {
        groups[g].quote = next;
        for (int i = 0, k = 0; i < all->n; i++)
            if (of[i] == g)
                next[k++] = of_all[i];
    }
    return groups;
}

void compose_texts(composer *c)
{
    if (c->ev->n_lines == 0)
        return;
    int n_groups;
    text_group all, *groups = groups_of(c, &n_groups, &all);
    if (!groups) {
        c->now.failed = true;
        return;
    }
    if (n_groups > 6 || all.words + 10 * n_groups + RESERVE_WORDS > compose_words_left(c)) {
        say_page(c, &all);
        return;
    }
    for (int i = 0; i < n_groups; i++)
        say_group(c, &groups[i], i);
}
