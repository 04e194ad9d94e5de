/* Resizes, crops or pads an image and normalises it into a tensor. */
#include "model/preprocess.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static int clamp_int(double value, int low, int high)
{
    return value < low ? low : value > high ? high : (int)value;
}

/* The part that `crop` uses, as in torchvision and transformers: the whole image is resized to a
 * short edge of resize_side, and its middle is taken. Only the source of the middle is resized;
 * otherwise a 1 x 3000 image would become millions of pixels on the way. */
static df_image_cut crop_window(const df_card *card, const df_image *image)
{
    int64_t shorter = image->width < image->height ? image->width : image->height,
            side = card->resize_side;
    int64_t width = image->width * side / shorter, height = image->height * side / shorter;
    double x = (double)image->width / (double)width, y = (double)image->height / (double)height;
    return (df_image_cut){(double)((width - card->width) / 2) * x,
                          (double)((height - card->height) / 2) * y,
                          (double)card->width * x,
                          (double)card->height * y,
                          (int)card->width,
                          (int)card->height,
                          false};
}

static df_image_cut fit_window(const df_card *card, const df_image *image)
{
    double scale = fmin((double)card->width / image->width, (double)card->height / image->height);
    int width = clamp_int(round(image->width * scale), 1, (int)card->width);
    int height = clamp_int(round(image->height * scale), 1, (int)card->height);
    return (df_image_cut){0, 0, image->width, image->height, width, height, false};
}

/* The size for `shortest`, as in torchvision's detectors, rounded down: the short edge becomes
 * resize_side, unless that takes the long edge above max_side. */
static df_image_cut shortest_window(const df_card *card, const df_image *image)
{
    const int shorter = image->width < image->height ? image->width : image->height;
    const int longer = image->width + image->height - shorter;
    const double scale = fmin((double)card->resize_side / shorter, (double)card->max_side / longer);
    const int width = clamp_int(floor(image->width * scale), 1, (int)card->max_side);
    const int height = clamp_int(floor(image->height * scale), 1, (int)card->max_side);
    return (df_image_cut){0, 0, image->width, image->height, width, height, false};
}

/* The part of the image that the model sees, and its size within the input. */
static df_image_cut choose_window(const df_card *card, const df_image *image)
{
    df_image_cut w = {0,
                      0,
                      image->width,
                      image->height,
                      card->width ? (int)card->width : image->width,
                      card->height ? (int)card->height : image->height,
                      false};
    if (strcmp(card->resize, "crop") == 0)
        w = crop_window(card, image);
    else if (strcmp(card->resize, "fit") == 0)
        w = fit_window(card, image);
    else if (strcmp(card->resize, "shortest") == 0)
        w = shortest_window(card, image);
    w.bicubic = strcmp(card->interpolation, "bicubic") == 0;
    return w;
}

/* *out borrows the image itself when nothing changes; then *owned stays empty. */
static df_status cut_and_resize(const df_image *image, const df_image_cut *w, df_image *owned,
                                const df_image **out, df_error *err)
{
    if (w->width == image->width && w->height == image->height && w->to_width == image->width &&
        w->to_height == image->height) {
        *out = image;
        return DF_OK;
    }
    *out = owned;
    return df_image_cut_out(image, w, owned, err);
}

/* The normalised value of each of the 256 pixel values, for each channel in the tensor's order. */
typedef struct {
    float of[3][256];
} value_table;

static void fill_values(const df_card *card, value_table *values)
{
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            values->of[c][v] = (float)((v - card->mean[c]) / card->std[c]);
}

/* Fills the model's input with the pixels, in its order of channels and axes. */
static void fill_tensor(const df_card *card, const df_image *image, size_t width, size_t height,
                        float *data)
{
    value_table values;
    fill_values(card, &values);
    const bool planes = strcmp(card->layout, "nchw") == 0, bgr = strcmp(card->channels, "bgr") == 0;
    const size_t pixel_step = planes ? 1 : 3, channel_step = planes ? width * height : 1;
    for (size_t c = 0; c < 3; c++) {
        const float *const value = values.of[c];
        const uint8_t *from = image->rgb + (bgr ? 2 - c : c);
        for (size_t y = 0; y < (size_t)image->height; y++) {
            float *to = data + c * channel_step + y * width * pixel_step;
            for (size_t x = 0; x < (size_t)image->width; x++, from += 3)
                to[x * pixel_step] = value[*from];
        }
    }
}

/* Fills the input with the card's pad, of which `fit` leaves some right of and below the image.
 * Without this it is 0, which is the mean. */
static void fill_padding(const df_card *card, size_t n_pixels, float *data)
{
    const bool planes = strcmp(card->layout, "nchw") == 0;
    for (size_t c = 0; c < 3; c++) {
        const float value = (float)((card->pad - card->mean[c]) / card->std[c]);
        for (size_t i = 0; i < n_pixels; i++)
            data[planes ? c * n_pixels + i : i * 3 + c] = value;
    }
}

static df_placement placement_of(const df_image *image, const df_image_cut *w)
{
    double full_x = (double)image->full_width / image->width,
           full_y = (double)image->full_height / image->height;
    return (df_placement){w->x0 * full_x, w->y0 * full_y, full_x * w->width / w->to_width,
                          full_y * w->height / w->to_height};
}

int df_preprocess_edge(const df_card *card)
{
    int64_t side = card->resize_side;        /* for crop and shortest */
    side = side > card->width ? side : card->width;
    side = side > card->height ? side : card->height;
    return side > 0 && side < INT_MAX / 2 ? (int)(2 * side) : INT_MAX;
}

df_status df_preprocess(const df_card *card, const df_image *image, df_arena *arena,
                        df_tensor *input, df_placement *placement, df_error *err)
{
    if (!image->rgb || image->width < 1 || image->height < 1)
        return df_fail(err, DF_FORMAT, "%s: an image without pixels", card->name);
    df_image owned = {0};
    const df_image *sized = NULL;
    const df_image_cut w = choose_window(card, image);
    const int64_t width = card->width ? card->width : w.to_width,
                  height = card->height ? card->height : w.to_height;
    DF_TRY(cut_and_resize(image, &w, &owned, &sized, err));

    float *data = df_arena_alloc(arena, (size_t)width * (size_t)height, 3 * sizeof *data);
    if (data && card->pad >= 0)
        fill_padding(card, (size_t)width * (size_t)height, data);
    if (data)
        fill_tensor(card, sized, (size_t)width, (size_t)height, data);
    df_image_free(&owned);
    if (!data)
        return df_no_memory(err, "%s: input of %lld x %lld", card->name, (long long)width,
                            (long long)height);
    *input = (df_tensor){.name = card->input, .n_dims = 4, .data = data};
    if (strcmp(card->layout, "nchw") == 0)
        memcpy(input->dims, (const int64_t[]){1, 3, height, width}, 4 * sizeof(int64_t));
    else
        memcpy(input->dims, (const int64_t[]){1, height, width, 3}, 4 * sizeof(int64_t));
    if (placement)
        *placement = placement_of(image, &w);
    return DF_OK;
}
