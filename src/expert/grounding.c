/* Decoder "grounding": Grounding DINO (arXiv 2303.05499), an open-set detector that reads a text
 * together with the image. The text holds all phrases to search for, "cat. red car. dog."; they are
 * the card's labels and the image's own tags. Inputs are the image and input_ids [1, t], the text's
 * tokens. For each of n places the model gives
 *
 *   logits [n, t]  how well each token describes the place (sigmoid)
 *   boxes [n, 4]   centre x, y, width, height, as shares of the input's sides
 *
 * A place shows the phrase with the best token, and its score. Tokens between phrases do not count.
 * The card's tokenizer is BERT's, which gives a phrase the same tokens whatever its neighbours are.
 * Card: decode.tokens, the most tokens of a text (default 256); decode.queries, the most phrases
 * (default 64; tags by falling score). Phrases that no longer fit are not searched for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "expert/expert.h"
#include "expert/place.h"
#include "model/preprocess.h"
#include "model/text_encoder.h"
#include "model/tokenizer.h"
#include "vision/nms.h"

/* the least tokens that a text of one word has */
enum { BOXES_MAX = 300, PLACES_MAX = 65536, TOKENS_MIN = 4 };

extern const df_expert_ops df_expert_grounding;                      /* listed in expert.c */

typedef struct {
    df_expert base;
    const df_card *card;
    df_onnx *model;
    df_tokenizer *tokenizer;
    int tokens_max, queries_max;
    /* token before the text, after each phrase, after the text */
    uint32_t first, stop, last;
} grounding;

/* The tokens of the text. phrase[i] is the label to which token i belongs, NULL between phrases. */
typedef struct {
    float id[DF_TOKENS_MAX];
    const char *phrase[DF_TOKENS_MAX];
    int n, n_queries;
} text;

/* ---- the text ---- */

static bool is_asked(const text *t, const char *label)
{
    for (int i = 0; i < t->n; i++)
        if (t->phrase[i] && strcmp(t->phrase[i], label) == 0)
            return true;
    return false;
}

static void append_token(text *t, uint32_t id, const char *phrase)
{
    t->id[t->n] = (float)id;
    t->phrase[t->n++] = phrase;
}

/* Adds a phrase to the text, unless nothing is left of it after cleaning, or it is too long or no
 * longer fits. */
static df_status add_phrase(const grounding *g, const char *label, df_arena *arena, text *t,
                            df_error *err)
{
    char words[DF_WORDS_MAX_BYTES + 2];
    uint32_t ids[DF_TOKENS_MAX];
    int n = 0;
    if (!label || t->n_queries == g->queries_max || is_asked(t, label))
        return DF_OK;
    df_error why;
    df_status status = df_words_clean(label, words, &why);
    if (status != DF_OK)
        return status == DF_FORMAT ? DF_OK : df_fail(err, status, "%s", why.message);
    for (char *c = words; *c; c++)
        if (*c == '.' || *c == '?') /* these characters would end the phrase */
            *c = ' ';
    strcat(words, ".");
    DF_TRY(df_tokenizer_encode(g->tokenizer, words, ids, &n, err));
    /* the first token, the words and their stop, without the last token */
    const int n_phrase = n - 1;
    if (n < TOKENS_MIN || ids[n_phrase - 1] != g->stop || t->n + n_phrase > g->tokens_max)
        return DF_OK;
    const char *copy = df_arena_strdup(arena, label);
    if (!copy)
        return df_no_memory(err, "run model %s", g->card->name);
    for (int i = 1; i < n_phrase; i++)
        append_token(t, ids[i], ids[i] == g->stop ? NULL : copy);
    t->n_queries++;
    return DF_OK;
}

static df_status add_phrases(const grounding *g, const df_queries *tags, df_arena *arena, text *t,
                             df_error *err)
{
    append_token(t, g->first, NULL);
    for (int i = 0; i < g->card->n_labels; i++)
        DF_TRY(add_phrase(g, g->card->label[i], arena, t, err));
    for (int i = 0; i < tags->n; i++)
        DF_TRY(add_phrase(g, tags->tags[i].label, arena, t, err));
    append_token(t, g->last, NULL);
    return DF_OK;
}

/* ---- the boxes ---- */

/* The box of one place, in input pixels, with the phrase of its best token. The candidate's label
 * is the index of a token. */
static df_candidate best_phrase(const float *logits, const float *box, const text *t, double width,
                                double height)
{
    int best = 0;
    double most = -INFINITY;
    for (int i = 0; i < t->n; i++)
        if (t->phrase[i] && (double)logits[i] > most)
            most = (double)logits[i], best = i;
    while (best > 1 && t->phrase[best - 1] == t->phrase[best])
        /* moved to the phrase's first token, so that suppression sees one label for one phrase */
        best--;
    return df_candidate_centred(box, width, height, 1 / (1 + exp(-most)), best);
}

/* Runs the model and keeps the places at which the best phrase passes the threshold. */
static df_status find_boxes(const grounding *g, const text *t, const df_tensor *inputs,
                            df_arena *arena, df_candidate **found, int *n, df_error *err)
{
    df_tensor *outputs = NULL;
    int n_outputs = 0;
    DF_TRY(df_onnx_run(g->model, inputs, 2, arena, &outputs, &n_outputs, err));
    const df_tensor *boxes = df_tensor_named(outputs, n_outputs, "boxes"),
                    *logits = df_tensor_named(outputs, n_outputs, "logits");
    const int64_t places = boxes ? df_tensor_size(boxes) / 4 : 0;
    if (!logits || places < 1 || places > PLACES_MAX || df_tensor_size(boxes) != places * 4 ||
        df_tensor_size(logits) != places * t->n)
        return df_fail(err, DF_MODEL,
                       "%s: the model has no outputs logits [n, %d] and boxes [n, 4]",
                       g->card->path, t->n);
    const bool planes = strcmp(g->card->layout, "nchw") == 0;
    const double height = (double)inputs[0].dims[planes ? 2 : 1],
                 width = (double)inputs[0].dims[planes ? 3 : 2];
    *found = df_arena_alloc(arena, (size_t)places, sizeof **found);
    if (!*found)
        return df_no_memory(err, "run model %s", g->card->name);
    *n = 0;
    for (int64_t i = 0; i < places; i++) {
        const df_candidate c =
            best_phrase(logits->data + i * t->n, boxes->data + i * 4, t, width, height);
        if (c.score > g->card->threshold)
            (*found)[(*n)++] = c;
    }
    return DF_OK;
}

/* Asks for all tags of the image in one text (Grounding DINO, arXiv 2303.05499). */
static df_status grounding_perceive(df_expert *e, const df_image *image, const df_queries *tags,
                                    df_arena *arena, df_percept *out, df_error *err)
{
    const grounding *g = (grounding *)e;
    text asked = {0};
    df_tensor inputs[2];
    df_placement placement;
    df_candidate *found;
    int n = 0;
    DF_TRY(add_phrases(g, tags, arena, &asked, err));
    if (asked.n_queries == 0)
        return DF_OK; /* without phrases there is nothing to find */
    DF_TRY(df_preprocess(g->card, image, arena, &inputs[0], &placement, err));
    inputs[1] =
        (df_tensor){.name = "input_ids", .n_dims = 2, .dims = {1, asked.n}, .data = asked.id};
    DF_TRY(find_boxes(g, &asked, inputs, arena, &found, &n, err));
    return df_boxes_place(g->card, found, n, BOXES_MAX, asked.phrase, &placement, image, arena, out,
                          err);
}

/* ---- opening ---- */

static void grounding_close(df_expert *e)
{
    grounding *g = (grounding *)e;
    df_tokenizer_close(g->tokenizer);
    df_onnx_close(g->model);
    free(g);
}

/* Opens the tokenizer and finds the tokens that begin, part and end a text, as BERT has them. */
static df_status open_tokenizer(grounding *g, df_error *err)
{
    uint32_t ids[DF_TOKENS_MAX], empty[DF_TOKENS_MAX];
    int n = 0, n_empty = 0;
    char *path = df_card_beside(g->card, g->card->tokenizer);
    df_status status = path ? df_tokenizer_open(&g->tokenizer, path, g->tokens_max, err)
                            : df_no_memory(err, "open %s", g->card->path);
    free(path);
    DF_TRY(status);
    DF_TRY(df_tokenizer_encode(g->tokenizer, "", empty, &n_empty, err));
    DF_TRY(df_tokenizer_encode(g->tokenizer, ".", ids, &n, err));
    if (n_empty != 2 || n != 3 || ids[0] != empty[0] || ids[2] != empty[1])
        return df_fail(
            err, DF_CONFIG,
            "%s: tokenizer: not as BERT's, which puts one token before a text and one after it",
            g->card->path);
    g->first = ids[0], g->stop = ids[1], g->last = ids[2];
    return DF_OK;
}

/* Opens the model of a card. */
static df_status grounding_open(df_expert **out, df_card *const *cards, int n_cards, df_error *err)
{
    const df_card *card = cards[0];
    const double tokens = df_card_number(card, "tokens", 256),
                 queries = df_card_number(card, "queries", 64);
    if (!(tokens >= (double)TOKENS_MIN && tokens <= (double)DF_TOKENS_MAX))
        return df_fail(err, DF_CONFIG, "%s: decode.tokens: must be 4 to %d", card->path,
                       DF_TOKENS_MAX);
    if (n_cards != 1 || !(queries >= 1 && queries <= tokens))
        return df_fail(err, DF_CONFIG, "%s: decode.queries: must be 1 to decode.tokens",
                       card->path);
    grounding *g = calloc(1, sizeof *g);
    if (!g)
        return df_no_memory(err, "open model %s", card->name);
    *g = (grounding){.base.ops = &df_expert_grounding,
                     .card = card,
                     .tokens_max = (int)tokens,
                     .queries_max = (int)queries};
    df_status status = open_tokenizer(g, err);
    if (status == DF_OK)
        status = df_card_open_model(card, &g->model, err);
    if (status != DF_OK) {
        grounding_close(&g->base);
        return status;
    }
    *out = &g->base;
    return DF_OK;
}

const df_expert_ops df_expert_grounding = {"grounding", grounding_open, grounding_perceive,
                                           grounding_close};
