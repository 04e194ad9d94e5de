/* Turns text into a model's tokens as its own tokenizer.json says: CLIP's byte pairs, BERT's word
 * pieces, SentencePiece. Hugging Face's tokenizers library does the work. It is optional; `make
 * tokenizer` installs it. tokenizer.c is the only file that knows it. */
#ifndef DF_MODEL_TOKENIZER_H
#define DF_MODEL_TOKENIZER_H
#include <stdint.h>
#include "base/status.h"

enum { DF_TOKENS_MAX = 512 };
typedef struct df_tokenizer df_tokenizer;    /* shared by threads */

/* Texts are cut to max_tokens (3 to DF_TOKENS_MAX), including the special tokens at both ends.
 * Errors: DF_CONFIG for a file that is no tokenizer, DF_MODEL when the library is not installed
 * (the message says how to install it). df_tokenizer_close frees *out; NULL is fine. */
df_status df_tokenizer_open(df_tokenizer **out, const char *path, int max_tokens, df_error *err);
void df_tokenizer_close(df_tokenizer *t);
/* ids: [max_tokens], of which the first *n are written. Text is UTF-8, at most 4 KiB. */
df_status df_tokenizer_encode(const df_tokenizer *t, const char *text, uint32_t *ids, int *n,
                              df_error *err);
#endif
