/* The read stage: lines of text, in reading order. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "expert/expert.h"
#include "stage/import/import.h"
#include "tables/read.h"
#include "tables/tables.h"

typedef struct {
    char *detector, *orienter, *recogniser, *from;
    double threshold;
    int64_t min_chars, max_lines;
} read_config;

typedef struct {
    const read_config *config;
    const df_run *run;
    df_expert_handle *expert;                /* NULL: see uses_models */
    df_evidence_import *imported;
} read_state;

static void read_close(void *state)
{
    read_state *s = state;
    if (!s)
        return;
    df_expert_close(s->expert);
    df_evidence_import_close(s->imported);
    free(s);
}

/* Without a detector what is imported is all. */
static bool uses_models(const read_config *c)
{
    return !c->from || !c->from[0] || (c->detector && c->detector[0]);
}

/* Opens the three models that read text, and the lines that a user brings. */
static df_status read_open(void **state, const df_dataset *ds, const void *config,
                           const df_run *run, df_error *err)
{
    const read_config *c = config;
    const char *names[] = {c->detector, c->orienter && *c->orienter ? c->orienter : NULL,
                           c->recogniser};
    read_state *s = calloc(1, sizeof *s);
    if (!s)
        return df_no_memory(err, NULL);
    s->config = c;
    s->run = run;
    df_status status = uses_models(c)
                           ? df_expert_open(&s->expert, run->models, names, 3, &run->runtime, err)
                           : DF_OK;
    if (status == DF_OK)
        status = df_import_open(&s->imported, ds, "read", c->from, run, err);
    if (status != DF_OK) {
        read_close(s);
        return status;
    }
    *state = s;
    return DF_OK;
}

/* Letters and digits of any script: all characters but ASCII's spaces and signs. Text is valid
 * UTF-8. */
static int64_t count_letters(const char *text)
{
    int64_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        n +=
            c >= 0xC0 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    return n;
}

static double area(const df_line *l)
{
    return hypot(l->x[1] - l->x[0], l->y[1] - l->y[0]) *
           hypot(l->x[2] - l->x[1], l->y[2] - l->y[1]);
}

static int by_falling_area(const void *a, const void *b)
{
    double p = area(*(const df_line *const *)a), q = area(*(const df_line *const *)b);
    if (p != q)
        return p > q ? -1 : 1;
    return *(const df_line *const *)a < *(const df_line *const *)b ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
    return *(const df_line *const *)a < *(const df_line *const *)b ? -1 : 1;
}

/* "0000", "|||": a row of windows or railings, not a word. */
static bool is_pattern(const char *text)
{
    size_t n = strlen(text);
    return n >= 3 && strspn(text, (const char[]){text[0], '\0'}) == n;
}

static bool is_line(const read_config *c, const df_line *line)
{
    return line->score >= c->threshold && count_letters(line->text) >= c->min_chars &&
           !is_pattern(line->text);
}

/* Of more than max_lines the largest are kept, in reading order. */
static int choose_lines(const read_config *c, const df_percept *seen, const df_line **lines)
{
    int n = 0;
    for (int i = 0; i < seen->n_lines; i++)
        if (is_line(c, &seen->lines[i]))
            lines[n++] = &seen->lines[i];
    if (n <= c->max_lines)
        return n;
    qsort(lines, (size_t)n, sizeof(df_line *), by_falling_area);
    n = (int)c->max_lines;
    qsort(lines, (size_t)n, sizeof(df_line *), by_place);
    return n;
}

/* Reads the lines of text in a picture. A model that has no answer for it is a note. */
static df_status perceive(const read_state *s, const df_sight *sight, df_arena *arena,
                          df_table *out, df_error *err)
{
    df_percept seen = {0};
    df_error why = {""};
    const df_status status = df_expert_perceive(s->expert, sight->image, NULL, arena, &seen, &why);
    if (status == DF_FORMAT) {               /* no answer for this picture alone */
        df_run_note(s->run, "read: part %d row %lld: %s", sight->part, (long long)sight->row,
                    why.message);
        return DF_OK;
    }
    if (status != DF_OK)
        return df_fail(err, status, "%s", why.message);
    const df_line **lines = df_arena_alloc(arena, (size_t)seen.n_lines + 1, sizeof *lines);
    if (!lines)
        return df_no_memory(err, NULL);
    int n = choose_lines(s->config, &seen, lines), paragraph = -1;
    for (int i = 0; i < n; i++) {
        const df_line *l = lines[i];
        /* those left out leave no gap */
        paragraph += i == 0 || l->paragraph != lines[i - 1]->paragraph;
        df_value row[DF_READ_COLUMNS] = {
            [DF_READ_ROW] = DF_INT(sight->row),  [DF_READ_TEXT] = DF_TEXT(l->text),
            [DF_READ_SCORE] = DF_REAL(l->score), [DF_READ_X0] = DF_REAL(l->x[0]),
            [DF_READ_Y0] = DF_REAL(l->y[0]),     [DF_READ_X1] = DF_REAL(l->x[1]),
            [DF_READ_Y1] = DF_REAL(l->y[1]),     [DF_READ_X2] = DF_REAL(l->x[2]),
            [DF_READ_Y2] = DF_REAL(l->y[2]),     [DF_READ_X3] = DF_REAL(l->x[3]),
            [DF_READ_Y3] = DF_REAL(l->y[3]),     [DF_READ_PARAGRAPH] = DF_INT(paragraph)};
        DF_TRY(df_table_append(out, row, err));
    }
    return DF_OK;
}

static bool read_looks(const void *state)
{
    return ((const read_state *)state)->expert != NULL;
}

static df_status read_perceive(void *state, df_sight *sight, df_arena *arena, df_table *out,
                               df_error *err)
{
    const read_state *s = state;
    if (sight->image && read_looks(s))
        DF_TRY(perceive(s, sight, arena, out, err));
    return df_evidence_import_append(s->imported, sight->part, sight->row, out, err);
}

static df_status read_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    const read_config *c = config;
    DF_TRY(df_import_describe("read", c->from, out, err));
    const char *names[] = {c->detector, c->orienter, c->recogniser};
    for (size_t i = 0; uses_models(c) && i < sizeof names / sizeof *names; i++)
        if (names[i] && *names[i])
            DF_TRY(df_card_describe(run->models, names[i], out, err));
    return df_onnx_describe(&run->runtime, out, err);
}

static const df_pixel_ops read_pixels = {.open = read_open,
                                         .perceive = read_perceive,
                                         .close = read_close,
                                         .blind = true,
                                         .looks = read_looks};

static const df_option options[] = {
    {"detector", DF_OPT_TEXT, offsetof(read_config, detector), "ppocr-det-small", 0, 0,
     "card that finds text; empty with `from`: none"},
    {"orienter", DF_OPT_TEXT, offsetof(read_config, orienter), "ppocr-cls", 0, 0,
     "card that sees upside-down lines; empty: none"},
    {"recogniser", DF_OPT_TEXT, offsetof(read_config, recogniser), "ppocr-rec-small", 0, 0,
     "card that reads a line"},
    {"threshold", DF_OPT_REAL, offsetof(read_config, threshold), "0.7", 0, 1,
     "least score of a line; blur and foliage read as gibberish at 0.5 to 0.65"},
    {"min_chars", DF_OPT_INT, offsetof(read_config, min_chars), "2", 1, 1000,
     "least letters and digits in a line"},
    {"max_lines", DF_OPT_INT, offsetof(read_config, max_lines), "300", 0, 10000,
     "lines an image; the largest are kept"},
    DF_IMPORT_OPTION(read_config),
    {0},
};

const df_stage df_stage_read = {
    .name = "read",
    .summary = "read the text in each image",
    .reads = (const char *const[]){"ingest", DF_DECIDERS, NULL},
    .table = &df_read_table,
    .options = options,
    .config_size = sizeof(read_config),
    .pixels = &read_pixels,
    .depends = read_depends,
};
