/* Colours by the names that people use, and the few numbers that describe how a region looks.
 *
 * A colour gets the name of its nearest prototype in OKLab (Ottosson 2020, "A perceptual color
 * space for image processing"); the prototypes are the table in palette.c. The names are the eleven
 * basic colour terms (Berlin & Kay 1969) with dark, light and pale variants, and beige, olive, teal
 * and turquoise. `sepia` is used only for a picture that is toned as a whole. */
#ifndef DF_VISION_PALETTE_H
#define DF_VISION_PALETTE_H
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "evidence/evidence.h"

/* l in [0, 1]; a, b about -0.4..0.4 */
typedef struct {
    float l, a, b;
} df_oklab;
df_oklab df_oklab_from_srgb(uint8_t red, uint8_t green, uint8_t blue);

/* Name of an sRGB colour; a constant string. */
const char *df_colour_name(uint8_t red, uint8_t green, uint8_t blue);

/* A table of the names of all colours at 5 bits a channel, and tables that make OKLab fast.
 * Immutable: shared by threads. df_palette_close frees it; NULL is fine. */
typedef struct df_palette df_palette;
df_status df_palette_open(df_palette **out, df_error *err);
void df_palette_close(df_palette *p);

/* A picture prepared for questions about its regions. Its arrays live in the arena that
 * df_swatch_make was given. */
typedef struct {
    int width, height;
    const df_palette *palette;
    const uint8_t *name;                     /* [height][width]: index of the colour's name */
    /* [height][width]: lightness; chroma; local contrast of lightness */
    const float *l, *chroma, *edge;
} df_swatch;
/* rgb: [height][width][3], at best about 256 pixels on the long side. Errors: DF_NOMEM. */
df_status df_swatch_make(const df_palette *p, const uint8_t *rgb, int width, int height,
                         df_arena *arena, df_swatch *out, df_error *err);
/* How the rectangle [x0, x1) x [y0, y1) of the swatch looks. Fractions of pixels are allowed; the
 * rectangle is clamped to the picture and widened to at least one pixel. centred: pixels are
 * weighted by (1 - u^2)(1 - v^2), so that the middle counts more than the border, for boxes around
 * an object. Colours below min_share are left out, except the largest. */
typedef struct {
    double x0, y0, x1, y1;
} df_rect;
df_region df_swatch_region(const df_swatch *s, df_rect rect, bool centred, double min_share);
#endif
