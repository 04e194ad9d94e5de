/* An engine writes the caption. Engines are listed in engine.c. */
#ifndef DF_ENGINE_ENGINE_H
#define DF_ENGINE_ENGINE_H
#include <stdatomic.h>
#include <stdbool.h>
#include "base/arena.h"
#include "base/option.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "image/image.h"

/* Those of caption's options that all engines share. What one engine alone needs is in its own
 * table. */
typedef struct {
    char *model;                             /* a name, or a file */
    char *stop_text;                         /* ends the answer, and is not part of it */
    int64_t max_tokens, seed, image_side;
    int64_t top_k;                           /* 0: all */
    double temperature, top_p;               /* top_p 1: all */
} df_engine_config;

/* What an engine is opened with. All of it is borrowed, and lives longer than the engine. */
typedef struct {
    const df_engine_config *shared;
    const void *own;                         /* the struct of its own options */
    int n_threads;
    const atomic_bool *stop;                 /* may be NULL */
} df_engine_setup;

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
    /* Its own options: caption.NAME.key, in a struct of config_size bytes. NULL: it has none. */
    const df_option *options;
    /* Options that change no answer, such as how often and how long one is waited for: neither in
     * the key of a request nor in the fingerprint of captions. NULL: none. */
    const char *const *aside;
    size_t config_size;
    bool needs_pixels, needs_jpeg;
    /* slow and paid for: answers are kept in a journal as they come */
    bool remote;
    df_status (*open)(df_engine **out, const df_engine_setup *setup, df_error *err);
    /* Appends what captions depend on besides options: what files hold. NULL: nothing. */
    df_status (*depends)(const df_engine_setup *setup, df_str *out, df_error *err);
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
    /* further attempts at a record before it counts as failed */
    int64_t retries;
    /* what its words depend on besides the options; NULL: nothing */
    const char *identity;
};

extern const df_engine_ops *const df_engines[]; /* NULL-terminated */
extern const df_engine_ops df_engine_compose, df_engine_llama, df_engine_openai, df_engine_replay;

enum { DF_ENGINES_MAX = 8 };
/* The own options of all engines: a configuration has sections for several and chooses one.
 * All-zero is freeable. */
typedef struct {
    const df_engine_ops *const *engines; /* NULL-terminated */
    void *own[DF_ENGINES_MAX]; /* their structs, in the same order */
} df_engine_settings;

/* defaults */
df_status df_engine_settings_init(df_engine_settings *out, const df_engine_ops *const *engines,
                                  df_error *err);
void df_engine_settings_free(df_engine_settings *settings);
/* place among the engines of the n bytes at name; -1: there is none */
int df_engine_settings_find(const df_engine_settings *settings, const char *name, size_t n);
/* key: "openai.retries"; section: "caption", for messages. DF_CONFIG as of df_option_set. */
df_status df_engine_settings_set(df_engine_settings *settings, const char *section, const char *key,
                                 const char *value, df_error *err);
/* NULL: there is no such engine */
const df_engine_ops *df_engine_settings_ops(const df_engine_settings *settings, const char *name);
/* the struct of an engine's own options */
const void *df_engine_settings_own(const df_engine_settings *settings, const char *name);
/* Appends the options of an engine that change its answers. */
void df_engine_settings_describe(const df_engine_settings *settings, const char *name, df_str *out);
#endif
