/* Separable resize with a triangle filter that widens when shrinking: columns first, one output row at a time, so
 * that the long loops run over contiguous bytes and the working set is one row. */
#include <math.h>
#include <stdlib.h>
#include "image/codec.h"

typedef struct { int first, n_taps; float *weights; } taps;          /* of one output position, weights sum to 1 */
typedef struct { taps *at; float *weights; } filter;

static void filter_free(filter *f)
{
    free(f->at);
    free(f->weights);
}

static void filter_position(int n_in, int n_out, int i, double support, taps *t)
{
    double scale = (double)n_in / n_out, center = (i + 0.5) * scale;
    int first = (int)floor(center - support), last = (int)ceil(center + support);
    first = first < 0 ? 0 : first;
    last = last > n_in ? n_in : last;
    double sum = 0;
    for (int k = first; k < last; k++)
        sum += fmax(0, 1 - fabs((k + 0.5 - center) / support));
    for (int k = first; k < last; k++)
        t->weights[k - first] = (float)(fmax(0, 1 - fabs((k + 0.5 - center) / support)) / sum);
    t->first = first;
    t->n_taps = last - first;
}

static bool filter_init(filter *f, int n_in, int n_out)
{
    double scale = (double)n_in / n_out, support = scale > 1 ? scale : 1;
    size_t max_taps = (size_t)ceil(2 * support) + 2;
    f->at = calloc((size_t)n_out, sizeof *f->at);
    f->weights = calloc((size_t)n_out, max_taps * sizeof *f->weights);
    if (!f->at || !f->weights)
        return false;
    for (int i = 0; i < n_out; i++) {
        f->at[i].weights = f->weights + (size_t)i * max_taps;
        filter_position(n_in, n_out, i, support, &f->at[i]);
    }
    return true;
}

static void add_row(float *restrict sum, const uint8_t *restrict row, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * (float)row[i];
}

static void blend_rows(const df_image *in, const taps *t, float *sum)
{
    size_t n = (size_t)in->width * 3;
    for (size_t i = 0; i < n; i++)
        sum[i] = 0;
    for (int k = 0; k < t->n_taps; k++)
        if (t->weights[k] > 0)
            add_row(sum, in->rgb + (size_t)(t->first + k) * n, t->weights[k], n);
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5f);
}

static void shrink_row(const float *row, const filter *f, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++) {
        const taps *t = &f->at[x];
        const float *p = row + (size_t)t->first * 3;
        float r = 0, g = 0, b = 0;
        for (int k = 0; k < t->n_taps; k++, p += 3) {
            r += t->weights[k] * p[0];
            g += t->weights[k] * p[1];
            b += t->weights[k] * p[2];
        }
        *out++ = to_byte(r);
        *out++ = to_byte(g);
        *out++ = to_byte(b);
    }
}

df_status df_image_resize(const df_image *in, int width, int height, df_image *out, df_error *err)
{
    DF_TRY(df_image_check_size(width, height, err));
    df_status status = DF_OK;
    df_image sized = {0};
    filter across = {0}, down = {0};
    float *row = malloc((size_t)in->width * 3 * sizeof *row);
    if (!row || !filter_init(&across, in->width, width) || !filter_init(&down, in->height, height)) {
        status = df_fail(err, DF_NOMEM, "resize to %d x %d: out of memory", width, height);
        goto out;
    }
    status = df_image_alloc(width, height, &sized, err);
    if (status != DF_OK)
        goto out;
    for (int y = 0; y < height; y++) {
        blend_rows(in, &down.at[y], row);
        shrink_row(row, &across, width, sized.rgb + (size_t)y * (size_t)width * 3);
    }
    sized.full_width = in->full_width;
    sized.full_height = in->full_height;
    *out = sized;
out:
    free(row);
    filter_free(&across);
    filter_free(&down);
    return status;
}
