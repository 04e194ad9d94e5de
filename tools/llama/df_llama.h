/* llama.cpp behind a handful of C functions: what src/engine/llama.c asks of a GGUF model. The
 * library is built apart
 * (`make llama`) and loaded when it is asked for, so the program neither needs nor knows
 * llama.cpp's own headers, which change from release to release, and chat templates, which are
 * Jinja, are rendered by llama.cpp's own code.
 *
 * One thread at a time for each df_llama, except df_llama_ask_make. `why` is a buffer for one line
 * of words. */
#ifndef DF_LLAMA_H
#define DF_LLAMA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { DF_LLAMA_ABI = 1, DF_LLAMA_WHY = 400 };
int df_llama_abi(void);                      /* DF_LLAMA_ABI of the build */

typedef struct {
    const char *model, *mmproj;              /* GGUF files; mmproj NULL: text alone */
    int32_t n_ctx, n_seq; /* tokens of a sequence; sequences beside each other */
    int32_t n_threads, n_gpu_layers;
    bool (*aborted)(void *ctx); /* asked often: true leaves a computation unfinished */
    void *ctx;
} df_llama_options;
typedef struct df_llama df_llama;
/* NULL: see why */
df_llama *df_llama_open(const df_llama_options *options, char why[DF_LLAMA_WHY]);
void df_llama_close(df_llama *llama);

/* A conversation, rendered by the model's own template and cut into tokens; the picture stands
 * after the first message's text. Control tokens spelled out in a text (an OCR line that says
 * <|im_end|>) are broken up: they stay words. */
typedef struct {
    const char *role, *text;
} df_llama_message;
/* [height][width][3]; rgb NULL: none */
typedef struct {
    const uint8_t *rgb;
    uint32_t width, height;
} df_llama_picture;
typedef struct df_llama_ask df_llama_ask;
df_llama_ask *df_llama_ask_make(const df_llama *llama, const df_llama_message *messages, size_t n,
                                const df_llama_picture *picture, char why[DF_LLAMA_WHY]);
/* places in the context, the picture's too */
int32_t df_llama_ask_tokens(const df_llama_ask *ask);
void df_llama_ask_free(df_llama_ask *ask);

/* Sampling. temperature 0: the likeliest token, always; top_k <= 0 and top_p >= 1 cut nothing. */
typedef struct {
    float temperature, top_p;
    int32_t top_k;
    uint32_t seed;
} df_llama_sampling;

/* Reads the ask into an idle sequence and draws its first token. */
bool df_llama_start(df_llama *llama, int32_t seq, const df_llama_ask *ask,
                    const df_llama_sampling *sampling, char why[DF_LLAMA_WHY]);
/* Draws the next token of each of the n sequences, in one computation. */
bool df_llama_step(df_llama *llama, const int32_t *seqs, size_t n, char why[DF_LLAMA_WHY]);
/* The newest token's text, no more than size bytes; -1 when it is the end of the answer. */
int32_t df_llama_piece(const df_llama *llama, int32_t seq, char *out, size_t size);
/* the sequence is idle again */
void df_llama_end(df_llama *llama, int32_t seq);

#ifdef __cplusplus
}
#endif
#endif
