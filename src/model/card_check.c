/* The checks of a model card. */
#include "model/card_check.h"
#include <string.h>

df_status df_card_bad_field(const df_card *card, const char *field, const char *what, df_error *err)
{
    return df_fail(err, DF_CONFIG, "%s: %s: %s", card->path, field, what);
}

bool df_card_plain_name(const char *name)
{
    return name[0] && name[0] != '.' && !strchr(name, '/');
}

typedef struct {
    const char *field, *value;
} named;

static df_status check_present(const df_card *card, df_error *err)
{
    const named required[] = {{"name", card->name},
                              {"task", card->task},
                              {"file", card->file},
                              {"licence", card->licence},
                              {"source", card->source}};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].value || !required[i].value[0])
            return df_card_bad_field(card, required[i].field, "missing", err);
    if (strcmp(card->task, "embed") != 0 && strcmp(card->task, "text-embed") != 0 &&
        (!card->decoder || !card->decoder[0]))
        return df_card_bad_field(card, "decoder", "missing", err);
    return DF_OK;
}

static bool is_one_of(const char *text, const char *words)
{
    const size_t n = strlen(text);
    for (const char *at = words; n && (at = strstr(at, text)); at++)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == ',' || !at[n]))
            return true;
    return false;
}

/* Checks the fields that must be one of a few words. The lists are written as they are shown. */
static df_status check_words(const df_card *card, df_error *err)
{
    const struct {
        named is;
        const char *words;
    } fields[] = {
        {{"task", card->task},
         "tag, detect, text-detect, text-recognise, text-orient, safety, embed, text-embed"},
        {{"resize", card->resize}, "stretch, crop, fit, shortest"},
        {{"interpolation", card->interpolation}, "bilinear, bicubic"},
        {{"pooling", card->pooling}, "none, cls, mean"},
        {{"channels", card->channels}, "rgb, bgr"},
        {{"layout", card->layout}, "nchw, nhwc"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!is_one_of(fields[i].is.value, fields[i].words))
            return df_fail(err, DF_CONFIG, "%s: %s: \"%.60s\" is none of: %s", card->path,
                           fields[i].is.field, fields[i].is.value, fields[i].words);
    return DF_OK;
}

/* Checks that the files that a card names lie beside it. */
static df_status check_names(const df_card *card, const char *name, df_error *err)
{
    const named beside[] = {{"file", card->file},
                            {"labels", card->labels},
                            {"thresholds", card->thresholds},
                            {"tokenizer", card->tokenizer}};
    if (strcmp(card->name, name) != 0)
        return df_card_bad_field(card, "name", "differs from the file's name", err);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (beside[i].value && !df_card_plain_name(beside[i].value))
            return df_card_bad_field(card, beside[i].field, "must be a file beside the card", err);
    if (card->text && !df_card_plain_name(card->text))
        return df_card_bad_field(card, "text", "must be the name of a card", err);
    if (card->thresholds && !card->labels)
        return df_card_bad_field(card, "thresholds", "they belong to labels, and there are none",
                                 err);
    return DF_OK;
}

df_status df_card_check_fields(const df_card *card, const char *name, df_error *err)
{
    DF_TRY(check_present(card, err));
    DF_TRY(check_names(card, name, err));
    DF_TRY(check_words(card, err));
    const char *slot = strstr(card->template, "{}");
    if (!slot || strstr(slot + 2, "{}"))
        return df_card_bad_field(card, "template", "must hold {} once", err);
    if (card->sha256[0] &&
        (strlen(card->sha256) != 64 || strspn(card->sha256, "0123456789abcdef") != 64))
        return df_card_bad_field(card, "sha256", "must be 64 lower-case hex digits", err);
    const bool shortest = strcmp(card->resize, "shortest") == 0;
    if (!shortest && strcmp(card->resize, "stretch") != 0 && (card->width < 1 || card->height < 1))
        return df_card_bad_field(card, "width and height", "crop and fit need both", err);
    if (shortest && (card->width || card->height))
        return df_card_bad_field(card, "width and height",
                                 "shortest has resize_side and max_side in their place", err);
    if (shortest && (card->resize_side < 1 || card->max_side < card->resize_side))
        return df_card_bad_field(card, "resize_side and max_side",
                                 "shortest needs both, max_side not the smaller", err);
    if (strcmp(card->resize, "crop") == 0 &&
        (card->resize_side < card->width || card->resize_side < card->height))
        return df_card_bad_field(card, "resize_side", "must be at least width and height", err);
    return DF_OK;
}

static df_status check_side(const df_card *card, const char *field, int64_t want, int64_t declared,
                            df_error *err)
{
    if (declared < 0 || want == declared)    /* not fixed, or fixed to the same value */
        return DF_OK;
    return df_fail(err, DF_CONFIG, "%s: %s: the card says %lld, the model's input has %lld",
                   card->path, field, (long long)want, (long long)declared);
}

df_status df_card_check_input(const df_card *card, const df_onnx *model, df_error *err)
{
    df_tensor input = df_onnx_input(model, 0);
    for (int i = 0; card->input[0] && input.name && strcmp(input.name, card->input) != 0;)
        input = df_onnx_input(model, ++i);
    if (!input.name)
        return df_fail(err, DF_CONFIG,
                       "%s: input: the model has no input \"%s\"; its first is \"%s\"", card->path,
                       card->input, df_onnx_input(model, 0).name);
    /* the model takes one image without a dimension for a batch */
    const bool single = input.n_dims == 3 && strcmp(card->task, "detect") == 0;
    if (input.n_dims != 4 && !single)
        return df_fail(err, DF_CONFIG, "%s: input: \"%s\" of the model has %d dimensions, not 4",
                       card->path, input.name, input.n_dims);
    if (single)
        memmove(input.dims + 1, input.dims, 3 * sizeof *input.dims);
    bool planes = strcmp(card->layout, "nchw") == 0;
    if (input.dims[planes ? 1 : 3] >= 0 && input.dims[planes ? 1 : 3] != 3)
        return df_card_bad_field(card, "layout",
                                 "that dimension of the model's input is not 3 channels", err);
    DF_TRY(check_side(card, "height", card->height, input.dims[planes ? 2 : 1], err));
    return check_side(card, "width", card->width, input.dims[planes ? 3 : 2], err);
}
