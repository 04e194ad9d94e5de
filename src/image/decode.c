/* Decodes any known format: chooses the decoder, shrinks, and turns pixels upright. */
#include <stdlib.h>
#include "image/codec.h"

/* Has the codec of the format decode the image. */
static df_status decode_once(const uint8_t *bytes, size_t size, df_image_format format,
                             int reduction, df_image *out, df_error *err)
{
    switch (format) {
    case DF_FORMAT_JPEG:
        return df_jpeg_decode(bytes, size, reduction, out, err);
    case DF_FORMAT_PNG:
        return df_png_decode(bytes, size, out, err);
    case DF_FORMAT_WEBP:
        return df_webp_decode(bytes, size, out, err);
    case DF_FORMAT_GIF:
        return df_gif_decode(bytes, size, out, err);
    case DF_FORMAT_BMP:
        return df_bmp_decode(bytes, size, out, err);
    case DF_FORMAT_TIFF:
        return df_tiff_decode(bytes, size, out, err);
    case DF_FORMAT_AVIF:
    case DF_FORMAT_HEIC:
        return df_heif_decode(bytes, size, out, err);
    case DF_FORMAT_UNKNOWN:
        break;
    }
    return df_fail(err, DF_FORMAT, "not an image in a known format");
}

static bool has_memory_for(const df_image_info *info)
{
    void *volatile room = malloc((size_t)info->width * (size_t)info->height * 3);
    free(room);
    return room != NULL;
}

/* Decodes, and tells a lack of memory from a broken picture. A library that lacks memory for a
 * moment reports a broken picture. Therefore it is tried twice, and the second report is believed
 * only if there is memory for the picture. */
static df_status decode_stored(const uint8_t *bytes, size_t size, const df_image_info *info,
                               int reduction, df_image *out, df_error *err)
{
    df_status status = decode_once(bytes, size, info->format, reduction, out, err);
    if (status == DF_FORMAT)
        status = decode_once(bytes, size, info->format, reduction, out, err);
    if (status == DF_FORMAT && !has_memory_for(info))
        return df_no_memory(err, "image of %d x %d pixels", info->width, info->height);
    return status;
}

/* Shrinks so that the long side is max_side. The proportions are those of the file, since the sides
 * of a scaled decode are rounded. */
static df_status fit(df_image *image, int max_side, df_error *err)
{
    int width = image->full_width, height = image->full_height;
    int longer = width > height ? width : height;
    if (max_side <= 0 || longer <= max_side)
        return DF_OK;
    double scale = (double)max_side / longer;
    int w = (int)(width * scale + 0.5), h = (int)(height * scale + 0.5);
    w = w < 1 ? 1 : w;
    h = h < 1 ? 1 : h;
    if (w == image->width && h == image->height)
        return DF_OK;
    df_image small = {0};
    DF_TRY(df_image_resize(image, w, h, &small, err));
    df_image_free(image);
    *image = small;
    return DF_OK;
}

/* Turns pixels upright: the EXIF orientation (1..8) says where the stored first row and column
 * belong. */
static df_status turn(df_image *image, int orientation, df_error *err)
{
    if (orientation <= 1)
        return DF_OK;
    bool sideways = orientation >= 5;
    ptrdiff_t w = image->width, h = image->height;
    df_image up = {0};
    DF_TRY(df_image_alloc(sideways ? h : w, sideways ? w : h, &up, err));
    up.full_width = sideways ? image->full_height : image->full_width;
    up.full_height = sideways ? image->full_width : image->full_height;

    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    ptrdiff_t step_x = from_right ? -3 : 3, step_y = from_bottom ? -3 * w : 3 * w;
    ptrdiff_t across = sideways ? step_y : step_x, down = sideways ? step_x : step_y;
    const uint8_t *corner =
        image->rgb + 3 * ((from_bottom ? h - 1 : 0) * w + (from_right ? w - 1 : 0));
    uint8_t *to = up.rgb;
    for (int y = 0; y < up.height; y++)
        for (int x = 0; x < up.width; x++, to += 3) {
            const uint8_t *from = corner + y * down + x * across;
            to[0] = from[0];
            to[1] = from[1];
            to[2] = from[2];
        }
    df_image_free(image);
    *image = up;
    return DF_OK;
}

/* The largest JPEG reduction that leaves at least `least` pixels of `side`. */
static int reduce(const df_image_info *info, int side, int least)
{
    int reduction = 1;
    while (info->format == DF_FORMAT_JPEG && reduction < 8 && side / (2 * reduction) >= least)
        reduction *= 2;
    return reduction;
}

int df_image_reduction(const df_image_info *info, int edge)
{
    return reduce(info, info->width < info->height ? info->width : info->height, edge);
}

/* Decodes, shrinks and turns. max_side 0: the picture stays as it is decoded. */
static df_status decode(const uint8_t *bytes, size_t size, const df_image_info *info, int reduction,
                        int max_side, df_image *out, df_error *err)
{
    df_image image = {0};
    DF_TRY(df_image_check_size(info->width, info->height, err));
    df_status status = decode_stored(bytes, size, info, reduction, &image, err);
    if (status == DF_OK)
        status = fit(&image, max_side, err);
    if (status == DF_OK)
        status = turn(&image, info->orientation, err);
    if (status == DF_OK)
        *out = image;
    else
        df_image_free(&image);
    return status;
}

df_status df_image_decode(const uint8_t *bytes, size_t size, int max_side, df_image *out,
                          df_error *err)
{
    df_image_info info;
    DF_TRY(df_image_probe(bytes, size, &info, err));
    int reduction = 1;
    if (max_side > 0)
        reduction = reduce(&info, info.width > info.height ? info.width : info.height, max_side);
    return decode(bytes, size, &info, reduction, max_side, out, err);
}

df_status df_image_decode_reduced(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                                  df_error *err)
{
    df_image_info info;
    DF_TRY(df_image_probe(bytes, size, &info, err));
    if (reduction > 1 && info.format != DF_FORMAT_JPEG)
        return df_fail(err, DF_FORMAT, "only a JPEG is decoded in part");
    return decode(bytes, size, &info, reduction, 0, out, err);
}
