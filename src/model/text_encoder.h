/* From words to the vectors that a model compares with images. */
#ifndef DF_MODEL_TEXT_ENCODER_H
#define DF_MODEL_TEXT_ENCODER_H
#include "model/card.h"

enum { DF_WORDS_MAX_BYTES = 64 };            /* a longer text names no thing */
/* Words as they may stand in a prompt: single spaces for control characters and what tokenizers
 * take for commands (<|x|>, [X]). DF_FORMAT: none are left, or they are longer than
 * DF_WORDS_MAX_BYTES. */
df_status df_words_clean(const char *words, char out[DF_WORDS_MAX_BYTES + 1], df_error *err);

typedef struct df_text_encoder df_text_encoder;   /* shared by threads */

/* Opens the card that the image model's card names under `text` (hash verified), on the same
 * runtime, and shows it a word. */
df_status df_text_encoder_open(df_text_encoder **out, const df_card *image_card, df_error *err);
void df_text_encoder_close(df_text_encoder *e);
int df_text_encoder_dim(const df_text_encoder *e);
/* *vector: [dim], of unit length, for the words within the image card's `template`; it lives as
 * long as the encoder or the arena. Each distinct text is encoded once, whichever thread asks first
 * (the first 20,000 are kept). The words are cleaned first. DF_FORMAT: they cannot be, or the model
 * has no answer for them. */
df_status df_text_encoder_run(df_text_encoder *e, const char *words, df_arena *arena,
                              const float **vector, df_error *err);
#endif
