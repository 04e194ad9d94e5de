/* Encodes texts by a tokenizer and an ONNX model, and keeps the vectors. */
#include "model/text_encoder.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "model/tokenizer.h"

enum { KEPT_MAX = 20000, DIM_MAX = 65536 };

typedef enum { ENCODING, ENCODED, REFUSED } state;
typedef struct {
    char *text;
    float *vector;
    state state;
} kept;     /* vector is valid once state is ENCODED */

struct df_text_encoder {
    df_card *card;
    df_onnx *model;
    df_tokenizer *tokenizer;
    char *template;
    int dim, max_tokens;
    int64_t pad; /* the token that pads to max_tokens; -1: no padding */
    pthread_mutex_t lock; /* guards all members below */
    pthread_cond_t changed;
    bool locks; /* lock and changed are initialised */
    df_map index; /* from text to its index in `kept` */
    kept *kept; /* [KEPT_MAX] */
    int n_kept;
};

/* ---- from words to a prompt ---- */

df_status df_words_clean(const char *words, char out[DF_WORDS_MAX_BYTES + 1], df_error *err)
{
    df_str plain = {0};
    size_t n = 0;
    df_str_append_clean(&plain, words, strnlen(words, 4 * DF_WORDS_MAX_BYTES),
                        4 * DF_WORDS_MAX_BYTES);
    for (const char *c = df_str_text(&plain); *c && n <= DF_WORDS_MAX_BYTES; c++) {
        const bool space = strchr(" <>|[]{}\\", *c) != NULL;
        if (!space)
            out[n < DF_WORDS_MAX_BYTES ? n : DF_WORDS_MAX_BYTES] = *c, n++;
        else if (n > 0 && n < DF_WORDS_MAX_BYTES && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    const bool failed = plain.failed;
    df_str_free(&plain);
    if (failed)
        return df_no_memory(err, "words");
    if (n > DF_WORDS_MAX_BYTES)
        return df_fail(err, DF_FORMAT, "\"%.40s...\" is too long for the name of a thing", words);
    n -= n > 0 && out[n - 1] == ' ';
    out[n] = '\0';
    return n > 0 ? DF_OK : df_fail(err, DF_FORMAT, "no words");
}

static df_status make_prompt(const df_text_encoder *e, const char *words, df_arena *arena,
                             char **prompt, df_error *err)
{
    char name[DF_WORDS_MAX_BYTES + 1];
    /* check of the card has made sure that there is one */
    const char *slot = strstr(e->template, "{}");
    DF_TRY(df_words_clean(words, name, err));
    *prompt =
        df_arena_printf(arena, "%.*s%s%s", (int)(slot - e->template), e->template, name, slot + 2);
    return *prompt ? DF_OK : df_no_memory(err, "run model %s", e->card->name);
}

/* ---- from a prompt to a vector ---- */

static df_status find_vector(const df_text_encoder *e, const df_tensor *outputs, int n,
                             const df_tensor **out, df_error *err)
{
    const df_tensor *t;
    DF_TRY(df_card_output(e->card, outputs, n, &t, err));
    const int64_t size = df_tensor_size(t);
    if (t->n_dims != 2 || t->dims[0] != 1 || size < 1 || size > DIM_MAX ||
        (e->dim && size != e->dim))
        return df_fail(err, DF_CONFIG, "%s: output: %s is no vector [1, dim] that stays as long",
                       e->card->path, t->name);
    *out = t;
    return DF_OK;
}

/* Divides a vector by its length, computed in double. */
static df_status normalise(const df_text_encoder *e, float *x, int64_t dim, df_error *err)
{
    double sum = 0;
    for (int64_t k = 0; k < dim; k++)
        sum += (double)x[k] * (double)x[k];
    if (!(sum > 0) || !isfinite(sum))
        return df_fail(err, DF_FORMAT, "%s: a vector without direction", e->card->name);
    for (int64_t k = 0; k < dim; k++)
        x[k] = (float)((double)x[k] / sqrt(sum));
    return DF_OK;
}

/* Encodes a prompt: its tokens through the model, the vector normalised. */
static df_status encode_prompt(const df_text_encoder *e, const char *prompt, df_arena *arena,
                               const float **vector, int64_t *dim, df_error *err)
{
    uint32_t ids[DF_TOKENS_MAX];
    float values[DF_TOKENS_MAX];
    df_tensor *outputs;
    const df_tensor *found = NULL;
    int n = 0, n_outputs = 0;
    DF_TRY(df_tokenizer_encode(e->tokenizer, prompt, ids, &n, err));
    const int length = e->pad < 0 ? n : e->max_tokens;
    for (int i = 0; i < length; i++)
        values[i] = i < n ? (float)ids[i] : (float)e->pad;
    const df_tensor input = {
        .name = e->card->input, .n_dims = 2, .dims = {1, length}, .data = values};
    DF_TRY(df_onnx_run(e->model, &input, 1, arena, &outputs, &n_outputs, err));
    DF_TRY(find_vector(e, outputs, n_outputs, &found, err));
    DF_TRY(normalise(e, found->data, df_tensor_size(found), err));
    *vector = found->data;
    *dim = df_tensor_size(found);
    return DF_OK;
}

/* ---- each text once ---- */

/* To be called under the lock. *out: the entry of a text that is kept or is being encoded, or a new
 * one, which the caller must fill when *mine. NULL: there is no room to keep it. */
static df_status find_or_claim(df_text_encoder *e, const char *prompt, kept **out, bool *mine,
                               df_error *err)
{
    int64_t at = df_map_find(&e->index, prompt, -1);
    *mine = false;
    *out = at >= 0 ? &e->kept[at] : NULL;
    if (at >= 0 || e->n_kept == KEPT_MAX)
        return DF_OK;
    kept *k = &e->kept[e->n_kept];
    k->text = strdup(prompt);
    k->vector = malloc((size_t)e->dim * sizeof *k->vector);
    k->state = ENCODING;
    df_status status = k->text && k->vector ? df_map_put(&e->index, k->text, e->n_kept, &at, err)
                                            : df_no_memory(err, "%s", e->card->name);
    if (status != DF_OK) {
        free(k->text);
        free(k->vector);
        *k = (kept){0};
        return status;
    }
    e->n_kept++;
    *out = k;
    *mine = true;
    return DF_OK;
}

static void store_vector(df_text_encoder *e, kept *k, const float *vector)
{
    pthread_mutex_lock(&e->lock);
    if (vector)
        memcpy(k->vector, vector, (size_t)e->dim * sizeof *vector);
    k->state = vector ? ENCODED : REFUSED;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

df_status df_text_encoder_run(df_text_encoder *e, const char *words, df_arena *arena,
                              const float **vector, df_error *err)
{
    char *prompt;
    kept *k = NULL;
    bool mine = false;
    int64_t dim;
    DF_TRY(make_prompt(e, words, arena, &prompt, err));
    pthread_mutex_lock(&e->lock);
    df_status status = find_or_claim(e, prompt, &k, &mine, err);
    while (k && !mine && k->state == ENCODING)
        pthread_cond_wait(&e->changed, &e->lock);
    const bool ready = k && !mine && k->state == ENCODED;
    pthread_mutex_unlock(&e->lock);
    if (ready)
        *vector = k->vector;
    if (ready || status != DF_OK)
        return status;
    /* the text is new, not kept, or was refused before; the last repeats its message */
    const float *fresh = NULL;
    status = encode_prompt(e, prompt, arena, &fresh, &dim, err);
    if (mine)
        store_vector(e, k, status == DF_OK ? fresh : NULL);
    if (status == DF_OK)
        *vector = mine ? k->vector : fresh;
    return status;
}

/* ---- opening ---- */

/* Opens the tokenizer and reads how many tokens the model takes. */
static df_status open_tokenizer(df_text_encoder *e, df_error *err)
{
    const df_card *card = e->card;
    const double tokens = df_card_number(card, "tokens", 0), pad = df_card_number(card, "pad", -1);
    if (!card->tokenizer)
        return df_fail(err, DF_CONFIG, "%s: tokenizer: missing; a text encoder needs it",
                       card->path);
    if (!(tokens >= 3 && tokens <= (double)DF_TOKENS_MAX))
        return df_fail(err, DF_CONFIG, "%s: decode.tokens: must be 3 to %d", card->path,
                       DF_TOKENS_MAX);
    if (!(pad >= -1 && pad < 1 << 24))
        return df_fail(err, DF_CONFIG, "%s: decode.pad: must be a token's number, or -1 for none",
                       card->path);
    e->max_tokens = (int)tokens;
    e->pad = (int64_t)pad;
    char *path = df_card_beside(card, card->tokenizer);
    df_status status = path ? df_tokenizer_open(&e->tokenizer, path, e->max_tokens, err)
                            : df_no_memory(err, "open %s", card->path);
    free(path);
    return status;
}

static df_status try_word(df_text_encoder *e, df_error *err)
{
    df_arena arena = {0};
    const float *vector;
    int64_t dim = 0;
    df_status status = encode_prompt(e, "thing", &arena, &vector, &dim, err);
    e->dim = (int)dim;
    df_arena_reset(&arena);
    return status;
}

/* Opens the card, tokenizer and model that the image model's card names, and tries a word. */
static df_status open_all(df_text_encoder *e, const df_card *image_card, df_error *err)
{
    if (!image_card->text)
        return df_fail(err, DF_CONFIG, "%s: text: missing; the card of its text encoder is needed",
                       image_card->path);
    df_error why;
    df_status status = df_card_open(&e->card, image_card->folder, image_card->text, true, &why);
    if (status != DF_OK)
        return df_fail(err, status, "%s: text: %s", image_card->path, why.message);
    if (strcmp(e->card->task, "text-embed") != 0)
        return df_fail(err, DF_CONFIG, "%s: text: the task of %s is %s, not text-embed",
                       image_card->path, image_card->text, e->card->task);
    e->card->runtime = image_card->runtime;
    e->template = strdup(image_card->template);
    e->kept = calloc(KEPT_MAX, sizeof *e->kept);
    if (!e->template || !e->kept || pthread_mutex_init(&e->lock, NULL) != 0)
        return df_no_memory(err, "open model %s", e->card->name);
    pthread_cond_init(&e->changed, NULL); /* cannot fail on Linux */
    e->locks = true;
    DF_TRY(open_tokenizer(e, err));
    DF_TRY(df_card_open_model(e->card, &e->model, err));
    return try_word(e, err);
}

df_status df_text_encoder_open(df_text_encoder **out, const df_card *image_card, df_error *err)
{
    df_text_encoder *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "open model %s", image_card->name);
    df_status status = open_all(e, image_card, err);
    if (status == DF_OK)
        *out = e;
    else
        df_text_encoder_close(e);
    return status;
}

void df_text_encoder_close(df_text_encoder *e)
{
    if (!e)
        return;
    for (int i = 0; i < e->n_kept; i++) {
        free(e->kept[i].text);
        free(e->kept[i].vector);
    }
    free(e->kept);
    df_map_free(&e->index);
    if (e->locks) {
        pthread_mutex_destroy(&e->lock);
        pthread_cond_destroy(&e->changed);
    }
    df_tokenizer_close(e->tokenizer);
    df_onnx_close(e->model);
    df_card_close(e->card);
    free(e->template);
    free(e);
}

int df_text_encoder_dim(const df_text_encoder *e)
{
    return e->dim;
}
