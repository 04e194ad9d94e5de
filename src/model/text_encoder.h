/* A text encoder turns words into vectors that a model compares with those of images. */
#ifndef DF_MODEL_TEXT_ENCODER_H
#define DF_MODEL_TEXT_ENCODER_H
#include "model/card.h"

enum { DF_WORDS_MAX_BYTES = 64 };            /* a longer text is not the name of a thing */
/* Cleans words for a prompt: control characters, and what tokenizers take for commands (<|x|>,
 * [X]), become single spaces. DF_FORMAT: nothing is left, or more than DF_WORDS_MAX_BYTES. */
df_status df_words_clean(const char *words, char out[DF_WORDS_MAX_BYTES + 1], df_error *err);

typedef struct df_text_encoder df_text_encoder;   /* shared by threads */

/* Opens the card that the image model's card names under `text`, with a verified hash and on the
 * same runtime, and encodes a word to see that it works. df_text_encoder_close frees *out; NULL is
 * fine. */
df_status df_text_encoder_open(df_text_encoder **out, const df_card *image_card, df_error *err);
void df_text_encoder_close(df_text_encoder *e);
int df_text_encoder_dim(const df_text_encoder *e);
/* *vector: [dim], of unit length, for the words within the image card's `template`. It lives as
 * long as the encoder or the arena. The words are cleaned first. Each distinct text is encoded
 * once, whichever thread asks first (the first 20,000 are kept). DF_FORMAT: the words cannot be
 * cleaned, or the model has no answer for them. */
df_status df_text_encoder_run(df_text_encoder *e, const char *words, df_arena *arena,
                              const float **vector, df_error *err);
#endif
