/* Every line of text, quoted exactly, grouped by what it is written on and where. */
#include "engine/compose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/english.h"

enum { QUOTE_BYTES = 240, QUOTE_WORDS = 40, RESERVE_WORDS = 24 };

typedef struct { int *line, n, home; compose_rect hull; int words; } text_group;

static compose_rect line_rect(const composer *c, const df_line *line)
{
    double w = c->ev->width > 0 ? (double)c->ev->width : 1, h = c->ev->height > 0 ? (double)c->ev->height : 1;
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

/* The text within our own quotation marks: its own double quotes become single; a very long line is cut at a word. */
static void put_quote(composer *c, const char *text)
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
    df_str_append(&c->now, "\"");
    for (size_t i = 0; i < n; i++) {
        const unsigned char *u = (const unsigned char *)text + i;
        bool curly = u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x9C && u[2] <= 0x9F;
        bool plain = u[0] != '"' && !curly;
        df_str_append_n(&c->now, plain ? text + i : "'", 1);
        i += curly ? 2 : 0;
    }
    df_str_append(&c->now, "\"");
}

static bool same_text_before(const composer *c, const text_group *g, int at)
{
    for (int i = 0; i < at; i++)
        if (strcmp(c->ev->lines[g->line[i]].text, c->ev->lines[g->line[at]].text) == 0)
            return true;
    return false;
}

static void put_quotes(composer *c, const text_group *g, int from, int to)
{
    int last = to - 1;
    while (last > from && same_text_before(c, g, last))
        last--;
    for (int i = from; i <= last; i++) {
        if (same_text_before(c, g, i))
            continue;
        df_str_append(&c->now, i == from ? "" : i == last ? " and " : ", ");
        put_quote(c, c->ev->lines[g->line[i]].text);
    }
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
                *main = g == 0 && c->groups[g].n == 1;
                return c->groups[g].name;
            }
    *main = false;
    return NULL;
}

static const char *size_of_text(const text_group *g)
{
    double height = (g->hull.y1 - g->hull.y0) / g->n;
    return height > 0.12 ? "in large letters " : height < 0.018 ? "in small letters " : "";
}

static void say_group(composer *c, const text_group *g, int index)
{
    char place[64];
    bool main = false;
    const char *on = g->home >= 0 ? name_of_box(c, g->home, &main) : NULL;
    const char *kind = kind_word(c->ev->lines[g->line[0]].text, g->n > 1);
    const char *where = compose_place(g->hull, place);
    bool plural = strcmp(kind, "the words") == 0;
    int k = (compose_pick(c, 300, 3) + index) % 3;
    if (on || k == 0) {
        compose_put(c, "%s ", kind);
        put_quotes(c, g, 0, g->n);
        compose_put(c, " %s ", plural ? "are" : "is");
        if (on && main)
            compose_put(c, "written on it, %s", where);
        else if (on)
            compose_put(c, "written on the %s %s", on, where);
        else
            compose_put(c, "written %s%s", size_of_text(g), where);
    } else if (k == 1) {
        compose_put(c, "%s %s %s%s ", where, plural ? "are" : "is", size_of_text(g), kind);
        put_quotes(c, g, 0, g->n);
    } else {
        compose_put(c, "%s, the text %sreads ", where, size_of_text(g));
        put_quotes(c, g, 0, g->n);
    }
    compose_say(c, main ? SLOT_MAIN_TEXT : SLOT_TEXT);
}

/* Everything in reading order, as much as there is room for: a page or a poster. */
static void say_page(composer *c, const text_group *all)
{
    int n = 0, words = 12;
    for (; n < all->n; n++) {
        int more = same_text_before(c, all, n) ? 0 : df_words_count(c->ev->lines[all->line[n]].text);
        if (words + (more < QUOTE_WORDS ? more : QUOTE_WORDS) > compose_words_left(c) - RESERVE_WORDS)
            break;
        words += more < QUOTE_WORDS ? more : QUOTE_WORDS;
    }
    if (n == 0)
        return;
    df_str_append(&c->now, "from top to bottom the text reads ");
    put_quotes(c, all, 0, n);
    if (compose_say(c, SLOT_TEXT) && n < all->n) {
        df_str_append(&c->now, "more lines of text follow");
        compose_say(c, SLOT_TEXT);
    }
}

static text_group *groups_of(const composer *c, int *n_groups, text_group *all)
{
    int n = c->ev->n_lines;
    text_group *groups = df_arena_alloc(c->arena, (size_t)n + 1, sizeof *groups);
    int *lines = df_arena_alloc(c->arena, (size_t)n + 1, sizeof *lines);
    if (!groups || !lines)
        return NULL;
    *all = (text_group){.line = lines, .home = -1};
    *n_groups = 0;
    for (int i = 0; i < n; i++) {
        if (df_words_count(c->ev->lines[i].text) == 0)               /* a stray mark: nothing to read */
            continue;
        compose_rect r = line_rect(c, &c->ev->lines[i]);
        int at = *n_groups - 1;
        lines[all->n] = i;
        all->words += df_words_count(c->ev->lines[i].text);
        bool joins = at >= 0 && groups[at].home == c->home[i] && zone(groups[at].hull) == zone(r);
        if (!joins)
            groups[at = (*n_groups)++] = (text_group){.line = lines + all->n, .home = c->home[i], .hull = r};
        text_group *g = &groups[at];
        g->hull = (compose_rect){fmin(g->hull.x0, r.x0), fmin(g->hull.y0, r.y0), fmax(g->hull.x1, r.x1), fmax(g->hull.y1, r.y1)};
        g->n++;
        all->n++;
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
