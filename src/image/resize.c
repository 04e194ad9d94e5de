/* Separable resize with a filter that widens when shrinking: columns first, one output row at a time, so that the long
 * loops run over contiguous bytes and the working set is one row. Sums are in a fixed order: same bytes everywhere. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "image/codec.h"

typedef struct { int first, n_taps; float *weights; } taps;          /* of one output position, weights sum to 1 */
typedef struct { taps *at; float *weights; } filter;
typedef struct { double from, size; int n_in, n_out; bool bicubic; } axis;   /* [from, from + size) becomes n_out */

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

static void filter_position(const axis *a, int i, double stretch, taps *t)
{
    double support = stretch * (a->bicubic ? 2 : 1), center = a->from + (i + 0.5) * (a->size / a->n_out), sum = 0;
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
    }
    return true;
}

static void add_row(float *restrict sum, const uint8_t *restrict row, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * (float)row[i];
}

/* The columns [first, first + n / 3) of one output row. */
static void blend_rows(const df_image *in, const taps *t, size_t first, size_t n, float *sum)
{
    memset(sum, 0, n * sizeof *sum);
    for (int k = 0; k < t->n_taps; k++)
        if (t->weights[k] != 0)
            add_row(sum, in->rgb + ((size_t)(t->first + k) * (size_t)in->width + first) * 3, t->weights[k], n);
}

/* A pixel is the first three of four floats: one multiplication a tap. */
typedef float pixel __attribute__((vector_size(16)));

static void shrink_row(const float *restrict row, int first, const filter *f, int width, float *restrict out)
{
    for (int x = 0; x < width; x++) {
        const taps *t = &f->at[x];
        const float *p = row + (size_t)(t->first - first) * 3;
        pixel sum = {0}, value;
        for (int k = 0; k < t->n_taps; k++, p += 3) {
            memcpy(&value, p, sizeof value);
            sum += t->weights[k] * value;
        }
        memcpy(out, &sum, sizeof sum);
        out += 3;
    }
}

static void round_row(const float *restrict row, size_t n, uint8_t *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        float value = row[i] > 0 ? row[i] : 0;
        out[i] = (uint8_t)(int)((value < 255 ? value : 255) + 0.5f);
    }
}

/* rows: room for a row of `in` and one of `out`, each with one float to spare: the fourth of its last pixel. */
static void fill_rows(const df_image *in, const filter *across, const filter *down, float *rows, df_image *out)
{
    const taps *last = &across->at[out->width - 1];
    int first = across->at[0].first, end = last->first + last->n_taps;
    size_t n = (size_t)out->width * 3;
    float *sized = rows + (size_t)in->width * 3 + 1;
    for (int y = 0; y < out->height; y++) {
        blend_rows(in, &down->at[y], (size_t)first, (size_t)(end - first) * 3, rows);
        shrink_row(rows, first, across, out->width, sized);
        round_row(sized, n, out->rgb + (size_t)y * n);
    }
}

df_status df_image_cut_out(const df_image *in, const df_image_cut *cut, df_image *out, df_error *err)
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
    float *rows = calloc(((size_t)in->width + (size_t)cut->to_width) * 3 + 2, sizeof *rows);
    if (rows && filter_init(&across, &x) && filter_init(&down, &y))
        status = df_image_alloc(cut->to_width, cut->to_height, &sized, err);
    else
        status = df_fail(err, DF_NOMEM, "resize to %d x %d: out of memory", cut->to_width, cut->to_height);
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
