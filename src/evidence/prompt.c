/* Parses prompt templates and fills them with evidence; makes foreign text harmless. */
#include "evidence/prompt.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "evidence/paragraph.h"

typedef enum { LITERAL, WORLD_KNOWLEDGE, DETECTION_BOX, OCR, TAGS, WIDTH, HEIGHT } piece_kind;
static const char *const placeholder_names[] = {"",     "world_knowledge", "detection_box", "ocr",
                                                "tags", "width",           "height"};
enum { N_KINDS = sizeof placeholder_names / sizeof placeholder_names[0] };

/* A piece of the template. text points into the template. block: number of the block, from 0. */
typedef struct {
    piece_kind kind;
    const char *text;
    size_t size;
    int block;
} piece;
struct df_prompt {
    char *text;
    size_t size;
    piece *pieces;
    int n_pieces;
};

/* ---- foreign text ---- */

static const char *const roles[] = {"user",      "assistant", "system", "human", "model",
                                    "developer", "tool",      "gpt",    "bot",   "ai"};

/* Whether a chat role's name ends at p[n], as a whole word: "Human:" but not "superhuman:". */
static bool ends_in_role(const char *p, size_t n)
{
    while (n > 0 && p[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        const size_t size = strlen(roles[i]);
        if (n < size || strncasecmp(p + n - size, roles[i], size) != 0)
            continue;
        const unsigned char before = n > size ? (unsigned char)p[n - size - 1] : ' ';
        const int letter = before | 32;
        if (before < 0x80 && (letter < 'a' || letter > 'z') && (before < '0' || before > '9'))
            return true;
    }
    return false;
}

/* Whether the text already is what df_str_append_clean would make of it. Most text is: printable
 * ASCII with single spaces. */
static bool is_clean(const char *text, size_t size)
{
    bool space = true;                       /* no space at the start */
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c > '~' || (c == ' ' && space))
            return false;
        space = c == ' ';
    }
    return size == 0 || !space;
}

/* What a character of foreign text becomes, so that it can't end a section, open a tag or play a
 * role. */
static const char *replacement(const char *p, size_t i)
{
    switch (p[i]) {
    case '[':
        return "(";
    case ']':
        return ")";
    case '<':
        return "\xE2\x80\xB9";
    case '>':
        return "\xE2\x80\xBA";
    case '#':
        return i > 0 && p[i - 1] == '#' ? "" : "#";
    case '`':
        return i > 0 && p[i - 1] == '`' ? "" : "'";
    default:
        return ends_in_role(p, i) ? " -" : ":";
    }
}

static void append_harmless(df_str *out, const char *p)
{
    for (size_t i = 0;;) {
        const size_t run = strcspn(p + i, "[]<>#`:");
        df_str_append_n(out, p + i, run);
        i += run;
        if (!p[i])
            return;
        df_str_append(out, replacement(p, i++));
    }
}

void df_prompt_append_foreign(df_str *out, const char *text, size_t max_bytes)
{
    const size_t size = strlen(text);
    if (size <= max_bytes && is_clean(text, size)) {
        append_harmless(out, text);
        return;
    }
    df_str clean = {0};
    df_str_append_clean(&clean, text, size, max_bytes);
    append_harmless(out, df_str_text(&clean));
    out->failed |= clean.failed;
    df_str_free(&clean);
}

/* ---- the template ---- */

void df_prompt_close(df_prompt *prompt)
{
    if (!prompt)
        return;
    free(prompt->text);
    free(prompt->pieces);
    free(prompt);
}

/* Normalises a template in place: CRLF to LF, no spaces at the ends of lines, at most one blank
 * line in a row, none at the ends. Returns the new size. */
static size_t tidy(char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\r')
            continue;
        if (text[i] == '\n')
            while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
                n--;
        if (text[i] == '\n' && (n == 0 || (n >= 2 && text[n - 1] == '\n' && text[n - 2] == '\n')))
            continue;
        text[n++] = text[i];
    }
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        n--;
    text[n] = '\0';
    return n;
}

/* Length in bytes of the placeholder {name} at p, 0 when there is none. */
static size_t placeholder_size(const char *p)
{
    if (*p != '{')
        return 0;
    const size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
    return n > 0 && p[n + 1] == '}' ? n + 2 : 0;
}

static int placeholder_kind(const char *p, size_t size)
{
    for (int k = 1; k < N_KINDS; k++)
        if (strlen(placeholder_names[k]) == size - 2 &&
            memcmp(p + 1, placeholder_names[k], size - 2) == 0)
            return k;
    return LITERAL;
}

static void add_piece(df_prompt *t, piece_kind kind, const char *text, size_t size, int block)
{
    if (kind != LITERAL || size > 0)
        t->pieces[t->n_pieces++] = (piece){kind, text, size, block};
}

/* Cuts t->text into literals, placeholders and blocks. t->pieces has room for all. */
static df_status cut_template(df_prompt *t, const char *name, df_error *err)
{
    int line = 1, block = 0;
    const char *from = t->text, *p = t->text;
    while (*p) {
        const size_t size = placeholder_size(p);
        if (size > 0) {
            const int kind = placeholder_kind(p, size);
            if (kind == LITERAL)
                return df_fail(
                    err, DF_FORMAT,
                    "%s:%d: unknown placeholder %.*s; there are {world_knowledge} {detection_box} "
                    "{ocr} {tags} {width} {height}",
                    name, line, (int)(size > 60 ? 60 : size), p);
            add_piece(t, LITERAL, from, (size_t)(p - from), block);
            add_piece(t, (piece_kind)kind, p, size, block);
            p += size;
            from = p;
        } else if (p[0] == '\n' && p[1] == '\n') {
            add_piece(t, LITERAL, from, (size_t)(p - from), block++);
            line += 2;
            p += 2;
            from = p;
        } else {
            line += *p++ == '\n';
        }
    }
    add_piece(t, LITERAL, from, (size_t)(p - from), block);
    return DF_OK;
}

df_status df_prompt_open(df_prompt **out, const char *name, const char *text, size_t size,
                         df_error *err)
{
    if (size > DF_PROMPT_TEMPLATE_MAX)
        return df_fail(err, DF_FORMAT, "%s: a template has at most %d bytes", name,
                       DF_PROMPT_TEMPLATE_MAX);
    if (memchr(text, 0, size))
        return df_fail(err, DF_FORMAT, "%s: not a text file", name);
    df_prompt *t = calloc(1, sizeof *t);
    if (t) {
        t->text = malloc(size + 1);
        /* a placeholder and the literal before it take at least 3 bytes */
        t->pieces = calloc(size + 2, sizeof *t->pieces);
    }
    if (!t || !t->text || !t->pieces) {
        df_prompt_close(t);
        return df_no_memory(err, "%s", name);
    }
    memcpy(t->text, text, size);
    t->size = tidy(t->text, size);
    df_status status = t->size == 0 ? df_fail(err, DF_FORMAT, "%s: the template is empty", name)
                                    : cut_template(t, name, err);
    if (status == DF_OK)
        *out = t;
    else
        df_prompt_close(t);
    return status;
}

/* ---- filling ---- */

static bool blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

/* Whether the image has anything for a place of the template. */
static bool has_evidence(piece_kind kind, const df_evidence *e)
{
    switch (kind) {
    case WORLD_KNOWLEDGE:
        return !blank(e->alt_text);
    case DETECTION_BOX:
        return e->n_boxes > 0;
    case OCR:
        return e->n_lines > 0;
    case TAGS:
        return e->n_tags > 0;
    case WIDTH:
        return e->width > 0;
    case HEIGHT:
        return e->height > 0;
    case LITERAL:
        break;
    }
    return false;
}

static int64_t pixel(double v, int64_t limit)
{
    if (!(v > 0))
        return 0;
    return limit > 0 && v >= (double)limit ? limit : v < 1e9 ? llround(v) : 1000000000;
}

/* Writes digits without printf, which takes ten times as long; most of a prompt is numbers. */
static void append_number(df_str *out, int64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    df_str_append_n(out, digits + at, sizeof digits - at);
}

/* Appends a line a box: its count, label and sides in pixels. */
static void append_boxes(const df_evidence *e, df_str *out)
{
    for (int i = 0; i < e->n_boxes; i++) {
        const df_box *b = &e->boxes[i];
        const int64_t at[4] = {pixel(b->x0, e->width), pixel(b->y0, e->height),
                               pixel(b->x1, e->width), pixel(b->y1, e->height)};
        df_str_append(out, i ? "\n" : "");
        if (b->count > 1) {
            append_number(out, b->count);
            df_str_append(out, " x ");
        }
        df_prompt_append_foreign(out, b->label, DF_PROMPT_LABEL_MAX);
        for (int k = 0; k < 4; k++) {
            df_str_append(out, k ? ", " : ": [");
            append_number(out, at[k]);
        }
        df_str_append(out, "]");
    }
}

/* Writes one paragraph a line. */
static void append_paragraphs(const df_evidence *e, df_str *out)
{
    df_str text = {0};
    for (int i = 0, end; i < e->n_lines; i = end) {
        end = df_paragraph_end(e->lines, e->n_lines, i);
        df_str_append(out, i ? "\n" : "");
        if (end == i + 1) {
            df_prompt_append_foreign(out, e->lines[i].text, DF_PROMPT_PARAGRAPH_MAX);
            continue;
        }
        df_str_clear(&text);
        df_paragraph_append(e->lines + i, end - i, DF_PROMPT_PARAGRAPH_MAX, &text);
        df_prompt_append_foreign(out, df_str_text(&text), DF_PROMPT_PARAGRAPH_MAX);
        out->failed |= text.failed;
    }
    df_str_free(&text);
}

/* Appends a piece of the template, filled with the evidence. */
static void append_piece(const piece *p, const df_evidence *e, df_str *out)
{
    switch (p->kind) {
    case LITERAL:
        df_str_append_n(out, p->text, p->size);
        break;
    case WORLD_KNOWLEDGE:
        if (!blank(e->alt_text))
            df_prompt_append_foreign(out, e->alt_text, DF_PROMPT_ALT_MAX);
        break;
    case DETECTION_BOX:
        append_boxes(e, out);
        break;
    case OCR:
        append_paragraphs(e, out);
        break;
    case TAGS:
        for (int i = 0; i < e->n_tags; i++) {
            df_str_append(out, i ? ", " : "");
            df_prompt_append_foreign(out, e->tags[i].label, DF_PROMPT_LABEL_MAX);
        }
        break;
    case WIDTH:
        append_number(out, e->width > 0 ? e->width : 0);
        break;
    case HEIGHT:
        append_number(out, e->height > 0 ? e->height : 0);
        break;
    }
}

df_status df_prompt_fill(const df_prompt *prompt, const df_evidence *fused, df_str *out,
                         df_error *err)
{
    bool first = true;
    for (int i = 0, end; i < prompt->n_pieces; i = end) {
        bool asks = false, answered = false;
        for (end = i;
             end < prompt->n_pieces && prompt->pieces[end].block == prompt->pieces[i].block;
             end++) {
            asks |= prompt->pieces[end].kind != LITERAL;
            answered |= has_evidence(prompt->pieces[end].kind, fused);
        }
        if (asks && !answered)
            continue;
        df_str_append(out, first ? "" : "\n\n");
        first = false;
        for (int k = i; k < end; k++)
            append_piece(&prompt->pieces[k], fused, out);
    }
    return out->failed ? df_no_memory(err, "fill a prompt") : DF_OK;
}
