/* look: what no model says and every painter asks: which colours, how bright, how even, for the
 * image, the cells of a 3 x 3 grid and the box of each detected object. */
#include <math.h>
#include <stdlib.h>

#include "stage/stage.h"
#include "vision/palette.h"
#include "tables/detect.h"
#include "tables/tables.h"
#include "tables/look.h"

typedef struct {
    int64_t side;
    double min_share;
} look_config;
typedef struct {
    look_config config;
    df_palette *palette;
} look_state;

static const df_option options[] = {
    {"side", DF_OPT_INT, offsetof(look_config, side), "256", 32, 2048,
     "long side in pixels of the small copy that colours are taken from"},
    {"min_share", DF_OPT_REAL, offsetof(look_config, min_share), "0.05", 0, 1,
     "colours below this share of a region are not named; the largest always is"},
    {0},
};

static void look_close(void *state)
{
    look_state *s = state;
    if (s)
        df_palette_close(s->palette);
    free(s);
}

static df_status look_open(void **state, const df_dataset *ds, const void *config,
                           const df_run *run, df_error *err)
{
    (void)ds;
    (void)run;
    look_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, NULL);
    s->config = *(const look_config *)config;
    df_status status = df_palette_open(&s->palette, err);
    if (status == DF_OK)
        *state = s;
    else
        look_close(s);
    return status;
}

/* Appends what a region looks like; shares are kept to two decimals. */
static df_status append(df_table *out, const df_sight *sight, const char *kind, int item,
                        const df_region *r, df_error *err)
{
    const char *names[DF_COLOURS_MAX];
    double shares[DF_COLOURS_MAX];
    for (int i = 0; i < r->n_colours; i++) {
        names[i] = r->colours[i].name;
        shares[i] = rint(r->colours[i].share * 100) / 100;
    }
    return df_table_append(
        out,
        (const df_value[DF_LOOK_COLUMNS]){[DF_LOOK_ROW] = DF_INT(sight->row),
                                          [DF_LOOK_KIND] = DF_TEXT(kind),
                                          [DF_LOOK_ITEM] = DF_INT(item),
                                          [DF_LOOK_COLOURS] = DF_TEXTS(names, r->n_colours),
                                          [DF_LOOK_SHARES] = DF_REALS(shares, r->n_colours),
                                          [DF_LOOK_BRIGHTNESS] = DF_REAL(r->brightness),
                                          [DF_LOOK_CONTRAST] = DF_REAL(r->contrast),
                                          [DF_LOOK_SATURATION] = DF_REAL(r->saturation),
                                          [DF_LOOK_DETAIL] = DF_REAL(r->detail)},
        err);
}

/* Looks at the image, at the cells of a 3 x 3 grid, and at each detected box. */
static df_status append_all(const look_state *s, const df_swatch *swatch, const df_sight *sight,
                            df_table *out, df_error *err)
{
    const double w = swatch->width, h = swatch->height, min_share = s->config.min_share;
    df_region r = df_swatch_region(swatch, (df_rect){0, 0, w, h}, false, min_share);
    DF_TRY(append(out, sight, "image", 0, &r, err));
    for (int i = 0; i < 9; i++) {
        const int x = i % 3, y = i / 3;
        r = df_swatch_region(swatch,
                             (df_rect){w * x / 3, h * y / 3, w * (x + 1) / 3, h * (y + 1) / 3},
                             false, min_share);
        DF_TRY(append(out, sight, "cell", i, &r, err));
    }
    const double sx = w / sight->image->full_width, sy = h / sight->image->full_height;
    const df_image_rows boxes = df_sight_rows(sight, &df_detect_table);
    for (int64_t i = boxes.first; i < boxes.end; i++) {
        const df_rect box = {df_table_real(boxes.table, i, DF_DETECT_X0) * sx,
                             df_table_real(boxes.table, i, DF_DETECT_Y0) * sy,
                             df_table_real(boxes.table, i, DF_DETECT_X1) * sx,
                             df_table_real(boxes.table, i, DF_DETECT_Y1) * sy};
        r = df_swatch_region(swatch, box, true, min_share);
        DF_TRY(append(out, sight, "box", (int)(i - boxes.first), &r, err));
    }
    return DF_OK;
}

/* Every factor-th pixel of the image, each the mean of four spread over the factor x factor block:
 * the resize after it then reads a sixteenth of the bytes, and at a glance nobody sees the
 * difference. */
static df_status thin_out(const df_image *in, int factor, df_arena *arena, df_image *out,
                          df_error *err)
{
    const int w = in->width / factor, h = in->height / factor;
    uint8_t *rgb = df_arena_alloc(arena, (size_t)w * (size_t)h, 3);
    if (!rgb)
        return df_no_memory(err, NULL);
    const size_t row = (size_t)in->width * 3, near = (size_t)factor / 4,
                 far = (size_t)factor * 3 / 4;
    *out = (df_image){w, h, in->full_width, in->full_height, rgb};
    for (size_t y = 0; y < (size_t)h; y++) {
        const uint8_t *a = in->rgb + (y * (size_t)factor + near) * row,
                      *b = in->rgb + (y * (size_t)factor + far) * row;
        for (size_t x = 0; x < (size_t)w; x++) {
            const size_t i = (x * (size_t)factor + near) * 3, j = (x * (size_t)factor + far) * 3;
            for (size_t c = 0; c < 3; c++)
                *rgb++ = (uint8_t)((a[i + c] + a[j + c] + b[i + c] + b[j + c] + 2) / 4);
        }
    }
    return DF_OK;
}

static int long_side(const df_image *image)
{
    return image->width > image->height ? image->width : image->height;
}

/* Shrinks the picture to look.side and looks at it. */
static df_status look_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                               df_error *err)
{
    const look_state *s = state;
    const df_image *image = sight->image;
    if (!image)
        return DF_OK;
    df_image thin = {0}, small = {0};        /* thin's pixels are the arena's */
    const int side = (int)s->config.side, factor = long_side(image) / (2 * side);
    const int short_side = image->width < image->height ? image->width : image->height;
    if (factor >= 2 && short_side >= factor) {
        DF_TRY(thin_out(image, factor, arena, &thin, err));
        image = &thin;
    }
    if (long_side(image) > side) {
        const double scale = (double)side / long_side(image);
        const int w = (int)lround(image->width * scale), h = (int)lround(image->height * scale);
        DF_TRY(df_image_resize(image, w < 1 ? 1 : w, h < 1 ? 1 : h, &small, err));
        image = &small;
    }
    df_swatch swatch;
    df_status status =
        df_swatch_make(s->palette, image->rgb, image->width, image->height, arena, &swatch, err);
    if (status == DF_OK)
        status = append_all(s, &swatch, sight, out, err);
    df_image_free(&small);
    return status;
}

static const df_pixel_ops look_pixels = {
    .open = look_open,
    .perceive = look_perceive,
    .close = look_close,
    .sees = (const df_table_type *const[]){&df_detect_table, NULL},
};

const df_stage df_stage_look = {
    .name = "look",
    .summary =
        "colours, brightness, contrast and detail of the image, of its parts and of each box",
    .reads = (const char *const[]){"ingest", DF_DECIDERS, "detect", NULL},
    .table = &df_look_table,
    .options = options,
    .config_size = sizeof(look_config),
    .pixels = &look_pixels,
};
