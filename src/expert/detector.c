/* What detectors with a fixed list of labels share. */
#include "expert/detector.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "expert/place.h"
#include "model/preprocess.h"

enum { BOXES_MAX = 5000, CLASS_MAX = 100000 };

#define NUMBER(field, fallback, least, most)                                                       \
    {#field, offsetof(df_detector, field), fallback, least, most}
static const struct {
    const char *key;
    size_t at;
    int fallback, least, most;
} numbers[] = {
    NUMBER(max_boxes, 300, 1, BOXES_MAX),
    NUMBER(bins, 0, 2, DF_BINS_MAX),
    NUMBER(softmax, 0, 0, 1),
    NUMBER(class_offset, 0, 0, CLASS_MAX),
    NUMBER(normalised, 0, 0, 1),
    NUMBER(boxes, -1, 0, 15),
    NUMBER(scores, -1, 0, 15),
    NUMBER(classes, -1, 0, 15),
};
static const char *const stride_keys[DF_STRIDES_MAX] = {"strides.0", "strides.1", "strides.2",
                                                        "strides.3", "strides.4"};

const df_tensor *df_answer_find(const df_answer *a, int64_t rows, int64_t columns, int nth)
{
    for (int i = 0; i < a->n; i++) {
        const df_tensor *t = &a->outputs[i];
        if (t->n_dims > 0 && t->dims[t->n_dims - 1] == columns &&
            df_tensor_size(t) == rows * columns && nth-- == 0)
            return t;
    }
    return NULL;
}

int df_best_label(const float *scores, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

/* ---- an image ---- */

/* Makes room for candidates. Suppression gets the best four times max_boxes; collecting them takes
 * twice that room. */
static df_status make_room(const df_detector *d, df_arena *arena, df_candidates *found,
                           df_error *err)
{
    found->room = 8 * d->max_boxes;
    found->at = df_arena_alloc(arena, (size_t)found->room, sizeof *found->at);
    return found->at ? DF_OK : df_no_memory(err, "run model %s", d->card->name);
}

static void drop_batch(df_tensor *input)
{
    input->n_dims = 3;
    for (int i = 0; i < 3; i++)
        input->dims[i] = input->dims[i + 1];
}

df_status df_detector_perceive(df_expert *e, const df_image *image, const df_queries *queries,
                               df_arena *arena, df_percept *out, df_error *err)
{
    const df_detector *d = (df_detector *)e;
    df_tensor inputs[2], *outputs = NULL;
    df_placement placement;
    df_candidates found = {0};
    df_answer answer = {0};
    (void)queries;
    DF_TRY(make_room(d, arena, &found, err));
    DF_TRY(df_preprocess(d->card, image, arena, &inputs[0], &placement, err));
    const bool planes = strcmp(d->card->layout, "nchw") == 0;
    float sides[2] = {(float)inputs[0].dims[planes ? 3 : 2], (float)inputs[0].dims[planes ? 2 : 1]};
    inputs[0].name = d->input.name;
    if (d->input.n_dims == 3)
        drop_batch(&inputs[0]);
    inputs[1] = (df_tensor){d->size_input, 2, {1, 2}, sides};
    DF_TRY(df_onnx_run(d->model, inputs, d->size_input ? 2 : 1, arena, &outputs, &answer.n, err));
    answer.outputs = outputs;
    answer.width = (double)sides[0];
    answer.height = (double)sides[1];
    DF_TRY(d->decode(d, &answer, &found, err));
    return df_boxes_place(d->card, found.at, found.n, d->max_boxes, d->card->label, &placement,
                          image, arena, out, err);
}

/* ---- opening ---- */

static df_status read_number(const df_card *card, const char *key, int fallback, int least,
                             int most, int *to, df_error *err)
{
    const double value = df_card_number(card, key, NAN);
    *to = fallback;
    if (isnan(value))
        return DF_OK;
    if (!(value >= least && value <= most) || value != floor(value))
        return df_fail(err, DF_CONFIG, "%s: decode.%s: must be a whole number from %d to %d",
                       card->path, key, least, most);
    *to = (int)value;
    return DF_OK;
}

static df_status read_numbers(df_detector *d, const df_detector_kind *kind, df_error *err)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        DF_TRY(read_number(d->card, numbers[i].key, numbers[i].fallback, numbers[i].least,
                           numbers[i].most, (int *)((char *)d + numbers[i].at), err));
    for (int stride = 1; d->n_strides < DF_STRIDES_MAX && stride; d->n_strides += stride != 0) {
        DF_TRY(read_number(d->card, stride_keys[d->n_strides], 0, 1, 1024, &stride, err));
        d->strides[d->n_strides] = stride;
    }
    if ((kind->needs_strides && !d->n_strides) || (kind->needs_bins && !d->bins))
        return df_fail(err, DF_CONFIG, "%s: decode.%s: missing", d->card->path,
                       d->n_strides ? "bins" : "strides");
    return DF_OK;
}

/* Finds the model's inputs: the image, and perhaps the size to which its boxes shall refer. */
static df_status read_inputs(df_detector *d, df_error *err)
{
    int at = 0;
    for (int i = 0; df_onnx_input(d->model, i).name; i++)
        if (strcmp(df_onnx_input(d->model, i).name, d->card->input) == 0)
            at = i;
    d->input = df_onnx_input(d->model, at);
    const df_tensor other = df_onnx_input(d->model, !at);
    d->size_input = other.name;
    const bool is_size = other.n_dims == 2 && (other.dims[1] < 0 || other.dims[1] == 2) &&
                         !df_onnx_input(d->model, 2).name;
    if (other.name && !is_size)
        return df_fail(err, DF_CONFIG,
                       "%s: file: beside the image a model may have one input, [1, 2], for its "
                       "width and height",
                       d->card->path);
    return DF_OK;
}

df_status df_detector_open(df_expert **out, const df_detector_kind *kind, const df_card *card,
                           df_error *err)
{
    if (card->n_labels < 1)
        return df_fail(err, DF_CONFIG, "%s: labels: a detector needs them", card->path);
    df_detector *d = calloc(1, sizeof *d);
    if (!d)
        return df_no_memory(err, "open model %s", card->name);
    d->base.ops = kind->ops;
    d->card = card;
    d->decode = kind->decode;
    df_status status = read_numbers(d, kind, err);
    if (status == DF_OK)
        status = df_card_open_model(card, &d->model, err);
    if (status == DF_OK)
        status = read_inputs(d, err);
    if (status != DF_OK) {
        df_detector_close(&d->base);
        return status;
    }
    *out = &d->base;
    return DF_OK;
}

void df_detector_close(df_expert *e)
{
    df_onnx_close(((df_detector *)e)->model);
    free(e);
}
