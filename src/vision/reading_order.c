/* Reading order in three steps: turn the page level; gather lines into blocks (text_block.c); order
 * the blocks by a recursive X-Y cut (Nagy & Seth 1984), which cuts at gaps that go from side to
 * side and at gutters between columns in turn. What cannot be cut is read row by row. */
#include "vision/reading_order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/text_block.h"

#define QUARTER 1.57079632679489661923
#define GUTTER 0.6 /* least width, in heights of a row */
#define COLUMN_WIDTH 6.0 /* a block of running text is at least this many row heights wide */
#define DEPTH_MAX 16 /* nested cuts; deeper blocks are read row by row */

static int compare(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* ---- the page turned level ---- */

static int by_value(const void *a, const void *b)
{
    return compare(*(const double *)a, *(const double *)b);
}

static double direction(const df_line *l)
{
    return atan2(l->y[1] - l->y[0], l->x[1] - l->x[0]);
}

static int quarter_of(double angle)
{
    return ((int)floor(angle / QUARTER + 0.5) % 4 + 4) % 4;
}

/* The direction of most text, weighted by its length: first the quarter turn, then the median angle
 * within it. scratch: [n]. */
static double page_angle(const df_line *lines, int n, double *scratch)
{
    size_t letters[4] = {0};
    int most = 0, n_along = 0;
    for (int i = 0; i < n; i++)
        letters[quarter_of(direction(&lines[i]))] += strlen(lines[i].text);
    for (int q = 1; q < 4; q++)
        most = letters[q] > letters[most] ? q : most;
    for (int i = 0; i < n; i++) {
        const double angle = direction(&lines[i]);
        if (quarter_of(angle) == most)
            scratch[n_along++] = remainder(angle - most * QUARTER, 4 * QUARTER);
    }
    qsort(scratch, (size_t)n_along, sizeof *scratch, by_value);
    return most * QUARTER + (n_along ? scratch[n_along / 2] : 0);
}

/* The extent after the page is turned by `quarter` quarters. */
static df_extent seen_from(df_extent e, int quarter)
{
    switch (quarter) {
    case 1:
        return (df_extent){e.top, -e.right, e.bottom, -e.left};
    case 2:
        return (df_extent){-e.right, -e.bottom, -e.left, -e.top};
    case 3:
        return (df_extent){-e.bottom, e.left, -e.top, e.right};
    default:
        return e;
    }
}

/* The line's extent on the page turned by `angle`, and its own direction there. */
static df_placed_line place(const df_line *l, double angle)
{
    const double c = cos(angle), s = sin(angle);
    df_placed_line p = {.line = *l, .page = {INFINITY, INFINITY, -INFINITY, -INFINITY}};
    for (int i = 0; i < 4; i++) {
        const double along = l->x[i] * c + l->y[i] * s, down = l->y[i] * c - l->x[i] * s;
        p.page = (df_extent){fmin(p.page.left, along), fmin(p.page.top, down),
                             fmax(p.page.right, along), fmax(p.page.bottom, down)};
    }
    p.quarter = quarter_of(direction(l) - angle);
    p.own = seen_from(p.page, p.quarter);
    return p;
}

/* ---- the order of blocks ---- */

static double middle(const df_text_block *b)
{
    return (b->page.top + b->page.bottom) / 2;
}

/* The height at which a block is ordered: the middle of its first row. In a tall block that is near
 * its top. */
static double first_middle(const df_text_block *b)
{
    return b->rows > 1 ? fmin(middle(b), b->page.top + b->height / 2) : middle(b);
}

static int by_place(const void *a, const void *b)
{
    const df_text_block *p = a, *q = b;
    int order = compare(p->page.left, q->page.left);
    order = order ? order : compare(p->page.top, q->page.top);
    return order ? order : p->from - q->from;
}

static int by_top(const void *a, const void *b)
{
    const df_text_block *p = a, *q = b;
    const int order = compare(p->page.top, q->page.top);
    return order ? order : by_place(a, b);
}

static int by_first_middle(const void *a, const void *b)
{
    const int order = compare(first_middle(a), first_middle(b));
    return order ? order : by_place(a, b);
}

static double row_height(const df_text_block *b)
{
    return b->rows > 1 ? b->height : b->page.bottom - b->page.top;
}

/* Orders blocks row by row. A block belongs to a row by comparison with the row's first block, not
 * with its last one, so that a staircase does not become one row. */
static void row_by_row(df_text_block *blocks, int n)
{
    qsort(blocks, (size_t)n, sizeof *blocks, by_first_middle);
    for (int start = 0, end; start < n; start = end) {
        const df_text_block *first = &blocks[start];
        for (end = start + 1; end < n; end++) {
            const double smaller = fmin(row_height(first), row_height(&blocks[end]));
            if (first_middle(&blocks[end]) - first_middle(first) > smaller / 2)
                break;
        }
        qsort(blocks + start, (size_t)(end - start), sizeof *blocks, by_place);
    }
}

static bool is_running_text(const df_text_block *b)
{
    return b->rows >= 2 && b->page.right - b->page.left >= COLUMN_WIDTH * b->height;
}

static int count_running(const df_text_block *blocks, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += is_running_text(&blocks[i]);
    return count;
}

typedef struct {
    double top, bottom;
    bool running;
} column;

/* Index after the last block of the column that begins at `from`: the first block to the right of a
 * gutter. blocks are sorted by left. *out: the extent of the column's running text. */
static int column_end(const df_text_block *blocks, int n, int from, column *out)
{
    double right = -INFINITY;
    *out = (column){INFINITY, -INFINITY, false};
    int i = from;
    for (; i < n && (i == from || blocks[i].page.left < right + GUTTER * blocks[i].height); i++) {
        right = fmax(right, blocks[i].page.right);
        if (!is_running_text(&blocks[i]))
            continue;
        *out = (column){fmin(out->top, blocks[i].page.top),
                        fmax(out->bottom, blocks[i].page.bottom), true};
    }
    return i;
}

/* Whether columns of running text stand side by side. Sorts blocks by left. */
static bool has_columns(df_text_block *blocks, int n)
{
    if (count_running(blocks, n) < 2)
        return false;
    qsort(blocks, (size_t)n, sizeof *blocks, by_place);
    column before = {0}, now;
    int n_columns = 0;
    for (int i = 0; i < n;) {
        i = column_end(blocks, n, i, &now);
        if (!now.running)
            continue;
        if (n_columns > 0 && fmax(before.top, now.top) >= fmin(before.bottom, now.bottom))
            return false; /* a staircase, which is read from its top */
        before = now;
        n_columns++;
    }
    return n_columns >= 2;
}

/* Index of the first block below a gap that goes from side to side. blocks are sorted by top. Boxes
 * reach a little beyond the letters, hence the tolerance. */
static int band_end(const df_text_block *blocks, int n, int from)
{
    double bottom = -INFINITY;
    int i = from;
    for (; i < n && (i == from || blocks[i].page.top + 0.15 * blocks[i].height < bottom); i++)
        bottom = fmax(bottom, blocks[i].page.bottom - 0.15 * blocks[i].height);
    return i;
}

static void order_blocks(df_text_block *blocks, int n, int depth, df_text_block *scratch);

static void column_by_column(df_text_block *blocks, int n, int depth, df_text_block *scratch)
{
    column ignored;
    for (int start = 0, end; start < n; start = end) {
        end = column_end(blocks, n, start, &ignored);
        order_blocks(blocks + start, end - start, depth + 1, scratch);
    }
}

/* Index of the end of the band that begins at `from`. Bands that share their gutters stay together:
 * columns go on below a gap that happens to run from side to side. */
static int joined_bands(const df_text_block *blocks, int n, int from, df_text_block *scratch)
{
    int end = band_end(blocks, n, from);
    if (count_running(blocks + from, n - from) < 2)
        return end;
    for (int next; end < n; end = next) {
        next = band_end(blocks, n, end);
        memcpy(scratch, blocks + from, (size_t)(next - from) * sizeof *blocks);
        if (!has_columns(scratch, next - from))
            break;
    }
    return end;
}

/* Puts blocks into reading order by cutting them into columns or bands, recursively. scratch:
 * [n]. */
static void order_blocks(df_text_block *blocks, int n, int depth, df_text_block *scratch)
{
    if (n < 2)
        return;
    if (depth < DEPTH_MAX && has_columns(blocks, n)) {
        column_by_column(blocks, n, depth, scratch);
        return;
    }
    qsort(blocks, (size_t)n, sizeof *blocks, by_top);
    int end = depth < DEPTH_MAX ? joined_bands(blocks, n, 0, scratch) : n;
    if (end == n) {
        row_by_row(blocks, n);
        return;
    }
    for (int start = 0; start < n; start = end) {
        end = joined_bands(blocks, n, start, scratch);
        order_blocks(blocks + start, end - start, depth + 1, scratch);
    }
}

/* ---- the lines ---- */

/* Writes the lines of all blocks, with the numbers of their paragraphs; returns how many. */
static int write_lines(const df_text_block *blocks, int n_blocks, const df_placed_line *page,
                       df_line *lines)
{
    int n = 0, paragraph = -1;
    for (int b = 0; b < n_blocks; b++)
        for (int i = 0; i < blocks[b].n; i++, n++) {
            const df_placed_line *p = &page[blocks[b].from + i];
            paragraph += p->first;
            lines[n] = p->line;
            lines[n].paragraph = paragraph;
        }
    return n;
}

df_status df_reading_order(df_line *lines, int n, df_error *err)
{
    if (n < 1)
        return DF_OK;
    double *angles = calloc((size_t)n, sizeof *angles);
    df_placed_line *page = calloc((size_t)n, sizeof *page);
    df_text_block *blocks = calloc((size_t)n, sizeof *blocks),
                  *scratch = calloc((size_t)n, sizeof *scratch);
    int n_blocks = -1;
    if (angles && page && blocks && scratch) {
        const double angle = page_angle(lines, n, angles);
        for (int i = 0; i < n; i++)
            page[i] = place(&lines[i], angle);
        n_blocks = df_text_blocks(page, n, blocks);
    }
    if (n_blocks >= 0) {
        order_blocks(blocks, n_blocks, 0, scratch);
        const int n_written = write_lines(blocks, n_blocks, page, lines);
        assert(n_written == n); /* each line is in one block */
        (void)n_written;
    }
    free(angles);
    free(page);
    free(blocks);
    free(scratch);
    return n_blocks >= 0 ? DF_OK : df_no_memory(err, "order of %d lines", n);
}
