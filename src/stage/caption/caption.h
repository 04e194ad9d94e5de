/* What the one-image call of the library shares with the stage. */
#ifndef DF_STAGE_CAPTION_CAPTION_H
#define DF_STAGE_CAPTION_CAPTION_H
#include "dataset/dataset.h"
#include "engine/engine.h"

typedef struct {
    char *engine, *url, *model, *api_key_file, *ca_file, *extra, *answers, *mmproj, *stop, *on_fail,
        *prices;
    int64_t max_tokens, timeout_s, retries, patience_s, image_side, image_quality, image_bytes,
        seed, top_k, concurrency;
    int64_t batch_requests, batch_mb, in_flight_mb, n_ctx, sequences, gpu_layers, ask_again;
    double temperature, top_p, budget;
    bool batched;
} df_caption_config;                         /* the stage's config */

/* What an engine is told of config; text is borrowed. */
df_engine_config df_caption_engine_config(const df_caption_config *config, int n_threads,
                                          const atomic_bool *stop);
/* Opens the engine that config names. Close with (*out)->ops->close. config and stop are borrowed.
 * n_threads: of a computation. */
df_status df_caption_engine_open(df_engine **out, const df_caption_config *config, int n_threads,
                                 const atomic_bool *stop, df_error *err);
#endif
