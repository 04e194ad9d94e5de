#include "expert/expert.h"
#include <stdlib.h>
#include <string.h>

extern const df_expert_ops df_expert_classes, df_expert_nanodet, df_expert_centernet, df_expert_text;
static const df_expert_ops *const decoders[] = {
    &df_expert_classes,
    &df_expert_nanodet,
    &df_expert_centernet,
    &df_expert_text,
    NULL,
};

enum { CARDS_MAX = 4 };

struct df_expert_handle {
    df_expert *expert;
    df_card *cards[CARDS_MAX];
    int n_cards;
};

static df_status find_decoder(const df_card *card, const df_expert_ops **out, df_error *err)
{
    for (const df_expert_ops *const *d = decoders; *d; d++)
        if (card->decoder && strcmp((*d)->name, card->decoder) == 0) {
            *out = *d;
            return DF_OK;
        }
    return df_fail(err, DF_CONFIG, "%s: decoder: there is none called \"%s\"", card->path,
                   card->decoder ? card->decoder : "");
}

static df_status open_cards(df_expert_handle *h, const char *models, const char *const *names, int n_names,
                            const df_onnx_options *runtime, df_error *err)
{
    const df_expert_ops *ops = NULL;
    for (int i = 0; i < n_names; i++) {
        if (!names[i])
            continue;
        DF_TRY(df_card_open(&h->cards[i], models, names[i], true, err));
        if (runtime)
            h->cards[i]->runtime = *runtime;
    }
    if (!h->cards[0])
        return df_fail(err, DF_CONFIG, "an expert needs a model");
    DF_TRY(find_decoder(h->cards[0], &ops, err));
    return ops->open(&h->expert, h->cards, n_names, err);
}

df_status df_expert_open(df_expert_handle **out, const char *models, const char *const *names, int n_names,
                         const df_onnx_options *runtime, df_error *err)
{
    if (n_names < 1 || n_names > CARDS_MAX)
        return df_fail(err, DF_CONFIG, "an expert of %d models", n_names);
    df_expert_handle *h = calloc(1, sizeof *h);
    if (!h)
        return df_fail(err, DF_NOMEM, "open expert: out of memory");
    h->n_cards = n_names;
    df_status status = open_cards(h, models, names, n_names, runtime, err);
    if (status != DF_OK) {
        df_expert_close(h);
        return status;
    }
    *out = h;
    return DF_OK;
}

df_status df_expert_perceive(df_expert_handle *h, const df_image *image, const df_queries *queries, df_arena *arena,
                             df_percept *out, df_error *err)
{
    static const df_queries none = {0};
    return h->expert->ops->perceive(h->expert, image, queries ? queries : &none, arena, out, err);
}

void df_expert_set_threshold(df_expert_handle *h, double threshold)
{
    for (int i = 0; i < h->n_cards; i++)
        if (h->cards[i]) {
            h->cards[i]->threshold = threshold;
            h->cards[i]->label_threshold = NULL;
        }
}

void df_expert_close(df_expert_handle *h)
{
    if (!h)
        return;
    if (h->expert)
        h->expert->ops->close(h->expert);
    for (int i = 0; i < h->n_cards; i++)
        df_card_close(h->cards[i]);
    free(h);
}

const df_card *df_expert_card(const df_expert_handle *h, int i)
{
    return i >= 0 && i < h->n_cards ? h->cards[i] : NULL;
}
