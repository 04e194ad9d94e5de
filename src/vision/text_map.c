/* Binarises the map, finds its connected regions by runs (union-find), and for each region the
 * convex hull, the rectangle of least area around it, and the mean probability inside.
 *
 * A mask pixel stands for its square's upper left corner. The 2 x 2 dilation adds the other three,
 * so that a dilated region's hull is the hull of its squares. Without it boxes are half a pixel too
 * tight, as in the reference. */
#include "vision/text_map.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Shortest side in map pixels before and after growing (PaddleOCR: min_size). */
#define SIDE_MIN 3.0
#define GROWN_SIDE_MIN 5.0

typedef struct {
    int y, x0, x1;
    int64_t parent;
} run;               /* pixels x0..x1 of row y; parent: union-find */
/* A connected region: runs [first, first + n) of the sorted runs. */
typedef struct {
    int64_t first, n, pixels;
} region;
typedef struct {
    int width, height;
    const float *map;
    uint8_t *mask;
    run *runs;
    int64_t n_runs, capacity;
    region *regions;
    int64_t n_regions;
    /* by region, then in the order of finding: by row, then left to right */
    run *sorted;
    df_point *points, *hull;                 /* scratch: two points for each row, and one more */
} job;

/* Thresholds the map. Dilation by 2 x 2 goes from the end, so that no pixel spreads twice. */
static void binarise(job *j, const df_text_map_options *options)
{
    const size_t w = (size_t)j->width, h = (size_t)j->height;
    for (size_t i = 0; i < w * h; i++)
        j->mask[i] = (double)j->map[i] > options->threshold;
    for (size_t y = h; options->dilate && y-- > 0;) {
        uint8_t *row = j->mask + y * w;
        for (size_t x = 0; y > 0 && x < w; x++)
            row[x] = (uint8_t)(row[x] | row[x - w]);
        for (size_t x = w - 1; x > 0; x--)
            row[x] = (uint8_t)(row[x] | row[x - 1]);
    }
}

static int64_t root(run *runs, int64_t i)
{
    while (runs[i].parent != i)
        i = runs[i].parent = runs[runs[i].parent].parent;
    return i;
}

/* Unites two regions. The earlier run becomes the root, so the root is a region's first run. */
static void join_regions(run *runs, int64_t a, int64_t b)
{
    a = root(runs, a);
    b = root(runs, b);
    if (a < b)
        runs[b].parent = a;
    else
        runs[a].parent = b;
}

static bool add_run(job *j, int y, int x0, int x1)
{
    if (j->n_runs == j->capacity) {
        int64_t capacity = j->capacity ? j->capacity * 2 : 1024;
        run *runs = realloc(j->runs, (size_t)capacity * sizeof *runs);
        if (!runs)
            return false;
        j->runs = runs;
        j->capacity = capacity;
    }
    j->runs[j->n_runs] = (run){y, x0, x1, j->n_runs};
    j->n_runs++;
    return true;
}

/* Finds the runs of a row and unites each with the runs of the row above that it touches, corners
 * included. */
static bool scan_row(job *j, int y, int64_t above, int64_t above_end)
{
    const uint8_t *row = j->mask + (size_t)y * (size_t)j->width;
    for (int x = 0; x < j->width; x++) {
        if (!row[x])
            continue;
        int x0 = x;
        while (x + 1 < j->width && row[x + 1])
            x++;
        if (!add_run(j, y, x0, x))
            return false;
        while (above < above_end && j->runs[above].x1 < x0 - 1)
            above++;
        for (int64_t i = above; i < above_end && j->runs[i].x0 <= x + 1; i++)
            join_regions(j->runs, i, j->n_runs - 1);
    }
    return true;
}

static bool find_runs(job *j)
{
    int64_t above = 0;
    for (int y = 0; y < j->height; y++) {
        int64_t end = j->n_runs;
        if (!scan_row(j, y, above, end))
            return false;
        above = end;
    }
    return true;
}

/* Numbers the regions and sorts the runs by region (counting sort, stable). */
static bool find_regions(job *j)
{
    if (j->n_runs == 0)
        return true;
    int64_t *index = calloc((size_t)j->n_runs, sizeof *index);
    j->regions = calloc((size_t)j->n_runs, sizeof *j->regions);
    j->sorted = calloc((size_t)j->n_runs, sizeof *j->sorted);
    if (!index || !j->regions || !j->sorted) {
        free(index);
        return false;
    }
    for (int64_t i = 0; i < j->n_runs; i++) {
        int64_t r = root(j->runs, i);
        index[i] = r == i ? j->n_regions++ : index[r];
        j->regions[index[i]].n++;
        j->regions[index[i]].pixels += j->runs[i].x1 - j->runs[i].x0 + 1;
    }
    for (int64_t k = 1; k < j->n_regions; k++)
        j->regions[k].first = j->regions[k - 1].first + j->regions[k - 1].n;
    for (int64_t k = 0; k < j->n_regions; k++)
        j->regions[k].n = 0;
    for (int64_t i = 0; i < j->n_runs; i++) {
        region *r = &j->regions[index[i]];
        j->sorted[r->first + r->n++] = j->runs[i];
    }
    free(index);
    assert(j->regions[j->n_regions - 1].first + j->regions[j->n_regions - 1].n == j->n_runs);
    return true;
}

static int by_falling_size(const void *a, const void *b)
{
    const region *p = a, *q = b;
    if (p->pixels != q->pixels)
        return p->pixels > q->pixels ? -1 : 1;
    return p->first < q->first ? -1 : p->first > q->first;
}

/* Writes the two ends of each row of a region to j->points; returns how many. */
static int region_points(job *j, const region *r)
{
    int n = 0;
    for (int64_t i = r->first; i < r->first + r->n;) {
        int y = j->sorted[i].y, x0 = j->sorted[i].x0, x1 = x0;
        for (; i < r->first + r->n && j->sorted[i].y == y; i++)
            x1 = j->sorted[i].x1;
        j->points[n++] = (df_point){x0, y};
        if (x1 > x0)
            j->points[n++] = (df_point){x1, y};
    }
    return n;
}

/* The pixels of row y that a polygon covers, with its outline drawn as OpenCV draws it. A flat edge
 * covers pixels within half a pixel of the row, a steep one only the pixel where it crosses. */
static bool row_span(const df_point at[4], int y, double *x0, double *x1)
{
    *x0 = INFINITY;
    *x1 = -INFINITY;
    for (int i = 0; i < 4; i++) {
        df_point a = at[i], b = at[(i + 1) % 4];
        double dx = b.x - a.x, dy = b.y - a.y, reach = fabs(dx) > fabs(dy) ? 0.5 : 0;
        double top = fmax(fmin(a.y, b.y), y - reach), bottom = fmin(fmax(a.y, b.y), y + reach);
        if (top > bottom)
            continue;
        double from = dy != 0 ? a.x + dx * (top - a.y) / dy : a.x,
               to = dy != 0 ? a.x + dx * (bottom - a.y) / dy : b.x;
        *x0 = fmin(*x0, fmin(from, to));
        *x1 = fmax(*x1, fmax(from, to));
    }
    return *x0 <= *x1;
}

static int clamp(double v, int last)
{
    return v < 0 ? 0 : v > last ? last : (int)v;
}

/* Mean probability inside the rectangle. Its corners are cut to whole pixels, as in the
 * reference. */
static double mean_inside(const job *j, const df_quad *q)
{
    df_point at[4];
    double top = INFINITY, bottom = -INFINITY, sum = 0;
    int64_t n = 0;
    for (int i = 0; i < 4; i++) {
        at[i] = (df_point){floor(q->at[i].x + 1e-6), floor(q->at[i].y + 1e-6)};
        top = fmin(top, at[i].y);
        bottom = fmax(bottom, at[i].y);
    }
    for (int y = clamp(top, j->height - 1); y <= clamp(bottom, j->height - 1); y++) {
        double x0, x1;
        if (!row_span(at, y, &x0, &x1) || x1 < 0 || x0 > j->width - 1)
            continue;
        int last = clamp(floor(x1 + 0.5), j->width - 1);
        for (int x = clamp(floor(x0 + 0.5), j->width - 1); x <= last; x++, n++)
            sum += (double)j->map[(size_t)y * (size_t)j->width + (size_t)x];
    }
    return n ? sum / (double)n : 0;
}

/* Makes a text box of a region: the smallest rectangle around it, grown as DBNet does (arXiv
 * 1911.08947). False: too small, or not sure enough. */
static bool region_box(job *j, const region *r, const df_text_map_options *options,
                       df_text_box *out)
{
    int n = df_convex_hull(j->points, region_points(j, r), j->hull);
    df_quad rect = df_quad_around(j->hull, n);
    double width = df_quad_width(&rect), height = df_quad_height(&rect);
    if (fmin(width, height) < SIDE_MIN)
        return false;
    double score = mean_inside(j, &rect);
    if (!(score >= options->box_threshold))
        return false;
    double by = width * height * options->unclip / (2 * (width + height));
    rect = df_quad_grow(&rect, by);
    if (fmin(width, height) + 2 * by < GROWN_SIDE_MIN)
        return false;
    *out = (df_text_box){df_quad_for_text(&rect), score};
    return true;
}

static bool job_init(job *j)
{
    j->mask = malloc((size_t)j->width * (size_t)j->height);
    j->points = calloc((size_t)j->height * 2, sizeof *j->points);
    j->hull = calloc((size_t)j->height * 2 + 1, sizeof *j->hull);
    return j->mask && j->points && j->hull;
}

static void job_free(job *j)
{
    free(j->mask);
    free(j->runs);
    free(j->regions);
    free(j->sorted);
    free(j->points);
    free(j->hull);
}

/* Finds the boxes of text in a map of probabilities: connected regions above the threshold, the
 * largest first. */
static bool find_boxes(job *j, const df_text_map_options *options, df_arena *arena,
                       df_text_box **boxes, int *n_boxes)
{
    if (!job_init(j))
        return false;
    binarise(j, options);
    if (!find_runs(j) || !find_regions(j))
        return false;
    if (j->n_regions > 1)
        qsort(j->regions, (size_t)j->n_regions, sizeof *j->regions, by_falling_size);
    int64_t n = j->n_regions < options->max_boxes ? j->n_regions : options->max_boxes;
    *boxes = df_arena_alloc(arena, (size_t)n + 1, sizeof **boxes);
    if (!*boxes)
        return false;
    *n_boxes = 0;
    for (int64_t i = 0; i < n; i++)
        *n_boxes += region_box(j, &j->regions[i], options, &(*boxes)[*n_boxes]);
    return true;
}

df_status df_text_map_boxes(const float *map, int width, int height,
                            const df_text_map_options *options, df_arena *arena,
                            df_text_box **boxes, int *n_boxes, df_error *err)
{
    if (width < 1 || height < 1 || options->max_boxes < 0)
        return df_fail(err, DF_MODEL, "a text map of %d x %d pixels has no area", width, height);
    job j = {.width = width, .height = height, .map = map};
    bool done = find_boxes(&j, options, arena, boxes, n_boxes);
    job_free(&j);
    return done ? DF_OK : df_no_memory(err, "boxes of a text map of %d x %d pixels", width, height);
}
