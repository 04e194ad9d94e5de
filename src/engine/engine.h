/* An engine writes the caption. Engines are listed in engine.c. */
#ifndef DF_ENGINE_ENGINE_H
#define DF_ENGINE_ENGINE_H
#include <stdatomic.h>
#include <stdbool.h>
#include "base/arena.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "image/image.h"

/* What `caption`'s options say, for all engines. Text may be NULL where an engine does
 * not need it. */
typedef struct {
    const char *url, *model,
        /* openai: comma-separated servers; the key may also come from OPENAI_API_KEY */
        *api_key_file;
    /* openai: authorities to trust; JSON object for the body */
    const char *ca_file, *extra;
    const char *stop_text; /* ends the answer, and is not part of it */
    const char *answers; /* replay: JSONL with "key" or "path", and "caption" */
    const char *mmproj; /* llama: the projector; "none": no picture */
    int64_t max_tokens, timeout_s, retries, patience_s, seed, concurrency;
    int64_t top_k; /* 0: all */
    double temperature, top_p; /* top_p 1: all */
    int64_t image_side, image_quality, image_bytes;
    /* llama: tokens of a sequence; sequences at once; layers on a GPU, -1 all */
    int64_t n_ctx, sequences, gpu_layers;
    bool batched; /* llama: all sequences in one computation */
    int n_threads;
    const atomic_bool *stop; /* may be NULL */
} df_engine_config;

/* An earlier answer in the conversation, and what was said about it. */
typedef struct {
    const char *answer, *reply;
} df_turn;
enum { DF_TURNS_MAX = 8 };

/* Whoever pays hears of each request: before it is sent, and what came of it. Calls come from the
 * thread that asks. */
typedef enum {
    /* there is an answer: the caption, or why the model wrote none */
    DF_REQUEST_ANSWERED,
    /* never sent, or refused before any work: it costs nothing */
    DF_REQUEST_FREE,
    /* sent, and no answer that can be used: nobody knows what it cost */
    DF_REQUEST_LOST,
} df_request_end;
typedef struct {
    void *ctx;
    /* not DF_OK: it is not sent, and this is the call's failure */
    df_status (*begin)(void *ctx, df_error *err);
    df_status (*end)(void *ctx, df_request_end end, df_error *err);
} df_payer;

/* What it means when all attempts at a record are in vain and no other record was answered
 * meanwhile. */
typedef enum {
    /* nobody can tell yet: out->put_off, it is to be asked again after the others */
    DF_VAIN_LATER,
    /* the server works, or has failed at this record before: the record's error */
    DF_VAIN_RECORD,
    DF_VAIN_STOP, /* the server's failure: DF_REMOTE */
} df_vain;

typedef struct {
    /* the record's key: what the caption depends on, in hex */
    const char *key;
    const char *prompt;
    const df_evidence *evidence; /* after fusion */
    const df_image *image; /* NULL unless the engine needs pixels */
    /* NULL unless the engine needs a JPEG: upright, RGB, within the budget */
    const uint8_t *jpeg;
    size_t jpeg_size;
    const df_turn *turns;
    int n_turns; /* after the prompt, oldest first; none when it is asked for the first time */
    /* NULL: nobody minds. Engines without a server ask nobody */
    const df_payer *payer;
    df_vain vain;
} df_caption_request;

typedef struct {
    /* in the arena; NULL when this record can't be captioned: see error */
    const char *text;
    /* the server's own words; NULL when there is a caption */
    const char *error;
    const char *model, *finish, *server; /* "" or NULL when unknown */
    /* -1 when unknown, or told and not credible */
    int64_t prompt_tokens, completion_tokens, cached_tokens, attempts;
    int64_t ms; /* from the request that was answered to its answer */
    bool batch; /* it came in a batch file, at that price */
    /* pieces of evidence left out because the context was too small */
    int n_shortened;
    /* all attempts were in vain, for the server's sake perhaps: see df_vain */
    bool put_off;
} df_caption;

typedef struct df_engine df_engine;
typedef struct {
    const char *name, *summary;
    bool needs_pixels, needs_jpeg;
    /* slow and paid for: answers are kept in a journal as they come */
    bool remote;
    df_status (*open)(df_engine **out, const df_engine_config *config, df_error *err);
    /* Thread-safe. A record that fails for itself is DF_OK with out->error; a failure that would
     * hit every record (no server, wrong key) is DF_REMOTE and stops the stage, finished captions
     * kept. */
    df_status (*caption)(df_engine *e, const df_caption_request *request, df_arena *arena,
                         df_caption *out, df_error *err);
    void (*close)(df_engine *e);
} df_engine_ops;
/* First member of every engine's own struct. */
struct df_engine {
    const df_engine_ops *ops;
    /* most requests worth having at once; 0: as many as there are threads */
    int n_at_once;
    /* what its words depend on besides the options; NULL: nothing */
    const char *identity;
};

extern const df_engine_ops *const df_engines[]; /* NULL-terminated */
const df_engine_ops *df_engine_find(const char *name);
extern const df_engine_ops df_engine_compose, df_engine_llama, df_engine_openai, df_engine_replay;
#endif
