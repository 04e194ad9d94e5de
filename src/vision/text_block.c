/* From lines to rows (pieces side by side), from rows to blocks (rows under each other), and where
 * paragraphs begin in a block. */
#include "vision/text_block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/paragraph.h"

/* Distances in heights of the smaller of two lines. A box is about 1.3 times as high as its
 * letters. */
#define ROW_GAP 0.8                          /* between pieces of a row */
#define LINE_GAP 0.7                         /* between rows of a block */
/* left edges that differ by less are aligned; the first row may be indented */
#define EDGE_ROOM 2.5
#define SAME_EDGE 0.8 /* right edges and middles that differ by less are aligned */
#define CELL_WIDTH 8.0 /* a narrower piece that has another beside it is a cell */
#define HEIGHTS_LIKE 1.4

typedef struct {
    int from, n; /* lines [from, from + n), left to right */
    int quarter;
    df_extent own;
    double height, below_gap;
    bool beside; /* there is other text at the same height */
    int down, up; /* nearest row below and above it, -1: none */
} text_row;

/* For each line, its neighbours in the row (-1: none) and the gaps to them. */
typedef struct {
    int next, before;
    double gap_next, gap_before;
    bool beside;
} piece;

static int compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

static double height_of(df_extent e)
{
    return e.bottom - e.top;
}
static double width_of(df_extent e)
{
    return e.right - e.left;
}

static df_extent around(df_extent a, df_extent b)
{
    return (df_extent){fmin(a.left, b.left), fmin(a.top, b.top), fmax(a.right, b.right),
                       fmax(a.bottom, b.bottom)};
}

static int by_middle(const void *a, const void *b)
{
    const df_placed_line *p = a, *q = b;
    int order = p->quarter - q->quarter;
    order = order ? order : compare(p->own.top + p->own.bottom, q->own.top + q->own.bottom);
    order = order ? order : compare(p->own.left, q->own.left);
    return order ? order : strcmp(p->line.text, q->line.text);
}

static int by_top(const void *a, const void *b)
{
    const text_row *p = a, *q = b;
    int order = p->quarter - q->quarter;
    order = order ? order : compare(p->own.top, q->own.top);
    order = order ? order : compare(p->own.left, q->own.left);
    return order ? order : p->from - q->from;
}

/* ---- rows ---- */

/* Compares lines i and k, which are at the same height. If they are close, they may be neighbours
 * in one row; if they are far apart, both have text beside them. */
static void meet(const df_placed_line *lines, piece *pieces, int i, int k)
{
    const int a = lines[i].own.left <= lines[k].own.left ? i : k, b = a == i ? k : i;
    const double ha = height_of(lines[a].own), hb = height_of(lines[b].own), least = fmin(ha, hb);
    const double gap = lines[b].own.left - lines[a].own.right;
    if (gap < -0.5 * least)
        return;
    if (gap > ROW_GAP * least || fmax(ha, hb) > 1.6 * least) {
        pieces[a].beside = pieces[b].beside = true;
        return;
    }
    if (pieces[a].next < 0 || gap < pieces[a].gap_next) {
        pieces[a].next = b;
        pieces[a].gap_next = gap;
    }
    if (pieces[b].before < 0 || gap < pieces[b].gap_before) {
        pieces[b].before = a;
        pieces[b].gap_before = gap;
    }
}

/* Chains the lines that stand side by side in one row. */
static void find_pieces(const df_placed_line *lines, int n, piece *pieces)
{
    for (int i = 0; i < n; i++)
        pieces[i] = (piece){.next = -1, .before = -1};
    for (int i = 0; i < n; i++) {
        const df_extent a = lines[i].own;
        for (int k = i + 1; k < n && lines[k].quarter == lines[i].quarter; k++) {
            const df_extent b = lines[k].own;
            const double apart = (b.top + b.bottom - a.top - a.bottom) / 2;
            if (apart > 0.4 * height_of(a))
                break;
            if (apart <= 0.4 * height_of(b))
                meet(lines, pieces, i, k);
        }
    }
}

/* Chains lines that are each other's neighbours into rows. Writes the lines row by row to `to` and
 * returns the number of rows. */
static int find_rows(const df_placed_line *lines, int n, const piece *pieces, df_placed_line *to,
                     text_row *rows)
{
    int n_rows = 0, n_lines = 0;
    for (int i = 0; i < n; i++) {
        const int before = pieces[i].before;
        if (before >= 0 && pieces[before].next == i)
            continue; /* not the first of its row */
        text_row row = {.from = n_lines,
                        .quarter = lines[i].quarter,
                        .own = lines[i].own,
                        .down = -1,
                        .up = -1};
        double heights = 0;
        for (int k = i, next; k >= 0; k = next) {
            row.own = around(row.own, lines[k].own);
            row.beside |= pieces[k].beside;
            heights += height_of(lines[k].own);
            to[n_lines++] = lines[k];
            next = pieces[k].next;
            next = next >= 0 && pieces[next].before == k ? next : -1;
        }
        row.n = n_lines - row.from;
        row.height = heights / row.n;
        rows[n_rows++] = row;
    }
    return n_rows;
}

/* ---- blocks ---- */

static bool aligned(const text_row *a, const text_row *b, double h)
{
    const double left = fabs(a->own.left - b->own.left), right = fabs(a->own.right - b->own.right);
    const double middle = fabs(a->own.left + a->own.right - b->own.left - b->own.right) / 2;
    return left <= EDGE_ROOM * h || right <= SAME_EDGE * h || middle <= SAME_EDGE * h;
}

static bool is_cell(const text_row *r)
{
    return r->beside && width_of(r->own) < CELL_WIDTH * r->height;
}

static bool belongs_under(const text_row *a, const text_row *b, const df_placed_line *lines)
{
    const double h = fmin(a->height, b->height), gap = b->own.top - a->own.bottom;
    return fmax(a->height, b->height) <= HEIGHTS_LIKE * h && gap <= LINE_GAP * h &&
           aligned(a, b, h) && !(is_cell(a) && is_cell(b)) &&
           df_same_script(lines[a->from + a->n - 1].line.text, lines[b->from].line.text);
}

/* Finds for each row the nearest row below and above it that overlaps it by half its width. Rows
 * are sorted by top. */
static void find_neighbours(text_row *rows, int n)
{
    for (int i = 0; i < n; i++) {
        text_row *a = &rows[i];
        for (int k = i + 1; k < n && rows[k].quarter == a->quarter; k++) {
            text_row *b = &rows[k];
            if (b->own.top > a->own.bottom + LINE_GAP * a->height ||
                (a->down >= 0 && b->own.top > rows[a->down].own.bottom))
                break;
            const double overlap =
                fmin(a->own.right, b->own.right) - fmax(a->own.left, b->own.left);
            const double h = fmin(a->height, b->height);
            if (overlap < 0.5 * fmin(width_of(a->own), width_of(b->own)) ||
                b->own.top < a->own.bottom - 0.5 * h ||
                b->own.top + b->own.bottom < a->own.top + a->own.bottom + h)
                continue;
            if (a->down < 0)
                a->down = k;
            if (b->up < 0 || rows[b->up].own.bottom < a->own.bottom)
                b->up = i;
        }
    }
}

/* ---- paragraphs ---- */

/* Whether the row ends its sentence well before the block's right edge. */
static bool ends_short(const text_row *r, double right, const df_placed_line *lines)
{
    return right - r->own.right > 2 * r->height &&
           df_ends_sentence(lines[r->from + r->n - 1].line.text);
}

static bool indented(const text_row *r, double left)
{
    return r->own.left - left > 0.8 * r->height;
}

/* Marks the lines at which paragraphs begin. rows: those of one block, in order; lines: all lines,
 * which the rows index. */
static void mark_paragraphs(const text_row *const *rows, int n, df_placed_line *lines)
{
    double left = INFINITY, right = -INFINITY, gaps = 0;
    int n_indented = 0;
    for (int i = 0; i < n; i++) {
        left = fmin(left, rows[i]->own.left);
        right = fmax(right, rows[i]->own.right);
        gaps += i ? rows[i]->own.top - rows[i - 1]->own.bottom : 0;
    }
    for (int i = 0; i < n; i++)
        n_indented += indented(rows[i], left);
    /* otherwise the block is centred, or its margin is irregular */
    const bool flush = n >= 3 && n_indented * 2 < n;
    for (int i = 0; i < n; i++) {
        const text_row *r = rows[i];
        bool first = i == 0 || df_begins_item(lines[r->from].line.text);
        if (i > 0 && n >= 3)
            first |= r->own.top - rows[i - 1]->own.bottom > gaps / (n - 1) + 0.35 * r->height;
        if (i > 0 && flush)
            first |= ends_short(rows[i - 1], right, lines) ||
                     (indented(r, left) && !indented(rows[i - 1], left));
        for (int k = 0; k < r->n; k++)
            lines[r->from + k].first = first && k == 0;
    }
}

/* The block that begins with row i. `chain` receives its rows, `to` its lines, from index `at`
 * on. */
static df_text_block block_from(text_row *rows, int i, const text_row **chain,
                                df_placed_line *lines, df_placed_line *to, int at)
{
    df_text_block b = {.from = at, .page = lines[rows[i].from].page};
    for (int k = i; k >= 0; k = rows[k].down) {
        chain[b.rows++] = &rows[k];
        b.height += rows[k].height;
    }
    mark_paragraphs(chain, b.rows, lines);
    for (int k = 0; k < b.rows; k++)
        for (int m = 0; m < chain[k]->n; m++) {
            to[at + b.n++] = lines[chain[k]->from + m];
            b.page = around(b.page, lines[chain[k]->from + m].page);
        }
    b.height /= b.rows;
    return b;
}

/* Chains rows that belong under each other into blocks: each row and the next must choose each
 * other. */
static int find_blocks(text_row *rows, int n_rows, const text_row **chain, df_placed_line *lines,
                       df_placed_line *to, df_text_block *blocks)
{
    int n = 0, at = 0;
    qsort(rows, (size_t)n_rows, sizeof *rows, by_top);
    find_neighbours(rows, n_rows);
    for (int i = 0; i < n_rows; i++)
        if (rows[i].down >= 0 &&
            (rows[rows[i].down].up != i || !belongs_under(&rows[i], &rows[rows[i].down], lines)))
            rows[i].down = -1;
    for (int i = 0; i < n_rows; i++)
        rows[i].up = -1;
    for (int i = 0; i < n_rows; i++)
        if (rows[i].down >= 0)
            rows[rows[i].down].up = i;
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].up >= 0)
            continue;
        blocks[n] = block_from(rows, i, chain, lines, to, at);
        at += blocks[n++].n;
    }
    return n;
}

int df_text_blocks(df_placed_line *lines, int n, df_text_block *blocks)
{
    if (n < 1)
        return 0;
    const size_t room = (size_t)n;
    piece *pieces = calloc(room, sizeof *pieces);
    text_row *rows = calloc(room, sizeof *rows);
    const text_row **chain = calloc(room, sizeof *chain);
    df_placed_line *by_row = calloc(room, sizeof *by_row);
    int n_blocks = -1;
    if (pieces && rows && chain && by_row) {
        qsort(lines, room, sizeof *lines, by_middle);
        find_pieces(lines, n, pieces);
        const int n_rows = find_rows(lines, n, pieces, by_row, rows);
        n_blocks = find_blocks(rows, n_rows, chain, by_row, lines, blocks);
    }
    free(pieces);
    free(rows);
    free(chain);
    free(by_row);
    return n_blocks;
}
