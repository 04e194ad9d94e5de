/* The `llama` engine: a GGUF vision model run by llama.cpp in this process (tools/llama, loaded
 * when it is asked for).
 *
 * Callers hand in requests and sleep. One thread owns the model: it reads the waiting prompts, then
 * draws one token for every running sequence, and again. What a record gets depends on its own
 * request alone: its sampler is seeded by its key, its tokens attend to its own sequence, and each
 * sequence is computed by itself. Computed together (caption.llama.batched) they are faster, but a
 * matrix product over several columns adds up in another order than over one, and where two tokens
 * are all but equally likely the other one may win. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/locale.h"
#include "base/str.h"
#include "engine/engine.h"
#include "evidence/shorten.h"
#include "llama/df_llama.h"

enum {
    SEQUENCES_MAX = 64,
    PIECE_MAX = 512,
    SHORTENED_MAX = 3,
    ROOM_FOR_ANSWER = 64,
    MESSAGES_MAX = 2 * DF_TURNS_MAX + 1
};
#define CAPTION_BYTES_MAX ((size_t)64 << 10)

typedef struct {
    char *mmproj;                            /* the projector; "none": no picture */
    int64_t n_ctx, sequences, gpu_layers;
    bool batched;
} llama_config;
#define AT(field) offsetof(llama_config, field)
static const df_option options[] = {
    {"mmproj", DF_OPT_TEXT, AT(mmproj), NULL, 0, 0,
     "GGUF file of the projector that goes with the model; none: no picture"},
    {"n_ctx", DF_OPT_INT, AT(n_ctx), "4096", 64, 1048576, "context of one caption, tokens"},
    {"sequences", DF_OPT_INT, AT(sequences), "4", 1, SEQUENCES_MAX, "captions at once"},
    {"batched", DF_OPT_BOOL, AT(batched), "false", 0, 0,
     "compute all sequences together: faster, but what a record gets then depends on what runs "
     "beside it"},
    {"gpu_layers", DF_OPT_INT, AT(gpu_layers), "-1", -1, 100000,
     "layers on a GPU, where llama.cpp was built for one; -1: all"},
    {0},
};
static const char *const aside[] = {"sequences", "gpu_layers", NULL};

typedef struct {
    int (*abi)(void);
    df_llama *(*open)(const df_llama_options *options, char *why);
    void (*close)(df_llama *model);
    df_llama_ask *(*ask_make)(const df_llama *model, const df_llama_message *messages, size_t n,
                              const df_llama_picture *picture, char *why);
    int32_t (*ask_tokens)(const df_llama_ask *ask);
    void (*ask_free)(df_llama_ask *ask);
    bool (*start)(df_llama *model, int32_t seq, const df_llama_ask *ask,
                  const df_llama_sampling *sampling, char *why);
    bool (*step)(df_llama *model, const int32_t *seqs, size_t n, char *why);
    int32_t (*piece)(const df_llama *model, int32_t seq, char *out, size_t size);
    void (*end)(df_llama *model, int32_t seq);
} library;

typedef enum { SLOT_IDLE, SLOT_WAITING, SLOT_RUNNING, SLOT_DONE, SLOT_FAILED } slot_state;

/* A sequence of the model and the request in it. */
typedef struct {
    slot_state state;
    const df_llama_ask *ask;
    df_llama_sampling sampling;
    df_str text;
    /* drawn so far, the end of the answer counted as llama.cpp's server counts it */
    int64_t n_tokens;
    const char *finish;                      /* "stop", "length" */
} slot;

typedef struct {
    df_engine base;
    const df_engine_config *shared;          /* borrowed, like own and stop */
    const llama_config *own;
    int n_threads;
    const atomic_bool *stop;
    void *handle;
    library lib;
    df_llama *model;
    df_str identity;                         /* names, sizes and times of the files */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;                    /* all below */
    pthread_cond_t changed;
    bool closing;
    slot slots[SEQUENCES_MAX];               /* [own->sequences] are used */
    char why[DF_LLAMA_WHY];                  /* of the first computation that failed */
} llama;

/* ---- the thread that owns the model ---- */

/* Cuts the text where a stop string begins. */
static bool cut_at_stop(const llama *l, slot *s)
{
    const char *stop = l->shared->stop_text;
    const char *found = stop && *stop ? strstr(df_str_text(&s->text), stop) : NULL;
    if (!found)
        return false;
    s->text.size = (size_t)(found - s->text.data);
    s->text.data[s->text.size] = '\0';
    return true;
}

/* The newest token of a sequence: into its text, or the end of it. */
static void take_token(llama *l, int32_t seq)
{
    slot *s = &l->slots[seq];
    char piece[PIECE_MAX];
    const int32_t n = l->lib.piece(l->model, seq, piece, sizeof piece);
    s->n_tokens++;
    if (n > 0)
        df_str_append_n(&s->text, piece, (size_t)n);
    const bool full = s->n_tokens >= l->shared->max_tokens || s->text.size >= CAPTION_BYTES_MAX ||
                      l->lib.ask_tokens(s->ask) + s->n_tokens >= l->own->n_ctx;
    if (n < 0 || cut_at_stop(l, s))
        s->finish = "stop";
    else if (full)
        s->finish = "length";
    if (s->text.failed || s->finish) {
        l->lib.end(l->model, seq);
        s->state = s->text.failed ? SLOT_FAILED : SLOT_DONE;
        pthread_cond_broadcast(&l->changed);
    }
}

static void fail_slot(llama *l, int32_t seq, const char *why)
{
    if (!l->why[0])
        snprintf(l->why, sizeof l->why, "%s", why);
    l->lib.end(l->model, seq);
    l->slots[seq].state = SLOT_FAILED;
    pthread_cond_broadcast(&l->changed);
}

static void start_slot(llama *l, int32_t seq)
{
    slot *s = &l->slots[seq];
    char why[DF_LLAMA_WHY] = "";
    s->state = SLOT_RUNNING;
    pthread_mutex_unlock(&l->lock);
    const bool read = l->lib.start(l->model, seq, s->ask, &s->sampling, why);
    pthread_mutex_lock(&l->lock);
    if (read)
        take_token(l, seq);
    else
        fail_slot(l, seq, why);
}

static void step_slots(llama *l, const int32_t *seqs, int n)
{
    char why[DF_LLAMA_WHY] = "";
    pthread_mutex_unlock(&l->lock);
    const bool drawn = l->lib.step(l->model, seqs, (size_t)n, why);
    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < n; i++) {
        if (drawn)
            take_token(l, seqs[i]);
        else
            fail_slot(l, seqs[i], why);
    }
}

static void draw(llama *l, const int32_t *seqs, int n)
{
    const int at_once = l->own->batched ? n : 1;
    for (int i = 0; i < n; i += at_once)
        step_slots(l, seqs + i, at_once);
}

static int find_slots(const llama *l, slot_state state, int32_t seqs[SEQUENCES_MAX])
{
    int n = 0;
    for (int32_t i = 0; i < l->own->sequences; i++)
        if (l->slots[i].state == state)
            seqs[n++] = i;
    return n;
}

/* The thread that owns the model: starts requests that wait and draws tokens for those that run. */
static void *own_model(void *ctx)
{
    llama *l = ctx;
    int32_t seqs[SEQUENCES_MAX];
    int n;
    df_locale_enter();
    pthread_mutex_lock(&l->lock);
    while (!l->closing) {
        if (find_slots(l, SLOT_WAITING, seqs) > 0)
            start_slot(l, seqs[0]);
        else if ((n = find_slots(l, SLOT_RUNNING, seqs)) > 0)
            draw(l, seqs, n);
        else
            pthread_cond_wait(&l->changed, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- opening ---- */

/* A function from a data pointer: POSIX allows what C does not. */
static bool take(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* Loads our library around llama.cpp and finds its functions. */
static df_status load_library(llama *l, df_error *err)
{
    library *lib = &l->lib;
    /* its lists of devices live as long as the process */
    const int how = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    l->handle = dlopen(DF_LLAMA, how);
    if (!l->handle)
        l->handle = dlopen("libdf_llama.so", how);
    void *h = l->handle;
    if (h && take(h, "df_llama_abi", &lib->abi) && lib->abi() == DF_LLAMA_ABI &&
        take(h, "df_llama_open", &lib->open) && take(h, "df_llama_close", &lib->close) &&
        take(h, "df_llama_ask_make", &lib->ask_make) &&
        take(h, "df_llama_ask_tokens", &lib->ask_tokens) &&
        take(h, "df_llama_ask_free", &lib->ask_free) && take(h, "df_llama_start", &lib->start) &&
        take(h, "df_llama_step", &lib->step) && take(h, "df_llama_piece", &lib->piece) &&
        take(h, "df_llama_end", &lib->end))
        return DF_OK;
    return df_fail(
        err, DF_CONFIG,
        "caption.engine=llama: llama.cpp is not built, or is of another version; run `make llama`");
}

static bool is_stopped(void *ctx)
{
    const llama *l = ctx;
    return l->stop && atomic_load(l->stop);
}

static bool sees(const llama *l)
{
    return strcmp(l->own->mmproj, "none") != 0;
}

/* Checks that the model and its projector are files, before minutes go into loading them. */
static df_status check_files(const df_engine_setup *setup, df_error *err)
{
    const char *model = setup->shared->model;
    const char *mmproj = ((const llama_config *)setup->own)->mmproj;
    if (!model || !*model)
        return df_fail(err, DF_CONFIG,
                       "caption.model: the llama engine needs a model, a GGUF file");
    df_error why = {""};
    if (!df_file_exists(model))
        return df_fail(err, DF_CONFIG, "caption.model: %s: no such file", model);
    if (df_file_check(model, &why) != DF_OK)
        return df_fail(err, DF_CONFIG, "caption.model: %s", why.message);
    if (!mmproj || !*mmproj)
        return df_fail(
            err, DF_CONFIG,
            "caption.llama.mmproj: the llama engine sees through a projector, the mmproj GGUF that "
            "comes with %s; mmproj=none captions from the prompt alone",
            model);
    if (strcmp(mmproj, "none") != 0 && !df_file_exists(mmproj))
        return df_fail(err, DF_CONFIG, "caption.llama.mmproj: %s: no such file", mmproj);
    if (strcmp(mmproj, "none") != 0 && df_file_check(mmproj, &why) != DF_OK)
        return df_fail(err, DF_CONFIG, "caption.llama.mmproj: %s", why.message);
    return DF_OK;
}

/* Loads the model and starts the thread that owns it. */
static df_status open_model(llama *l, df_error *err)
{
    const llama_config *k = l->own;
    const char *model = l->shared->model;
    char why[DF_LLAMA_WHY] = "out of memory";
    const df_llama_options how = {.model = model,
                                  .mmproj = sees(l) ? k->mmproj : NULL,
                                  .n_ctx = (int32_t)k->n_ctx,
                                  .n_seq = (int32_t)k->sequences,
                                  .n_threads = l->n_threads,
                                  .n_gpu_layers = (int32_t)k->gpu_layers,
                                  .aborted = is_stopped,
                                  .ctx = l};
    l->model = l->lib.open(&how, why);
    if (!l->model)
        return df_fail(err, DF_MODEL, "%s%s%s: %.300s", model, sees(l) ? " with " : "",
                       sees(l) ? k->mmproj : "", why);
    l->started = pthread_create(&l->thread, NULL, own_model, l) == 0;
    return l->started ? DF_OK : df_fail(err, DF_NOMEM, "caption.engine=llama: no thread");
}

/* Stops the thread and frees everything that was opened so far. */
static void llama_close(df_engine *e)
{
    llama *l = (llama *)e;
    if (!l)
        return;
    if (l->started) {
        pthread_mutex_lock(&l->lock);
        l->closing = true;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    if (l->model)
        l->lib.close(l->model);
    if (l->handle)
        dlclose(l->handle);
    for (int i = 0; i < SEQUENCES_MAX; i++)
        df_str_free(&l->slots[i].text);
    df_str_free(&l->identity);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Which files: their names, sizes and times. */
static df_status llama_depends(const df_engine_setup *setup, df_str *out, df_error *err)
{
    const llama_config *own = setup->own;
    (void)err;
    if (setup->shared->model && own->mmproj) {
        df_file_describe(setup->shared->model, out);
        df_file_describe(own->mmproj, out);
    }
    return DF_OK;
}

/* Opens the model of caption.model with its projector. */
static df_status llama_open(df_engine **out, const df_engine_setup *setup, df_error *err)
{
    DF_TRY(check_files(setup, err));
    llama *l = calloc(1, sizeof *l);
    const char *model = setup->shared->model;
    if (!l)
        return df_no_memory(err, "open %s", model);
    l->shared = setup->shared;
    l->own = setup->own;
    l->n_threads = setup->n_threads;
    l->stop = setup->stop;
    l->base.ops = &df_engine_llama;
    l->base.n_at_once = (int)l->own->sequences;
    llama_depends(setup, &l->identity, NULL);
    l->base.identity = df_str_text(&l->identity);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    df_status status =
        l->identity.failed ? df_no_memory(err, "open %s", model) : load_library(l, err);
    if (status == DF_OK)
        status = open_model(l, err);
    if (status == DF_OK)
        *out = &l->base;
    else
        llama_close(&l->base);
    return status;
}

/* ---- a request ---- */

/* Makes a request of the prompt, the earlier turns and the picture. *out NULL: why says what is
 * wrong. */
static df_status make_ask(const llama *l, const df_caption_request *request, df_llama_ask **out,
                          char *why, df_error *err)
{
    df_image small = {0};
    const df_image *image = sees(l) ? request->image : NULL;
    const int side = (int)l->shared->image_side;
    if (image && (image->width > side || image->height > side)) {
        const int longer = image->width > image->height ? image->width : image->height;
        const int w = image->width * side / longer, h = image->height * side / longer;
        DF_TRY(df_image_resize(image, w > 0 ? w : 1, h > 0 ? h : 1, &small, err));
        image = &small;
    }
    df_llama_message messages[MESSAGES_MAX] = {{"user", request->prompt}};
    size_t n = 1;
    for (int i = 0; i < request->n_turns && n + 2 <= MESSAGES_MAX; i++) {
        messages[n++] = (df_llama_message){"assistant", request->turns[i].answer};
        messages[n++] = (df_llama_message){"user", request->turns[i].reply};
    }
    df_llama_picture picture = {0};
    if (image)
        picture = (df_llama_picture){image->rgb, (uint32_t)image->width, (uint32_t)image->height};
    *out = l->lib.ask_make(l->model, messages, n, &picture, why);
    df_image_free(&small);
    return DF_OK;
}

/* Waits for an idle sequence, has the request answered in it, and leaves the slot with the answer
 * to the caller. */
static slot *answer(llama *l, const df_llama_ask *ask, const char *key)
{
    int32_t seqs[SEQUENCES_MAX];
    while (find_slots(l, SLOT_IDLE, seqs) == 0)
        pthread_cond_wait(&l->changed, &l->lock);
    slot *s = &l->slots[seqs[0]];
    const uint64_t seed = df_hash_64(key, strlen(key)) ^ (uint64_t)l->shared->seed;
    s->ask = ask;
    s->sampling = (df_llama_sampling){(float)l->shared->temperature, (float)l->shared->top_p,
                                      (int32_t)l->shared->top_k, (uint32_t)(seed >> 32 ^ seed)};
    df_str_clear(&s->text);
    s->n_tokens = 0;
    s->finish = NULL;
    s->state = SLOT_WAITING;
    pthread_cond_broadcast(&l->changed);
    while (s->state != SLOT_DONE && s->state != SLOT_FAILED)
        pthread_cond_wait(&l->changed, &l->lock);
    return s;
}

static bool take_answer(const llama *l, const slot *s, df_arena *arena, df_caption *out)
{
    const char *slash = strrchr(l->shared->model, '/');
    df_str clean = {0};
    df_str_append_clean(&clean, df_str_text(&s->text), s->text.size, CAPTION_BYTES_MAX);
    out->text = clean.size > 0 ? df_arena_strdup(arena, df_str_text(&clean)) : NULL;
    out->error = clean.size == 0 ? "the model answered with an empty caption" : NULL;
    out->model = df_arena_strdup(arena, slash ? slash + 1 : l->shared->model);
    out->finish = s->finish;
    out->completion_tokens = s->n_tokens;
    const bool whole = !clean.failed && (out->text || out->error) && out->model;
    df_str_free(&clean);
    return whole;
}

static df_status answer_ask(llama *l, const df_llama_ask *ask, const char *key, df_arena *arena,
                            df_caption *out, df_error *err)
{
    pthread_mutex_lock(&l->lock);
    slot *s = answer(l, ask, key);
    const bool answered = s->state == SLOT_DONE;
    const bool taken = answered && take_answer(l, s, arena, out);
    s->state = SLOT_IDLE;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (is_stopped(l) && !taken)
        return df_stopped(err);
    if (!answered)
        return df_fail(err, DF_MODEL, "%s: %.300s", l->shared->model, l->why);
    return taken ? DF_OK : df_no_memory(err, "%s", l->shared->model);
}

/* The whole request; where the context does not hold it and the beginning of an answer, less and
 * less of its evidence. */
static df_status make_fitting_ask(const llama *l, const df_caption_request *request,
                                  df_llama_ask **out, df_caption *answer, char *why, df_error *err)
{
    const int64_t room =
        l->shared->max_tokens < ROOM_FOR_ANSWER ? l->shared->max_tokens : ROOM_FOR_ANSWER;
    DF_TRY(make_ask(l, request, out, why, err));
    for (int i = 1; *out && l->lib.ask_tokens(*out) + room > l->own->n_ctx && i <= SHORTENED_MAX;
         i++) {
        df_str prompt = {0};
        df_caption_request shorter = *request;
        const double keep = i == SHORTENED_MAX ? 0 : 1.0 / (1 << i);
        df_status status = df_prompt_shorten(request->prompt, request->evidence, keep, &prompt,
                                             &answer->n_shortened, err);
        shorter.prompt = df_str_text(&prompt);
        l->lib.ask_free(*out);
        *out = NULL;
        if (status == DF_OK)
            status = make_ask(l, &shorter, out, why, err);
        df_str_free(&prompt);
        DF_TRY(status);
    }
    return DF_OK;
}

/* Writes one caption; a prompt that does not fit is that record's error. */
static df_status llama_caption(df_engine *e, const df_caption_request *request, df_arena *arena,
                               df_caption *out, df_error *err)
{
    llama *l = (llama *)e;
    char why[DF_LLAMA_WHY] = "out of memory";
    df_llama_ask *ask = NULL;
    *out = (df_caption){
        .model = "", .finish = "", .prompt_tokens = -1, .completion_tokens = -1, .attempts = 1};
    DF_TRY(make_fitting_ask(l, request, &ask, out, why, err));
    if (!ask) {
        out->error = df_arena_strdup(arena, why);
        return out->error ? DF_OK : df_no_memory(err, "%s", l->shared->model);
    }
    out->prompt_tokens = l->lib.ask_tokens(ask);
    df_status status = DF_OK;
    if (out->prompt_tokens < l->own->n_ctx)
        status = answer_ask(l, ask, request->key, arena, out, err);
    else
        out->error = df_arena_printf(
            arena, "the prompt takes %lld tokens and caption.llama.n_ctx is %lld: raise it",
            (long long)out->prompt_tokens, (long long)l->own->n_ctx);
    l->lib.ask_free(ask);
    return status;
}

const df_engine_ops df_engine_llama = {
    .name = "llama",
    .summary = "a GGUF vision model, run by llama.cpp in this process",
    .needs_pixels = true,
    .remote = true,
    .options = options,
    .aside = aside,
    .config_size = sizeof(llama_config),
    .open = llama_open,
    .depends = llama_depends,
    .caption = llama_caption,
    .close = llama_close,
};
