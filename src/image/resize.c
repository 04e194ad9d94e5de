/* Separable resize by a filter that widens when shrinking. Columns go first, a few output rows at a
 * time, so that the long loops run over contiguous bytes and the working set stays small. The order
 * of additions is fixed: every machine gives the same bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "image/blend.h"
#include "image/codec.h"

/* The input positions that make one output position; the weights sum to 1. */
typedef struct {
    int first, n_taps;
    float *weights;
} taps;
/* All positions of an axis. Weights from n_taps up to most_taps are 0. */
typedef struct {
    taps *at;
    float *weights;
    int most_taps;
} filter;
/* The range [from, from + size) of n_in pixels becomes n_out pixels. */
typedef struct {
    double from, size;
    int n_in, n_out;
    bool bicubic;
} axis;

static void filter_free(filter *f)
{
    free(f->at);
    free(f->weights);
}

static double weight_at(double x, bool bicubic)
{
    x = fabs(x);
    if (!bicubic)
        return fmax(0, 1 - x);
    if (x < 1)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* Computes the weights of one output position, clipped at the borders. */
static void filter_position(const axis *a, int i, double stretch, taps *t)
{
    double support = stretch * (a->bicubic ? 2 : 1),
           center = a->from + (i + 0.5) * (a->size / a->n_out), sum = 0;
    int first = (int)floor(center - support), last = (int)ceil(center + support);
    first = first < 0 ? 0 : first;
    last = last > a->n_in ? a->n_in : last;
    for (int k = first; k < last; k++)
        sum += weight_at((k + 0.5 - center) / stretch, a->bicubic);
    for (int k = first; k < last; k++)
        t->weights[k - first] = (float)(weight_at((k + 0.5 - center) / stretch, a->bicubic) / sum);
    t->first = first;
    t->n_taps = last - first;
}

/* Computes the weights of all output positions; false: out of memory. */
static bool filter_init(filter *f, const axis *a)
{
    double scale = a->size / a->n_out, stretch = scale > 1 ? scale : 1;
    size_t max_taps = (size_t)ceil(2 * stretch * (a->bicubic ? 2 : 1)) + 2;
    f->at = calloc((size_t)a->n_out, sizeof *f->at);
    f->weights = calloc((size_t)a->n_out, max_taps * sizeof *f->weights);
    if (!f->at || !f->weights)
        return false;
    for (int i = 0; i < a->n_out; i++) {
        f->at[i].weights = f->weights + (size_t)i * max_taps;
        filter_position(a, i, stretch, &f->at[i]);
        f->most_taps = f->at[i].n_taps > f->most_taps ? f->at[i].n_taps : f->most_taps;
    }
    return true;
}

/* A pixel is the first three of four floats, so that one vector multiplication weighs it. */
typedef float pixel __attribute__((vector_size(16)));

enum { ROWS_AT_ONCE = 4 }; /* independent sums, which the processor can compute at the same time */

/* Resizes rows horizontally. rows: ROWS_AT_ONCE rows, already resized vertically, `stride` floats
 * apart; out: as many, `out_stride` apart. */
static void shrink_rows(const float *restrict rows, size_t stride, int first, const filter *f,
                        int width, float *restrict out, size_t out_stride)
{
    for (int x = 0; x < width; x++, out += 3) {
        const taps *t = &f->at[x];
        const float *p = rows + (size_t)(t->first - first) * 3;
        pixel sum[ROWS_AT_ONCE] = {{0}}, value;
        for (int k = 0; k < f->most_taps; k++, p += 3)
#pragma GCC unroll 4
            for (size_t r = 0; r < ROWS_AT_ONCE; r++) {
                memcpy(&value, p + r * stride, sizeof value);
                sum[r] += t->weights[k] * value;
            }
        for (size_t r = 0; r < ROWS_AT_ONCE; r++)
            memcpy(out + r * out_stride, &sum[r], sizeof sum[r]);
    }
}

static void round_row(const float *restrict row, size_t n, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        /* clamped as an integer, which compilers have vectors for */
        int value = (int)(row[i] + 0.5f);
        value = value < 0 ? 0 : value;
        out[i] = (uint8_t)(value > 255 ? 255 : value);
    }
}

/* Floats of working memory: ROWS_AT_ONCE rows of the input and as many of the output, each with one
 * float to spare for the fourth of its last pixel, and room for the weights of 0 that reach beyond
 * the end of a row. */
static size_t rows_size(const df_image *in, const filter *across, int width)
{
    return ROWS_AT_ONCE * (((size_t)in->width + (size_t)width) * 3 + 2) +
           (size_t)across->most_taps * 3;
}

/* Resizes the image, ROWS_AT_ONCE rows at a time. rows: rows_size floats, all finite, since weights
 * of 0 are multiplied with them. */
static void fill_rows(const df_image *in, const filter *across, const filter *down, float *rows,
                      df_image *out)
{
    const df_blend *blend = df_blend_best();
    const taps *last = &across->at[out->width - 1];
    const int first = across->at[0].first, end = last->first + last->n_taps;
    const size_t in_stride = (size_t)in->width * 3, n = (size_t)out->width * 3,
                 stride = in_stride + 1;
    float *sized = rows + ROWS_AT_ONCE * stride;
    for (int y = 0; y < out->height; y += ROWS_AT_ONCE) {
        const int n_rows = out->height - y < ROWS_AT_ONCE ? out->height - y : ROWS_AT_ONCE;
        for (int r = 0; r < n_rows; r++) {
            const taps *t = &down->at[y + r];
            blend->rows(in->rgb + (size_t)t->first * in_stride + (size_t)first * 3, in_stride,
                        t->weights, t->n_taps, (size_t)(end - first) * 3,
                        rows + (size_t)r * stride);
        }
        shrink_rows(rows, stride, first, across, out->width, sized, n + 1);
        for (int r = 0; r < n_rows; r++)
            round_row(sized + (size_t)r * (n + 1), n, out->rgb + (size_t)(y + r) * n);
    }
}

df_status df_image_cut_out(const df_image *in, const df_image_cut *cut, df_image *out,
                           df_error *err)
{
    DF_TRY(df_image_check_size(cut->to_width, cut->to_height, err));
    if (!(cut->x0 >= 0 && cut->y0 >= 0 && cut->width > 0 && cut->height > 0 &&
          cut->x0 + cut->width <= in->width + 1e-6 && cut->y0 + cut->height <= in->height + 1e-6))
        return df_fail(err, DF_FORMAT, "a part that is not within the image");
    df_status status = DF_OK;
    df_image sized = {0};
    filter across = {0}, down = {0};
    const axis x = {cut->x0, cut->width, in->width, cut->to_width, cut->bicubic};
    const axis y = {cut->y0, cut->height, in->height, cut->to_height, cut->bicubic};
    float *rows = NULL;
    if (filter_init(&across, &x) && filter_init(&down, &y))
        rows = calloc(rows_size(in, &across, cut->to_width), sizeof *rows);
    if (rows)
        status = df_image_alloc(cut->to_width, cut->to_height, &sized, err);
    else
        status = df_no_memory(err, "resize to %d x %d", cut->to_width, cut->to_height);
    if (status == DF_OK) {
        fill_rows(in, &across, &down, rows, &sized);
        sized.full_width = in->full_width;
        sized.full_height = in->full_height;
        *out = sized;
    }
    free(rows);
    filter_free(&across);
    filter_free(&down);
    return status;
}

df_status df_image_resize(const df_image *in, int width, int height, df_image *out, df_error *err)
{
    const df_image_cut whole = {0, 0, in->width, in->height, width, height, false};
    return df_image_cut_out(in, &whole, out, err);
}
