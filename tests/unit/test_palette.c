/* Colours get the names that people give them; a toned or grey picture is not given others; text
 * round-trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tables/detect.h"
#include "tables/look.h"
#include "vision/palette.h"
#include "dataset/table.h"
#include "stage/stage.h"

extern const df_stage df_stage_look;
typedef struct {
    int64_t side;
    double min_share;
    char more[64];
} look_config;

static void names_of_known_colours(void **state)
{
    (void)state;
    const struct {
        uint32_t srgb;
        const char *name;
    } cases[] = {
        {0x000000, "black"},
        {0xFFFFFF, "white"},
        {0x808080, "grey"},
        {0x404040, "dark grey"},
        {0xC0C0C0, "light grey"},
        /* pillar box; CSS darkred */
        {0xFF0000, "red"},
        {0xCC2222, "red"},
        {0x8B0000, "dark red"},
        /* grass */
        {0x00FF00, "green"},
        {0x006400, "dark green"},
        {0x90EE90, "light green"},
        {0x4E8B3A, "green"},
        /* deep sky */
        {0x0000FF, "blue"},
        {0x00008B, "dark blue"},
        {0x87CEEB, "light blue"},
        {0x3A6FC0, "blue"},
        /* pumpkin */
        {0xFFFF00, "yellow"},
        {0xFFD700, "yellow"},
        {0xFFA500, "orange"},
        {0xFF7518, "orange"},
        {0x8B4513, "brown"},
        {0x654321, "brown"},
        {0xF5DEB3, "beige"},
        {0xF5F5DC, "white"},
        {0xFFC0CB, "light pink"},
        {0xFF69B4, "pink"},
        {0x800080, "purple"},
        {0x40E0D0, "turquoise"},
        {0x808000, "olive"},
        /* concrete, asphalt, cloud */
        {0x8A8F94, "grey"},
        {0x3B3F44, "dark grey"},
        {0xB5BBC0, "light grey"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t c = cases[i].srgb;
        const char *name =
            df_colour_name((uint8_t)(c >> 16), (uint8_t)(c >> 8 & 255), (uint8_t)(c & 255));
        if (strcmp(name, cases[i].name))
            fail_msg("%06X is named %s, not %s", c, name, cases[i].name);
    }
}

/* Every grey from black to white, also with the cast of a few levels that JPEG leaves, gets a
 * grey's name. */
static void greys_stay_grey(void **state)
{
    (void)state;
    static const char *const greys[] = {"black", "dark grey", "grey", "light grey", "white"};
    const int casts[][3] = {{0, 0, 0}, {4, 0, 0}, {0, 4, 0}, {0, 0, 4}, {4, 2, 0}, {0, 2, 5}};
    int before = 0;
    for (int v = 0; v < 251; v++)
        for (size_t k = 0; k < sizeof casts / sizeof casts[0]; k++) {
            const char *name = df_colour_name(
                (uint8_t)(v + casts[k][0]), (uint8_t)(v + casts[k][1]), (uint8_t)(v + casts[k][2]));
            int at = 0;
            while (at < 5 && strcmp(greys[at], name))
                at++;
            if (at == 5)
                fail_msg("grey %d with cast %zu is named %s", v, k, name);
            if (k == 0) {
                assert_true(at >= before);
                before = at;
            }
        }
}

static void oklab_is_the_published_one(void **state)
{
    (void)state;
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/oracle/oklab.csv",
             getenv("DF_SOURCE_DIR") ? getenv("DF_SOURCE_DIR") : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char line[160];
    int n = 0;
    while (fgets(line, sizeof line, f)) {
        unsigned r, g, b;
        double l, a, bb;
        assert_int_equal(sscanf(line, "%u,%u,%u,%lf,%lf,%lf", &r, &g, &b, &l, &a, &bb), 6);
        const df_oklab c = df_oklab_from_srgb((uint8_t)r, (uint8_t)g, (uint8_t)b);
        /* float32 */
        assert_true(fabs((double)c.l - l) < 2e-6 && fabs((double)c.a - a) < 4e-6 &&
                    fabs((double)c.b - bb) < 4e-6);
        n++;
    }
    fclose(f);
    assert_int_equal(n, 224);
}

typedef void painter(int x, int y, uint8_t *rgb);
enum { W = 240, H = 180 };

static df_swatch paint(df_palette *p, painter *with, df_arena *arena)
{
    uint8_t *rgb = df_arena_alloc(arena, (size_t)W * H, 3);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            with(x, y, rgb + 3 * (y * W + x));
    df_swatch s;
    assert_int_equal(df_swatch_make(p, rgb, W, H, arena, &s, NULL), DF_OK);
    return s;
}

static void set(uint8_t *rgb, int r, int g, int b)
{
    rgb[0] = (uint8_t)r;
    rgb[1] = (uint8_t)g;
    rgb[2] = (uint8_t)b;
}

/* Toned black-to-white ramp: brown that fades to nothing at both ends. */
static void old_print(int x, int y, uint8_t *rgb)
{
    const int v = 30 + (x * 7 + y * 13) % 200, tone = v < 128 ? v / 12 : (255 - v) / 12;
    set(rgb, v + tone + 2, v, v - tone - 4);
}

static void grey_print(int x, int y, uint8_t *rgb)
{
    const int v = (x * 7 + y * 13) % 256;
    set(rgb, v, v, v);
}

/* Brown things in a colour photograph: as dull as sepia, but of several browns and greens at one
 * lightness. */
static void brown_things(int x, int y, uint8_t *rgb)
{
    const int v = 60 + (x * 7 + y * 13) % 120, k = x / 20 % 3;
    set(rgb, v + 24, v + (k == 1 ? 18 : 4), v - (k == 2 ? 4 : 22));
}

static void half_and_half(int x, int y, uint8_t *rgb)
{
    (void)y;
    set(rgb, x < W / 2 ? 0 : 255, x < W / 2 ? 0 : 255, x < W / 2 ? 0 : 255);
}

static void red_on_green(int x, int y, uint8_t *rgb)
{
    /* 36 % of the box 60..180 x 45..135, per side 60 % */
    const bool inside = x >= 84 && x < 156 && y >= 63 && y < 117;
    set(rgb, inside ? 220 : 30, inside ? 20 : 130, 30);
}

static const df_rect everything = {0, 0, W, H};

static void toned_and_grey_pictures(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_palette *p;
    assert_int_equal(df_palette_open(&p, NULL), DF_OK);
    df_swatch s = paint(p, old_print, &arena);
    df_region r = df_swatch_region(&s, everything, false, 0.05);
    assert_string_equal(r.colours[0].name, "sepia");
    assert_true(r.colours[0].share > 0.7);

    s = paint(p, grey_print, &arena);
    r = df_swatch_region(&s, everything, false, 0);
    assert_int_equal(r.n_colours, 4);
    for (int i = 0; i < r.n_colours; i++)
        assert_true(strstr("black dark grey light grey white", r.colours[i].name) != NULL);
    assert_true(r.saturation < 0.01);

    s = paint(p, brown_things, &arena);
    r = df_swatch_region(&s, everything, false, 0.05);
    for (int i = 0; i < r.n_colours; i++)
        assert_string_not_equal(r.colours[i].name, "sepia");
    df_palette_close(p);
    df_arena_reset(&arena);
}

static void numbers_mean_what_they_say(void **state)
{
    (void)state;
    df_arena arena = {0};
    df_palette *p;
    assert_int_equal(df_palette_open(&p, NULL), DF_OK);
    df_swatch s = paint(p, half_and_half, &arena);
    df_region r = df_swatch_region(&s, everything, false, 0.05);
    assert_true(fabs(r.brightness - 0.5) < 0.01 && r.contrast > 0.99 && r.saturation < 0.01 &&
                r.detail < 0.1);
    r = df_swatch_region(&s, (df_rect){0, 0, (double)W / 2, H}, false, 0.05);
    assert_string_equal(r.colours[0].name, "black");
    assert_true(r.n_colours == 1 && r.brightness < 0.01 && r.contrast < 0.01);

    s = paint(p, red_on_green, &arena);      /* the object, not what surrounds it */
    const df_rect box = {60, 45, 180, 135};
    r = df_swatch_region(&s, box, false, 0.05);
    assert_string_equal(r.colours[0].name, "green");
    r = df_swatch_region(&s, box, true, 0.05);
    assert_string_equal(r.colours[0].name, "red");

    const df_rect wild[] = {{-50, -50, -10, -10}, {1e9, 1e9, 2e9, 2e9},
                            {NAN, NAN, NAN, NAN}, {50, 50, 20, 20},
                            {7, 7, 7, 7},         {-INFINITY, 0, INFINITY, H}};
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        r = df_swatch_region(&s, wild[i], true, 0.05);
        assert_true(r.n_colours >= 1 && r.brightness >= 0 && r.brightness <= 1);
    }
    df_palette_close(p);
    df_arena_reset(&arena);
}

/* The stage: boxes are in pixels of the full image, whatever the size of the pixels at hand. */
static void stage_looks_where_boxes_are(void **state)
{
    (void)state;
    look_config config = {0};
    void *look = NULL;
    assert_int_equal(df_stage_look.config_size, offsetof(look_config, more));
    assert_int_equal(df_options_defaults(df_stage_look.options, &config, NULL), DF_OK);
    assert_int_equal(df_stage_look.pixels->open(&look, NULL, &config, NULL, NULL), DF_OK);
    const int sizes[][2] = {{1200, 900}, {400, 300}, {1600, 16}, {1, 1}, {3000, 1}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        df_image image = {sizes[k][0], sizes[k][1], 4 * sizes[k][0], 4 * sizes[k][1], NULL};
        const size_t n = (size_t)image.width * (size_t)image.height;
        image.rgb = malloc(n * 3);
        for (size_t i = 0; i < n; i++)
            set(image.rgb + 3 * i, (int)(i % (size_t)image.width) >= image.width / 2 ? 230 : 10, 20,
                20);
        df_table *boxes;
        assert_int_equal(df_table_create(&boxes, df_detect_table.columns, NULL), DF_OK);
        const double sides[2][4] = {{2.4 * image.width, 0, 3.6 * image.width, 4 * image.height},
                                    {-9, 5, 1e12, 2}};
        for (int i = 0; i < 2; i++)
            assert_int_equal(
                df_table_append(boxes,
                                (const df_value[]){DF_INT(5), DF_TEXT("thing"), DF_REAL(1),
                                                   DF_REAL(sides[i][0]), DF_REAL(sides[i][1]),
                                                   DF_REAL(sides[i][2]), DF_REAL(sides[i][3]),
                                                   DF_TEXT("m")},
                                NULL),
                DF_OK);
        df_sight sight = {
            .row = 5, .image = &image, .seen = {{&df_detect_table, boxes, 0, 2}}, .n_seen = 1};
        df_table *t;
        df_arena arena = {0};
        assert_int_equal(df_table_create(&t, df_stage_look.table->columns, NULL), DF_OK);
        assert_int_equal(df_stage_look.pixels->perceive(look, &sight, &arena, t, NULL), DF_OK);
        assert_int_equal(df_table_rows(t), 12);
        assert_string_equal(df_table_text(t, 10, df_table_column(t, "kind")), "box");
        int64_t n_colours;
        const char *const *colours = df_table_texts(t, 10, DF_LOOK_COLOURS, &n_colours);
        assert_true(n_colours >= 1 && n_colours <= DF_COLOURS_MAX);
        if (image.width > 1)
            assert_string_equal(colours[0], "red");
        assert_int_equal(df_table_int(t, 10, 0), 5);
        df_table_close(t);
        df_table_close(boxes);
        df_arena_reset(&arena);
        df_image_free(&image);
    }
    df_stage_look.pixels->close(look);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_known_colours),     cmocka_unit_test(greys_stay_grey),
        cmocka_unit_test(oklab_is_the_published_one), cmocka_unit_test(toned_and_grey_pictures),
        cmocka_unit_test(numbers_mean_what_they_say), cmocka_unit_test(stage_looks_where_boxes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
