/* Reads text in an image by three models: a detector that gives a map of text probability, an
 * optional orienter that recognises lines that are upside down, and a recogniser that is decoded by
 * CTC. Made for the PaddleOCR family; all numbers come from the cards.
 *
 *   text-detect     decode: limit_side (the shorter side is enlarged to it), max_side (the longer
 * side is shrunk to it), step (sides are multiples of it), map_threshold, unclip, dilate,
 *                   max_boxes; threshold: least mean probability inside a box
 *   text-orient     width, height; decode: turned_class, squeeze (a line is squeezed to 1 / squeeze
 * at most; of a longer line the middle is used); threshold: least score to turn a line; between it
 * and 1 - threshold the line is read both ways text-recognise  height; decode: width_min,
 * width_max, width_step; threshold: least mean of the characters' probabilities; the dictionary,
 * one character a line, is the card's `labels` or else the model's metadata `character`. The model
 * has as many classes (the dictionary begins with blank), one more (blank comes before it) or two
 * more (a space follows it), depending on the PaddleOCR release
 *
 * Lines are recognised one by one. On a CPU a batch takes as long as its lines together, and its
 * padding in addition. Widths are rounded up to width_step, and sides to step, so that the runtime
 * sees few different shapes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "expert/expert.h"
#include "image/warp.h"
#include "model/onnx.h"
#include "vision/ctc.h"
#include "vision/reading_order.h"
#include "vision/text_map.h"

#define LINE_BYTES_MAX 2000
#define SURE_READING                                                                               \
    0.8 /* mean of the characters; when a turned line is read with less, it is also read unturned  \
         */
#define SURE_BESIDE_TURNED 0.9
#define WIDTH_LIMIT 16384 /* of any input tensor, so that a foreign card cannot exhaust memory */

extern const df_expert_ops df_expert_text; /* listed in expert.c */

enum { DETECTOR, ORIENTER, RECOGNISER, N_MODELS };

typedef struct {
    df_expert base;
    df_card *cards[N_MODELS]; /* borrowed; the orienter may be NULL */
    df_onnx *models[N_MODELS];
    df_text_map_options map;
    const char **characters; /* [n_characters]: the dictionary */
    int64_t n_characters;
    df_arena arena;
} text_expert;

/* --- pixels to tensors --- */

static df_status tensor_new(const df_card *card, int width, int height, df_arena *arena,
                            df_tensor *t, df_error *err)
{
    *t = (df_tensor){.name = card->input, .n_dims = 4, .dims = {1, 3, height, width}};
    t->data = df_arena_alloc(arena, (size_t)3 * (size_t)height * (size_t)width, sizeof *t->data);
    return t->data ? DF_OK : df_no_memory(err, "input of %s", card->name);
}

/* Writes the normalised image into the upper left of the tensor. What is right of it stays 0, which
 * is grey. */
static void tensor_fill(const df_card *card, const df_image *image, df_tensor *t)
{
    const size_t width = (size_t)t->dims[3], plane = (size_t)t->dims[2] * width;
    const bool bgr = card->channels[0] == 'b';
    for (size_t c = 0; c < 3; c++) {
        const float scale = (float)(1 / card->std[c]),
                    shift = (float)(-card->mean[c] / card->std[c]);
        for (size_t y = 0; y < (size_t)image->height; y++) {
            const uint8_t *p = image->rgb + y * (size_t)image->width * 3 + (bgr ? 2 - c : c);
            float *out = t->data + c * plane + y * width;
            for (size_t x = 0; x < (size_t)image->width; x++)
                out[x] = (float)p[x * 3] * scale + shift;
        }
    }
}

/* Runs a model on one image; the output must have n_dims dimensions. */
static df_status run_model(const text_expert *e, int which, df_tensor *input, int n_dims,
                           df_arena *arena, df_tensor *out, df_error *err)
{
    df_tensor *outputs;
    int n = 0;
    DF_TRY(df_onnx_run(e->models[which], input, 1, arena, &outputs, &n, err));
    if (n < 1 || outputs[0].n_dims != n_dims)
        return df_fail(err, DF_MODEL, "model %s: its first output should have %d dimensions",
                       e->cards[which]->name, n_dims);
    *out = outputs[0];
    return DF_OK;
}

/* --- detection --- */

static int round_to(double side, double step)
{
    double n = fmax(1, round(side / step));
    return (int)fmin(n * step, WIDTH_LIMIT);
}

static void map_size(const df_card *card, const df_image *image, int *width, int *height)
{
    double longer = image->width > image->height ? image->width : image->height;
    double shorter = image->width > image->height ? image->height : image->width;
    double step = df_card_number(card, "step", 32),
           scale = fmax(1, df_card_number(card, "limit_side", 736) / shorter);
    scale = fmin(scale, df_card_number(card, "max_side", 2000) / longer);
    *width = round_to(image->width * scale, step);
    *height = round_to(image->height * scale, step);
}

/* Finds boxes of text, in pixels of `image`. The map lives in an arena of its own that is freed at
 * once, since it is the largest array here. */
static df_status detect(const text_expert *e, const df_image *image, df_arena *arena,
                        df_text_box **boxes, int *n, df_error *err)
{
    int width, height;
    df_image sized = {0};
    df_arena scratch = {0};
    df_tensor input, map;
    map_size(e->cards[DETECTOR], image, &width, &height);
    df_status status = df_image_resize(image, width, height, &sized, err);
    if (status == DF_OK)
        status = tensor_new(e->cards[DETECTOR], width, height, &scratch, &input, err);
    if (status != DF_OK)
        goto out;
    tensor_fill(e->cards[DETECTOR], &sized, &input);
    status = run_model(e, DETECTOR, &input, 4, &scratch, &map, err);
    if (status == DF_OK &&
        (map.dims[0] != 1 || map.dims[1] != 1 || map.dims[2] != height || map.dims[3] != width))
        status = df_fail(err, DF_MODEL, "model %s: its map is not as large as its input",
                         e->cards[DETECTOR]->name);
    if (status == DF_OK)
        status = df_text_map_boxes(map.data, width, height, &e->map, arena, boxes, n, err);
    for (int i = 0; status == DF_OK && i < *n * 4; i++) {
        (*boxes)[i / 4].quad.at[i % 4].x *= (double)image->width / width;
        (*boxes)[i / 4].quad.at[i % 4].y *= (double)image->height / height;
    }
out:
    df_arena_reset(&scratch);
    df_image_free(&sized);
    return status;
}

/* --- one line --- */

/* Cuts out a quadrilateral and turns it straight, with the height that the recogniser needs. Large
 * text is first cut out at its own size and then shrunk, since the warp does not average. */
static df_status cut_line(const text_expert *e, const df_image *image, const df_quad *q,
                          df_image *line, df_error *err)
{
    const df_card *card = e->cards[RECOGNISER];
    const df_point *p = q->at;
    df_frame frame = {p[0].x,          p[0].y,          p[1].x - p[0].x,
                      p[1].y - p[0].y, p[3].x - p[0].x, p[3].y - p[0].y};
    double w = df_quad_width(q), h = fmax(1, df_quad_height(q)), scale = (double)card->height / h;
    int width = (int)fmin(ceil(w * scale), df_card_number(card, "width_max", 3200));
    width = width < 1 ? 1 : width;
    if (scale >= 1)
        return df_image_warp(image, &frame, width, (int)card->height, line, err);
    df_image whole = {0};
    DF_TRY(df_image_warp(image, &frame, (int)fmax(1, round(w)), (int)round(h), &whole, err));
    df_status status = df_image_resize(&whole, width, (int)card->height, line, err);
    df_image_free(&whole);
    return status;
}

/* The line as the orienter sees it: at its height, squeezed to 1 / squeeze at most; of a longer
 * line only the middle. */
static df_status orienter_view(const df_card *card, const df_image *line, df_image *sized,
                               df_error *err)
{
    const double squeeze = df_card_number(card, "squeeze", 2),
                 room = ceil((double)card->width * line->height / (double)card->height * squeeze);
    const double width = ceil((double)line->width * (double)card->height / line->height);
    const int out_width = (int)fmin(width, (double)card->width);
    if (line->width <= room)
        return df_image_resize(line, out_width, (int)card->height, sized, err);
    const df_frame middle = {(line->width - room) / 2, 0, room, 0, 0, line->height};
    df_image part = {0};
    DF_TRY(df_image_warp(line, &middle, (int)room, line->height, &part, err));
    df_status status = df_image_resize(&part, out_width, (int)card->height, sized, err);
    df_image_free(&part);
    return status;
}

/* Probability that a line is upside down; 0 without an orienter. */
static df_status upside_down(const text_expert *e, const df_image *line, df_arena *scratch,
                             double *p, df_error *err)
{
    const df_card *card = e->cards[ORIENTER];
    *p = 0;
    if (!card)
        return DF_OK;
    df_image sized = {0};
    df_tensor input, out;
    DF_TRY(orienter_view(card, line, &sized, err));
    df_status status = tensor_new(card, (int)card->width, (int)card->height, scratch, &input, err);
    if (status == DF_OK) {
        tensor_fill(card, &sized, &input);
        status = run_model(e, ORIENTER, &input, 2, scratch, &out, err);
    }
    df_image_free(&sized);
    if (status != DF_OK)
        return status;
    const double turned = df_card_number(card, "turned_class", 1);
    if (!(turned >= 0 && turned < (double)out.dims[1]))
        return df_fail(err, DF_MODEL, "model %s: no class %g in its output", card->name, turned);
    *p = (double)out.data[(int)turned];
    return DF_OK;
}

/* Turns classes into text, without spaces at its ends. before: number of classes before the
 * dictionary's first. */
static df_status line_text(const text_expert *e, const int32_t *classes, int64_t n, int before,
                           df_arena *arena, const char **text, df_error *err)
{
    df_str raw = {0}, clean = {0};
    for (int64_t i = 0; i < n; i++)
        df_str_append(
            &raw, classes[i] - before < e->n_characters ? e->characters[classes[i] - before] : " ");
    const char *from = df_str_text(&raw);
    size_t size = raw.size;
    while (size && from[size - 1] == ' ')
        size--;
    for (; size && *from == ' '; size--)
        from++;
    df_str_append_clean(&clean, from, size, LINE_BYTES_MAX);
    *text = raw.failed || clean.failed ? NULL : df_arena_strdup(arena, df_str_text(&clean));
    df_str_free(&raw);
    df_str_free(&clean);
    return *text ? DF_OK : df_no_memory(err, "a line of text");
}

/* Reads one line: the model's output by greedy CTC decoding (Graves et al., ICML 2006). */
static df_status recognise(const text_expert *e, const df_image *line, df_arena *scratch,
                           df_arena *arena, df_line *out, df_error *err)
{
    const df_card *card = e->cards[RECOGNISER];
    double step = df_card_number(card, "width_step", 32),
           least = df_card_number(card, "width_min", 64);
    int width = (int)(ceil(fmax(line->width, least) / step) * step);
    df_tensor input, p;
    DF_TRY(tensor_new(card, width, (int)card->height, scratch, &input, err));
    tensor_fill(card, line, &input);
    DF_TRY(run_model(e, RECOGNISER, &input, 3, scratch, &p, err));
    if (p.dims[0] != 1 || p.dims[2] < e->n_characters || p.dims[2] > e->n_characters + 2)
        return df_fail(err, DF_MODEL,
                       "model %s: %d classes in its output, %d characters in its dictionary",
                       card->name, (int)p.dims[2], (int)e->n_characters);
    int32_t *classes = df_arena_alloc(scratch, (size_t)p.dims[1] + 1, sizeof *classes);
    if (!classes)
        return df_no_memory(err, "a line of text");
    int64_t n = df_ctc_greedy(p.data, p.dims[1], p.dims[2], classes, &out->score);
    return line_text(e, classes, n, p.dims[2] > e->n_characters, arena, &out->text, err);
}

/* Reads a line one way and, where the orienter is unsure or the result looks wrong, upside down as
 * well. The reading with the higher score wins. *turned: whether that one is upside down. */
static df_status read_line(const text_expert *e, df_image *line, df_arena *arena, df_line *out,
                           bool *turned, df_error *err)
{
    df_arena scratch = {0};
    double p;
    df_status status = upside_down(e, line, &scratch, &p, err);
    const double sure = e->cards[ORIENTER] ? e->cards[ORIENTER]->threshold : 1;
    *turned = p >= sure;
    if (*turned)
        df_image_rotate_180(line);
    if (status == DF_OK)
        status = recognise(e, line, &scratch, arena, out, err);
    if (status == DF_OK && p > 1 - sure && (p < sure || out->score < SURE_READING)) {
        df_line other = {0};
        df_image_rotate_180(line);
        status = recognise(e, line, &scratch, arena, &other, err);
        if (status == DF_OK && other.score > out->score) {
            out->text = other.text;
            out->score = other.score;
            *turned = !*turned;
        }
    }
    df_arena_reset(&scratch);
    return status;
}

typedef struct {
    df_quad quad;
    df_line line;
    bool turned;
} reading;

/* Reads the text in a box; it is "" when nothing can be read. */
static df_status read_box(const text_expert *e, const df_image *image, df_arena *arena, reading *r,
                          df_error *err)
{
    df_image line = {0};
    DF_TRY(cut_line(e, image, &r->quad, &line, err));
    df_status status = read_line(e, &line, arena, &r->line, &r->turned, err);
    df_image_free(&line);
    return status;
}

/* Reads an unturned line upside down and keeps the better reading. The orienter errs on some lines
 * of a page that is upside down: where other lines were turned, those that were not and are read
 * badly are tried again. */
static df_status read_again(const text_expert *e, const df_image *image, df_arena *arena,
                            reading *r, df_error *err)
{
    df_image line = {0};
    df_line other = {0};
    df_arena scratch = {0};
    DF_TRY(cut_line(e, image, &r->quad, &line, err));
    df_image_rotate_180(&line);
    df_status status = recognise(e, &line, &scratch, arena, &other, err);
    if (status == DF_OK && other.score > r->line.score) {
        r->line = other;
        r->turned = true;
    }
    df_arena_reset(&scratch);
    df_image_free(&line);
    return status;
}

/* Reads all boxes, then tries again those that may have been read upside down. */
static df_status read_boxes(const text_expert *e, const df_image *image, df_arena *arena,
                            reading *all, int n, df_error *err)
{
    int n_turned = 0;
    for (int i = 0; i < n; i++) {
        DF_TRY(read_box(e, image, arena, &all[i], err));
        n_turned += all[i].turned && all[i].line.score >= SURE_READING;
    }
    for (int i = 0; i < n && n_turned > 0; i++)
        if (!all[i].turned && all[i].line.score < SURE_BESIDE_TURNED)
            DF_TRY(read_again(e, image, arena, &all[i], err));
    return DF_OK;
}

static void place_line(const df_image *image, const reading *r, df_line *line)
{
    const df_quad q = r->turned ? df_quad_turn(&r->quad, 2) : r->quad;
    *line = r->line;
    for (int i = 0; i < 4; i++) {
        line->x[i] = fmin(fmax(q.at[i].x / image->width, 0), 1) * image->full_width;
        line->y[i] = fmin(fmax(q.at[i].y / image->height, 0), 1) * image->full_height;
    }
}

/* Finds the lines of text, reads them, and puts them in reading order. */
static df_status text_perceive(df_expert *base, const df_image *image, const df_queries *queries,
                               df_arena *arena, df_percept *out, df_error *err)
{
    const text_expert *e = (const text_expert *)base;
    df_text_box *boxes;
    int n_boxes = 0, n = 0;
    (void)queries;
    DF_TRY(detect(e, image, arena, &boxes, &n_boxes, err));
    df_line *lines = df_arena_alloc(arena, (size_t)n_boxes + 1, sizeof *lines);
    reading *all = df_arena_alloc(arena, (size_t)n_boxes + 1, sizeof *all);
    if (!lines || !all)
        return df_no_memory(err, "lines of text");
    for (int i = 0; i < n_boxes; i++)
        all[i].quad = boxes[i].quad;
    DF_TRY(read_boxes(e, image, arena, all, n_boxes, err));
    for (int i = 0; i < n_boxes; i++)
        if (*all[i].line.text && all[i].line.score >= e->cards[RECOGNISER]->threshold)
            place_line(image, &all[i], &lines[n++]);
    DF_TRY(df_reading_order(lines, n, err));
    for (int i = 0; i < n; i++)
        lines[i].item = i;
    out->lines = lines;
    out->n_lines = n;
    return DF_OK;
}

/* --- opening --- */

/* Checks a card of one of the three tasks of reading text. */
static df_status check_card(const df_card *card, const char *task, bool fixed_width, df_error *err)
{
    if (strcmp(card->task, task) != 0)
        return df_fail(err, DF_CONFIG, "card %s: its task is %s; here a card for %s is needed",
                       card->name, card->task, task);
    if (strcmp(card->layout, "nchw") != 0)
        return df_fail(err, DF_CONFIG,
                       "card %s: layout %s is not supported for text; it must be nchw", card->name,
                       card->layout);
    bool sized = card->height >= 1 && card->height <= 1024;
    if (fixed_width && !(sized && card->width >= 1 && card->width <= WIDTH_LIMIT))
        return df_fail(err, DF_CONFIG, "card %s: width and height of its input are needed",
                       card->name);
    if (strcmp(task, "text-recognise") == 0 && !sized)
        return df_fail(err, DF_CONFIG, "card %s: the height of its input is needed", card->name);
    static const char *const sizes[] = {"limit_side", "max_side",   "step",   "width_min",
                                        "width_max",  "width_step", "squeeze"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        double v = df_card_number(card, sizes[i], 1);
        if (!(v >= 1 && v <= WIDTH_LIMIT))
            return df_fail(err, DF_CONFIG, "card %s: decode.%s must be from 1 to %d", card->name,
                           sizes[i], WIDTH_LIMIT);
    }
    return DF_OK;
}

/* Splits a dictionary with one character a line, in place. A newline at the end does not begin
 * another line. */
static df_status split_dictionary(text_expert *e, char *text, df_error *err)
{
    int64_t n = 1;
    for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++)
        n++;
    e->characters = df_arena_alloc(&e->arena, (size_t)n, sizeof *e->characters);
    if (!e->characters)
        return df_no_memory(err, "dictionary of %s", e->cards[RECOGNISER]->name);
    for (char *c = text; c && *c;) {
        char *end = strchr(c, '\n');
        if (end)
            *end++ = '\0';
        e->characters[e->n_characters++] = c;
        c = end;
    }
    return DF_OK;
}

/* Reads the recogniser's characters: the labels of its card, or the model's own list. */
static df_status read_dictionary(text_expert *e, df_error *err)
{
    const df_card *card = e->cards[RECOGNISER];
    if (card->n_labels > 0) {
        e->characters = df_arena_alloc(&e->arena, (size_t)card->n_labels, sizeof *e->characters);
        if (!e->characters)
            return df_no_memory(err, "dictionary of %s", card->name);
        for (; e->n_characters < card->n_labels; e->n_characters++)
            e->characters[e->n_characters] =
                card->label[e->n_characters] ? card->label[e->n_characters] : "";
        return DF_OK;
    }
    const char *dictionary = df_onnx_metadata(e->models[RECOGNISER], "character", &e->arena);
    if (!dictionary || !*dictionary)
        return df_fail(
            err, DF_MODEL,
            "model %s: no dictionary: neither `labels` in its card nor metadata `character`",
            card->name);
    char *text = df_arena_strdup(&e->arena, dictionary);
    return text ? split_dictionary(e, text, err)
                : df_no_memory(err, "dictionary of %s", card->name);
}

static void text_close(df_expert *base)
{
    text_expert *e = (text_expert *)base;
    if (!e)
        return;
    for (int i = 0; i < N_MODELS; i++)
        df_onnx_close(e->models[i]);
    df_arena_reset(&e->arena);
    free(e);
}

/* Opens the models and reads how boxes are made of the detector's map. */
static df_status open_models(text_expert *e, df_error *err)
{
    static const char *const tasks[N_MODELS] = {"text-detect", "text-orient", "text-recognise"};
    for (int i = 0; i < N_MODELS; i++) {
        if (!e->cards[i])
            continue;
        DF_TRY(check_card(e->cards[i], tasks[i], i == ORIENTER, err));
        DF_TRY(df_card_open_model(e->cards[i], &e->models[i], err));
    }
    const df_card *d = e->cards[DETECTOR];
    e->map = (df_text_map_options){
        .threshold = df_card_number(d, "map_threshold", 0.3),
        .box_threshold = d->threshold,
        .unclip = df_card_number(d, "unclip", 1.6),
        .dilate = df_card_number(d, "dilate", 1) != 0,
        .max_boxes = (int)fmin(fmax(df_card_number(d, "max_boxes", 1000), 0), 10000)};
    return read_dictionary(e, err);
}

/* Opens an expert of a detector, a recogniser and perhaps a model that turns lines upright. */
static df_status text_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    if (n_cards != N_MODELS || !cards[DETECTOR] || !cards[RECOGNISER])
        return df_fail(err, DF_CONFIG, "reading text needs a detector and a recogniser");
    text_expert *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "text expert");
    e->base.ops = &df_expert_text;
    memcpy(e->cards, cards, sizeof e->cards);
    df_status status = open_models(e, err);
    if (status != DF_OK) {
        text_close(&e->base);
        return status;
    }
    *out = &e->base;
    return DF_OK;
}

const df_expert_ops df_expert_text = {
    .name = "text", .open = text_open, .perceive = text_perceive, .close = text_close};
