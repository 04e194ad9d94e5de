/* The list of decoders; checks cards against it, and opens and runs experts. */
#include "expert/expert.h"
#include <stdlib.h>
#include <string.h>

extern const df_expert_ops df_expert_classes, df_expert_nanodet, df_expert_centernet,
    df_expert_text, df_expert_similarity, df_expert_owl, df_expert_grounding, df_expert_detr,
    df_expert_boxes, df_expert_yolox;

/* A decoder, the tasks that it serves, the fields of a card that it needs, and all numbers that may
 * stand under `decode:` (a list of them by its name). Words are separated by spaces. */
static const struct {
    const df_expert_ops *ops;
    const char *tasks, *needs, *numbers;
} decoders[] = {
    {&df_expert_classes, "tag safety", "labels", "softmax sigmoid independent"},
    {&df_expert_similarity, "tag", "labels text width height", "softmax sigmoid scale bias"},
    {&df_expert_nanodet, "detect", "labels width height", "strides bins max_boxes"},
    {&df_expert_centernet, "detect", "labels width height", "max_boxes"},
    {&df_expert_detr, "detect", "labels", "softmax max_boxes"},
    {&df_expert_yolox, "detect", "labels width height", "strides max_boxes"},
    {&df_expert_boxes, "detect", "labels",
     "class_offset normalised boxes scores classes max_boxes"},
    {&df_expert_owl, "detect", "text width height", "queries"},
    {&df_expert_grounding, "detect", "tokenizer", "tokens queries"},
    {&df_expert_text, "text-detect text-orient text-recognise", "",
     "limit_side max_side step map_threshold unclip dilate max_boxes turned_class squeeze "
     "width_min width_max width_step"},
    {0},
};

enum { CARDS_MAX = 4 };

struct df_expert_handle {
    df_expert *expert;
    df_card *cards[CARDS_MAX];
    int n_cards;
};

static bool has_word(const char *words, const char *word, size_t n)
{
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == n && memcmp(at, word, n) == 0)
            return true;
        at += size;
    }
    return false;
}

/* Finds the decoder that the card names. */
static df_status find_decoder(const df_card *card, int *which, df_error *err)
{
    const char *name = card->decoder ? card->decoder : "";
    df_str names = {0};
    for (*which = 0; decoders[*which].ops; ++*which) {
        if (strcmp(decoders[*which].ops->name, name) == 0)
            break;
        df_str_printf(&names, "%s%s", names.size ? ", " : "", decoders[*which].ops->name);
    }
    df_status status =
        decoders[*which].ops
            ? DF_OK
            : df_fail(err, DF_CONFIG, "%s: decoder: there is none called \"%.60s\"; there are: %s",
                      card->path, name, df_str_text(&names));
    df_str_free(&names);
    return status;
}

/* Whether the card has a field that a decoder asks for. */
static bool has_field(const df_card *card, const char *field, size_t n)
{
    const struct {
        const char *name;
        bool there;
    } fields[] = {
        {"labels", card->labels != NULL},
        {"width", card->width > 0},
        {"height", card->height > 0},
        {"text", card->text != NULL},
        {"thresholds", card->thresholds != NULL},
        {"tokenizer", card->tokenizer != NULL},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].name) == n && memcmp(fields[i].name, field, n) == 0)
            return fields[i].there;
    return false;
}

df_status df_expert_check(const df_card *card, df_error *err)
{
    int d;
    if (strcmp(card->task, "embed") == 0 || strcmp(card->task, "text-embed") == 0)
        return DF_OK; /* model/ reads these, without a decoder */
    DF_TRY(find_decoder(card, &d, err));
    if (!has_word(decoders[d].tasks, card->task, strlen(card->task)))
        return df_fail(err, DF_CONFIG, "%s: decoder: %s serves no task %s, only: %s", card->path,
                       card->decoder, card->task, decoders[d].tasks);
    for (const char *at = decoders[d].needs; *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (!has_field(card, at, n))
            return df_fail(err, DF_CONFIG, "%s: %.*s: missing; decoder %s needs it", card->path,
                           (int)n, at, card->decoder);
        at += n;
    }
    for (int i = 0; i < card->n_extra; i++)
        if (!has_word(decoders[d].numbers, card->extra[i].key, strcspn(card->extra[i].key, ".")))
            return df_fail(err, DF_CONFIG, "%s: decode.%s: decoder %s has no such number%s%s",
                           card->path, card->extra[i].key, card->decoder,
                           decoders[d].numbers[0] ? "; it has: " : "", decoders[d].numbers);
    return DF_OK;
}

/* Opens the cards of an expert and has the decoder of the first open it. */
static df_status open_cards(df_expert_handle *h, const char *models, const char *const *names,
                            int n_names, const df_onnx_options *runtime, df_error *err)
{
    int d = 0;
    for (int i = 0; i < n_names; i++) {
        if (!names[i])
            continue;
        DF_TRY(df_card_open(&h->cards[i], models, names[i], true, err));
        if (runtime)
            h->cards[i]->runtime = *runtime;
        DF_TRY(df_expert_check(h->cards[i], err));
    }
    if (!h->cards[0])
        return df_fail(err, DF_CONFIG, "an expert needs a model");
    DF_TRY(find_decoder(h->cards[0], &d, err));
    return decoders[d].ops->open(&h->expert, h->cards, n_names, err);
}

df_status df_expert_open(df_expert_handle **out, const char *models, const char *const *names,
                         int n_names, const df_onnx_options *runtime, df_error *err)
{
    if (n_names < 1 || n_names > CARDS_MAX)
        return df_fail(err, DF_CONFIG, "an expert of %d models", n_names);
    df_expert_handle *h = calloc(1, sizeof *h);
    if (!h)
        return df_no_memory(err, "open expert");
    h->n_cards = n_names;
    df_status status = open_cards(h, models, names, n_names, runtime, err);
    if (status != DF_OK) {
        df_expert_close(h);
        return status;
    }
    *out = h;
    return DF_OK;
}

/* Runs the expert on a black image. It shows whether the model works at all. */
static df_status perceive_plain(df_expert_handle *h, const df_queries *queries)
{
    enum { SIDE = 64 };
    static const uint8_t black[SIDE * SIDE * 3];
    /* the expert only reads the pixels, so the cast is safe */
    df_image image = {SIDE, SIDE, SIDE, SIDE, (uint8_t *)(uintptr_t)black};
    df_percept seen = {0};
    df_arena arena = {0};
    df_status status = h->expert->ops->perceive(h->expert, &image, queries, &arena, &seen, NULL);
    df_arena_reset(&arena);
    return status;
}

/* A model that fails is either broken or cannot process this one picture. If it works on a plain
 * picture, this one is tried again; a second failure is then the picture's. */
df_status df_expert_perceive(df_expert_handle *h, const df_image *image, const df_queries *queries,
                             df_arena *arena, df_percept *out, df_error *err)
{
    static const df_queries none = {0};
    queries = queries ? queries : &none;
    df_status status = h->expert->ops->perceive(h->expert, image, queries, arena, out, err);
    if (status == DF_MODEL && perceive_plain(h, queries) == DF_OK)
        status = h->expert->ops->perceive(h->expert, image, queries, arena, out, err);
    return status;
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
