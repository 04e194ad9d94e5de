/* Names of colours by nearest prototype in OKLab, and the brightness, contrast, saturation and
 * detail of regions. */
#include "vision/palette.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prototypes of the colour names. A colour takes the name of the nearest one, so the table draws
 * the borders. The greys stand close together, so that greys with the colour cast of a photograph
 * (chroma below about 0.03) stay grey. */
typedef struct {
    const char *name;
    uint32_t srgb;
} prototype;
static const prototype prototypes[] = {
    {"black", 0x000000},        {"black", 0x151515},        {"black", 0x1C1A18},
    {"black", 0x14181C},        {"black", 0x1E1412},        {"black", 0x101A12},
    {"black", 0x1A221A},        {"dark grey", 0x343434},    {"dark grey", 0x484848},
    {"dark grey", 0x5A5A5A},    {"dark grey", 0x3A3632},    {"dark grey", 0x343A40},
    {"dark grey", 0x3C4652},    {"dark grey", 0x384440},    {"dark grey", 0x2C342C},
    {"grey", 0x6E6E6E},         {"grey", 0x808080},         {"grey", 0x949494},
    {"grey", 0x827D78},         {"grey", 0x78808A},         {"grey", 0x6A7686},
    {"grey", 0x8A96A6},         {"light grey", 0xA8A8A8},   {"light grey", 0xBCBCBC},
    {"light grey", 0xD0D0D0},   {"light grey", 0xC4C0BA},   {"light grey", 0xB8C0C8},
    {"light grey", 0xAEBAC6},   {"white", 0xEAEAEA},        {"white", 0xFFFFFF},
    {"white", 0xF4F0E8},        {"white", 0xE8F0F6},        {"dark red", 0x3C0A0A},
    {"dark red", 0x5C0E12},     {"dark red", 0x801418},     {"dark red", 0x6E2024},
    {"red", 0xA81C20},          {"red", 0xC81E1E},          {"red", 0xE62020},
    {"red", 0xFF0000},          {"red", 0xD23C3C},          {"red", 0xE0403A},
    {"red", 0xC81446},          {"pink", 0xFF80A0},         {"pink", 0xFF69B4},
    {"pink", 0xE87896},         {"pink", 0xF03C96},         {"pink", 0xD87088},
    {"pink", 0xFF50C0},         {"light pink", 0xFFC0CB},   {"light pink", 0xF0B4BE},
    {"light pink", 0xF8D2D8},   {"light pink", 0xE0AAB4},   {"orange", 0xFF8000},
    {"orange", 0xFFA020},       {"orange", 0xE87818},       {"orange", 0xF06414},
    {"orange", 0xFF6A30},       {"orange", 0xE05A10},       {"orange", 0xE88C40},
    {"orange", 0xD87020},       {"orange", 0xC87418},       {"orange", 0xC88028},
    {"orange", 0xFFB050},       {"dark brown", 0x2E1C10},   {"dark brown", 0x402818},
    {"dark brown", 0x4A3220},   {"dark brown", 0x3C2E22},   {"dark brown", 0x50341C},
    {"brown", 0x6A4426},        {"brown", 0x7C5230},        {"brown", 0x8B5A2B},
    {"brown", 0x96582C},        {"brown", 0x7A5C46},        {"brown", 0xA0522D},
    {"brown", 0x8C4628},        {"brown", 0x6E4C3C},        {"light brown", 0xA8804E},
    {"light brown", 0xB48A5A},  {"light brown", 0xC49A6C},  {"light brown", 0xA88868},
    {"light brown", 0xB87C54},  {"light brown", 0xC08050},  {"beige", 0xD8C4A0},
    {"beige", 0xE6D6B8},        {"beige", 0xF0E2C8},        {"beige", 0xE0C09A},
    {"beige", 0xCCB898},        {"beige", 0xE8C8B0},        {"yellow", 0xFFFF00},
    {"yellow", 0xFFE000},       {"yellow", 0xF5D020},       {"yellow", 0xE8E040},
    {"yellow", 0xFFD040},       {"yellow", 0xE8C040},       {"yellow", 0xD8C020},
    {"yellow", 0xC4A830},       {"yellow", 0xB89C20},       {"yellow", 0xFFC800},
    {"pale yellow", 0xFFFAB0},  {"pale yellow", 0xF5EA9A},  {"pale yellow", 0xFFF0A0},
    {"pale yellow", 0xE8E0A0},  {"olive", 0x808000},        {"olive", 0x6B6B20},
    {"olive", 0x8A8440},        {"olive", 0x5C5828},        {"olive", 0x9A9040},
    {"olive", 0x74703C},        {"dark green", 0x06280C},   {"dark green", 0x123A16},
    {"dark green", 0x1E4A1E},   {"dark green", 0x2A3C1C},   {"dark green", 0x204030},
    {"dark green", 0x3A4A20},   {"dark green", 0x1E3612},   {"dark green", 0x006000},
    {"dark green", 0x0C5028},   {"green", 0x008000},        {"green", 0x2E8B2E},
    {"green", 0x3CA03C},        {"green", 0x00B400},        {"green", 0x4C7A2C},
    {"green", 0x6A9A30},        {"green", 0x20A050},        {"green", 0x00C840},
    {"green", 0x5C8848},        {"green", 0x80B030},        {"green", 0x386A38},
    {"green", 0x00FF00},        {"green", 0x5A6E38},        {"green", 0x788C50},
    {"green", 0x4A7060},        {"light green", 0x90EE90},  {"light green", 0xA0D870},
    {"light green", 0xB0E060},  {"light green", 0xA8D0A0},  {"light green", 0xC8E8B8},
    {"light green", 0xB4F050},  {"light green", 0xA4BC84},  {"light green", 0x70E870},
    {"light green", 0xB0C480},  {"teal", 0x006464},         {"teal", 0x008080},
    {"teal", 0x1E6E78},         {"teal", 0x0C4A50},         {"teal", 0x2C8C8C},
    {"turquoise", 0x30C8C0},    {"turquoise", 0x40E0D0},    {"turquoise", 0x00CED1},
    {"turquoise", 0x00FFFF},    {"turquoise", 0x60C0B8},    {"turquoise", 0x90E8E0},
    {"dark blue", 0x06083C},    {"dark blue", 0x0A1450},    {"dark blue", 0x101C78},
    {"dark blue", 0x1C2E58},    {"dark blue", 0x24344C},    {"dark blue", 0x143C6E},
    {"dark blue", 0x00008B},    {"dark blue", 0x0C2038},    {"blue", 0x0000FF},
    {"blue", 0x1E50D0},         {"blue", 0x2060B0},         {"blue", 0x3C78C8},
    {"blue", 0x2878E8},         {"blue", 0x1E90FF},         {"blue", 0x4A6A96},
    {"blue", 0x3050A0},         {"blue", 0x4858C8},         {"blue", 0x4C88B4},
    {"blue", 0x0878B0},         {"light blue", 0x87CEEB},   {"light blue", 0x90B8E0},
    {"light blue", 0xA8C8E8},   {"light blue", 0xB4DCF4},   {"light blue", 0x70A8E0},
    {"light blue", 0x90B0D0},   {"light blue", 0x60B8F0},   {"light blue", 0xD0E4F8},
    {"dark purple", 0x300838},  {"dark purple", 0x481454},  {"dark purple", 0x3A2050},
    {"dark purple", 0x501040},  {"purple", 0x800080},       {"purple", 0x7832A0},
    {"purple", 0x6A3CA8},       {"purple", 0x9040C8},       {"purple", 0xA020C0},
    {"purple", 0x7A5090},       {"purple", 0x8A2BE2},       {"purple", 0xFF00FF},
    {"purple", 0x8C3C78},       {"light purple", 0xC8A0E0}, {"light purple", 0xB490D0},
    {"light purple", 0xDCC0EC}, {"light purple", 0xA890C8}, {"light purple", 0xDA80E0},
};
enum {
    N_PROTOTYPES = sizeof prototypes / sizeof prototypes[0],
    N_NAMES_MAX = 64,
    LUT_BITS = 5,
    LUT_SIZE = 1 << 3 * LUT_BITS
};

/* A photograph toned as a whole has the same weak brown at each lightness; see toned(). */
static const char sepia[] = "sepia";
enum { TONE_BINS = 16 };
static const double tone_chroma_min = 0.013, tone_chroma_max = 0.085, tone_spread_max = 0.006,
                    tone_hue_min = 40, tone_hue_max = 105;
/* chroma of a vivid colour; mean contrast of neighbours in a busy picture */
static const double chroma_full = 0.20, edge_full = 0.12;

struct df_palette {
    float linear[256];                       /* sRGB byte to linear light */
    const char *names[N_NAMES_MAX];
    int n_names, black, white, sepia;        /* indexes into names */
    uint8_t name[LUT_SIZE];                  /* index into names by the top bits of r, g, b */
};

static float linear_light(int byte)
{
    const double v = byte / 255.0;
    return (float)(v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
}

/* Cube root of x in [0, 1]: a guess from the exponent, then two steps of Halley's method. The
 * relative error is 1e-6, and the compiler can vectorise it. */
static inline float cube_root(float x)
{
    union {
        float f;
        uint32_t i;
    } u = {.f = x};
    u.i = u.i / 3 + 709921077u;
    float y = u.f;
    for (int step = 0; step < 2; step++) {
        const float cube = y * y * y;
        y *= (cube + 2 * x) / (2 * cube + x + 1e-30f);
    }
    return x > 0 ? y : 0;
}

/* Linear sRGB to OKLab. Björn Ottosson, https://bottosson.github.io/posts/oklab/ (matrices of
 * 2021-01-25). */
static inline df_oklab oklab(float r, float g, float b)
{
    const float l = cube_root(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
    const float m = cube_root(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
    const float s = cube_root(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
    return (df_oklab){0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s,
                      1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s,
                      0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s};
}

df_oklab df_oklab_from_srgb(uint8_t red, uint8_t green, uint8_t blue)
{
    return oklab(linear_light(red), linear_light(green), linear_light(blue));
}

static void prototypes_lab(df_oklab lab[N_PROTOTYPES])
{
    for (int i = 0; i < N_PROTOTYPES; i++) {
        const uint32_t c = prototypes[i].srgb;
        lab[i] =
            df_oklab_from_srgb((uint8_t)(c >> 16), (uint8_t)(c >> 8 & 255), (uint8_t)(c & 255));
    }
}

/* Index of the nearest prototype. Lightness counts half (0.7 squared), since people use a hue's
 * name over a wide range of light and dark. */
static int nearest(const df_oklab lab[N_PROTOTYPES], df_oklab c)
{
    int best = 0;
    float least = INFINITY;
    for (int i = 0; i < N_PROTOTYPES; i++) {
        const float l = 0.7f * (lab[i].l - c.l), a = lab[i].a - c.a, b = lab[i].b - c.b;
        const float d = l * l + a * a + b * b;
        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

const char *df_colour_name(uint8_t red, uint8_t green, uint8_t blue)
{
    df_oklab lab[N_PROTOTYPES];
    prototypes_lab(lab);
    return prototypes[nearest(lab, df_oklab_from_srgb(red, green, blue))].name;
}

static int name_index(df_palette *p, const char *name)
{
    for (int i = 0; i < p->n_names; i++)
        if (strcmp(p->names[i], name) == 0)
            return i;
    assert(p->n_names < N_NAMES_MAX);
    p->names[p->n_names] = name;
    return p->n_names++;
}

df_status df_palette_open(df_palette **out, df_error *err)
{
    df_palette *p = calloc(1, sizeof *p);
    if (!p)
        return df_no_memory(err, "make the palette");
    for (int i = 0; i < 256; i++)
        p->linear[i] = linear_light(i);
    df_oklab lab[N_PROTOTYPES];
    prototypes_lab(lab);
    uint8_t index[N_PROTOTYPES];
    for (int i = 0; i < N_PROTOTYPES; i++)
        index[i] = (uint8_t)name_index(p, prototypes[i].name);
    p->black = name_index(p, "black");
    p->white = name_index(p, "white");
    p->sepia = name_index(p, sepia);
    const int mask = (1 << LUT_BITS) - 1;
    for (int i = 0; i < LUT_SIZE; i++) {
        /* stretched to 0..255, so that the ends of the range stay exact */
        const int r = i >> 2 * LUT_BITS, g = i >> LUT_BITS & mask, b = i & mask;
        const float light[3] = {p->linear[r * 255 / mask], p->linear[g * 255 / mask],
                                p->linear[b * 255 / mask]};
        p->name[i] = index[nearest(lab, oklab(light[0], light[1], light[2]))];
    }
    *out = p;
    return DF_OK;
}

void df_palette_close(df_palette *p)
{
    free(p);
}

/* Local contrast of lightness: distance to the neighbours on the right and below. */
static void find_edges(const float *l, int width, int height, float *edge)
{
    for (int y = 0; y < height; y++) {
        const float *row = l + (size_t)y * (size_t)width,
                    *below = y + 1 < height ? row + width : row;
        float *out = edge + (size_t)y * (size_t)width;
        for (int x = 0; x + 1 < width; x++)
            out[x] = fabsf(row[x + 1] - row[x]) + fabsf(below[x] - row[x]);
        out[width - 1] = 2 * fabsf(below[width - 1] - row[width - 1]);
    }
}

typedef struct {
    double n, a, b, square;
} tone_bin;

/* Whether the whole picture is toned in sepia. In a toned print chroma is a function of lightness:
 * within a band of lightness all pixels have nearly the same a and b. In a photograph of brown
 * things they are scattered. */
static bool toned(const df_swatch *s, const float *a, const float *b)
{
    const size_t n = (size_t)s->width * (size_t)s->height;
    tone_bin bins[TONE_BINS] = {{0}};
    for (size_t i = 0; i < n; i++) {
        int k = (int)(s->l[i] * (float)TONE_BINS);
        tone_bin *t = &bins[k < 0 ? 0 : k >= TONE_BINS ? TONE_BINS - 1 : k];
        t->n++;
        t->a += (double)a[i];
        t->b += (double)b[i];
        t->square += (double)a[i] * (double)a[i] + (double)b[i] * (double)b[i];
    }
    double spread = 0, sum_a = 0, sum_b = 0, middle = 0;
    for (int k = 0; k < TONE_BINS; k++) {
        const tone_bin *t = &bins[k];
        if (t->n < 1)
            continue;
        spread += t->square - (t->a * t->a + t->b * t->b) / t->n;
        if (k < 3 || k > 13)                 /* black and the white of paper have little tone */
            continue;
        middle += t->n;
        sum_a += t->a;
        sum_b += t->b;
    }
    if (middle < 0.2 * (double)n)
        return false;
    const double chroma = hypot(sum_a, sum_b) / middle,
                 hue = atan2(sum_b, sum_a) * 180 / 3.14159265358979323846;
    return chroma >= tone_chroma_min && chroma <= tone_chroma_max && hue >= tone_hue_min &&
           hue <= tone_hue_max && sqrt(fmax(spread, 0) / (double)n) <= tone_spread_max;
}

static void name_tones(const df_palette *p, const df_swatch *s, uint8_t *name)
{
    const size_t n = (size_t)s->width * (size_t)s->height;
    for (size_t i = 0; i < n; i++)
        name[i] = (uint8_t)(s->l[i] < 0.22f ? p->black : s->l[i] > 0.955f ? p->white : p->sepia);
}

df_status df_swatch_make(const df_palette *p, const uint8_t *rgb, int width, int height,
                         df_arena *arena, df_swatch *out, df_error *err)
{
    const size_t n = (size_t)width * (size_t)height;
    float *plane = df_arena_alloc(arena, n, 5 * sizeof *plane);
    uint8_t *name = df_arena_alloc(arena, n, 1);
    if (!plane || !name)
        return df_no_memory(err, "look at a picture");
    float *l = plane, *chroma = plane + n, *edge = plane + 2 * n, *a = plane + 3 * n,
          *b = plane + 4 * n;
    for (size_t i = 0; i < n; i++, rgb += 3) {
        const df_oklab c = oklab(p->linear[rgb[0]], p->linear[rgb[1]], p->linear[rgb[2]]);
        l[i] = c.l;
        a[i] = c.a;
        b[i] = c.b;
        chroma[i] = sqrtf(c.a * c.a + c.b * c.b);
        name[i] = p->name[(rgb[0] >> 3) << 2 * LUT_BITS | (rgb[1] >> 3) << LUT_BITS | rgb[2] >> 3];
    }
    find_edges(l, width, height, edge);
    *out = (df_swatch){width, height, p, name, l, chroma, edge};
    if (toned(out, a, b))
        name_tones(p, out, name);
    return DF_OK;
}

static int clamp_int(double v, int low, int high)
{
    return v >= high ? high : v > low ? (int)v : low;                /* NaN: low */
}

typedef struct {
    double weight, l, square, chroma, edge, name[N_NAMES_MAX];
} sums;

/* Sums up lightness, chroma, edges and colours over a rectangle, weighted when it is centred. */
static void add_rect(const df_swatch *s, df_rect rect, bool centred, sums *sum)
{
    const int x0 = clamp_int(floor(rect.x0), 0, s->width - 1),
              y0 = clamp_int(floor(rect.y0), 0, s->height - 1);
    const int x1 = clamp_int(ceil(rect.x1), x0 + 1, s->width),
              y1 = clamp_int(ceil(rect.y1), y0 + 1, s->height);
    for (int y = y0; y < y1; y++) {
        const double v = (2 * y + 1 - y0 - y1) / (double)(y1 - y0),
                     weight_y = centred ? 1 - v * v : 1;
        for (int x = x0; x < x1; x++) {
            const double u = (2 * x + 1 - x0 - x1) / (double)(x1 - x0),
                         w = centred ? weight_y * (1 - u * u) : 1;
            const size_t i = (size_t)y * (size_t)s->width + (size_t)x;
            const double l = (double)s->l[i];
            sum->weight += w;
            sum->l += w * l;
            sum->square += w * l * l;
            sum->chroma += w * fmin(1, (double)s->chroma[i] / chroma_full);
            sum->edge += w * (double)s->edge[i];
            sum->name[s->name[i]] += w;
        }
    }
}

static double unit(double v)
{
    return v > 0 ? fmin(v, 1) : 0;
}

/* Takes the colours with the largest shares, at least one. */
static void largest_names(const df_palette *p, sums *sum, double min_share, df_region *out)
{
    while (out->n_colours < DF_COLOURS_MAX) {
        int best = 0;
        for (int k = 1; k < p->n_names; k++)
            if (sum->name[k] > sum->name[best])
                best = k;
        const double share = sum->name[best] / sum->weight;
        if (share <= 0 || (share < min_share && out->n_colours > 0))
            return;
        out->colours[out->n_colours++] = (df_colour){p->names[best], fmin(share, 1)};
        sum->name[best] = 0;
    }
}

df_region df_swatch_region(const df_swatch *s, df_rect rect, bool centred, double min_share)
{
    sums sum = {0};
    df_region out = {0};
    add_rect(s, rect, centred, &sum);
    const double mean = sum.l / sum.weight;
    out.brightness = unit(mean);
    /* a picture that is half black and half white has 1 */
    out.contrast = unit(2 * sqrt(fmax(0, sum.square / sum.weight - mean * mean)));
    out.saturation = unit(sum.chroma / sum.weight);
    out.detail = unit(sum.edge / sum.weight / edge_full);
    largest_names(s->palette, &sum, min_share, &out);
    return out;
}
