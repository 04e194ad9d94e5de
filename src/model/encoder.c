/* Runs an image encoder and pools its tokens. */
#include "model/encoder.h"

#include <stdlib.h>
#include <string.h>

#include "model/preprocess.h"

struct df_encoder {
    df_card *card;
    df_onnx *model;
    int dim;
};

/* Pools [1, tokens, dim] to [dim]: the first token, or the mean of all, summed in double and in
 * order. */
static df_status pool(const df_card *card, const df_tensor *t, df_arena *arena,
                      const float **vector, int64_t *dim, df_error *err)
{
    int64_t n_tokens = t->n_dims == 3 ? t->dims[1] : 0, size = df_tensor_size(t);
    *vector = t->data;
    *dim = size;
    if (strcmp(card->pooling, "none") == 0) {
        if (size < 1 || t->dims[0] != 1 || t->n_dims < 2 || t->dims[1] != size)
            return df_fail(err, DF_CONFIG,
                           "%s: output: %s is no single vector [1, dim]; choose another output, or "
                           "pooling cls or mean for [1, tokens, dim]",
                           card->path, t->name);
        return DF_OK;
    }
    if (n_tokens < 1 || t->dims[0] != 1 || t->dims[2] < 1)
        return df_fail(err, DF_CONFIG,
                       "%s: pooling: %s needs an output [1, tokens, dim]; %s has %d dimensions",
                       card->path, card->pooling, t->name, t->n_dims);
    *dim = t->dims[2];
    if (strcmp(card->pooling, "cls") == 0)
        return DF_OK;
    float *mean = df_arena_alloc(arena, (size_t)*dim, sizeof *mean);
    if (!mean)
        return df_no_memory(err, "run model %s", card->name);
    for (int64_t k = 0; k < *dim; k++) {
        double sum = 0;
        for (int64_t i = 0; i < n_tokens; i++)
            sum += (double)t->data[i * *dim + k];
        mean[k] = (float)(sum / (double)n_tokens);
    }
    *vector = mean;
    return DF_OK;
}

static df_status encode_image(const df_encoder *e, const df_image *image, df_arena *arena,
                              const float **vector, int64_t *dim, df_error *err)
{
    df_tensor input, *outputs = NULL;
    int n = 0;
    DF_TRY(df_preprocess(e->card, image, arena, &input, NULL, err));
    DF_TRY(df_onnx_run(e->model, &input, 1, arena, &outputs, &n, err));
    const df_tensor *t;
    DF_TRY(df_card_output(e->card, outputs, n, &t, err));
    return pool(e->card, t, arena, vector, dim, err);
}

df_status df_encoder_run(df_encoder *e, const df_image *image, df_arena *arena,
                         const float **vector, df_error *err)
{
    int64_t dim;
    DF_TRY(encode_image(e, image, arena, vector, &dim, err));
    return dim == e->dim
               ? DF_OK
               : df_fail(err, DF_CONFIG, "%s: output: %lld values for one image, %d for another",
                         e->card->path, (long long)dim, e->dim);
}

/* Runs the model on a grey picture, which tells how long its vectors are. */
static df_status try_grey(df_encoder *e, df_error *err)
{
    enum { SIDE = 32 };
    uint8_t grey[SIDE * SIDE * 3];
    memset(grey, 128, sizeof grey);
    const df_image image = {SIDE, SIDE, SIDE, SIDE, grey};
    const float *vector;
    df_arena arena = {0};
    int64_t dim = 0;
    df_status status = encode_image(e, &image, &arena, &vector, &dim, err);
    if (status == DF_OK && dim > 65536)
        status = df_fail(err, DF_CONFIG, "%s: output: %lld values are no vector", e->card->path,
                         (long long)dim);
    e->dim = (int)dim;
    df_arena_reset(&arena);
    return status;
}

df_status df_encoder_open(df_encoder **out, const char *models, const char *name,
                          const df_onnx_options *runtime, df_error *err)
{
    df_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "open model %s", name);
    df_status status = df_card_open(&e->card, models, name, true, err);
    if (status == DF_OK && strcmp(e->card->task, "embed") != 0 && !e->card->output[0])
        status = df_fail(err, DF_CONFIG, "%s: its task is %s and it names no output with a vector",
                         e->card->path, e->card->task);
    if (status == DF_OK && runtime)
        e->card->runtime = *runtime;
    if (status == DF_OK)
        status = df_card_open_model(e->card, &e->model, err);
    if (status == DF_OK)
        status = try_grey(e, err);
    if (status == DF_OK)
        *out = e;
    else
        df_encoder_close(e);
    return status;
}

void df_encoder_close(df_encoder *e)
{
    if (!e)
        return;
    df_onnx_close(e->model);
    df_card_close(e->card);
    free(e);
}

int df_encoder_edge(const df_encoder *e)
{
    return df_preprocess_edge(e->card);
}

int df_encoder_dim(const df_encoder *e)
{
    return e->dim;
}
