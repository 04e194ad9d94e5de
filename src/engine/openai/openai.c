/* The `openai` engine: OpenAI-compatible chat servers (SGLang, vLLM, llama.cpp, OpenAI), the image
 * as a JPEG data URI. What may pass is tried again: a busy server is waited for and costs the
 * record nothing; a cut, late or senseless answer is one of the record's attempts. What is wrong
 * with one record is that record's error; what is wrong with every record stops the stage. */
#include "engine/openai/openai.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "engine/openai/access.h"
#include "engine/openai/answer.h"
#include "engine/openai/fleet.h"
#include "engine/openai/request.h"
#include "evidence/shorten.h"

#define ANSWER_BYTES_MAX ((size_t)8 << 20)
/* Records refused one after another, with no answer between: before there was any answer, and
 * later. */
enum { REFUSED_AT_FIRST = 20, REFUSED_LATER = 200 };
/* Records put off one after another, with no answer between: so many bad ones do not lie side by
 * side. */
enum { PUT_OFF_MAX = 5 };
enum { SHORTENED_MAX = 3 };                  /* half, a quarter, nothing of the evidence */
enum { PROBE_S = 10 };

#define AT(field) offsetof(df_openai_config, field)
static const df_option options[] = {
    {"url", DF_OPT_TEXT, AT(url), NULL, 0, 0,
     "base URL of the server, such as http://127.0.0.1:8080; several: commas between; none: all "
     "answers came in batch files"},
    {"api_key_file", DF_OPT_TEXT, AT(api_key_file), NULL, 0, 0,
     "file with the API key; else $OPENAI_API_KEY"},
    {"ca_file", DF_OPT_TEXT, AT(ca_file), NULL, 0, 0,
     "PEM file of the authorities to trust; else the system's"},
    {"extra", DF_OPT_SECRET, AT(extra), NULL, 0, 0,
     "JSON object merged into each request; null takes an option of ours out"},
    {"concurrency", DF_OPT_INT, AT(concurrency), "64", 1, DF_FLEET_SEATS_MAX,
     "most requests in flight; how many are good for a server is found out"},
    {"timeout_s", DF_OPT_INT, AT(timeout_s), "300", 1, 86400,
     "longest wait for one answer, seconds; for a batch file: while it does not move"},
    {"retries", DF_OPT_INT, AT(retries), "6", 0, 100,
     "further attempts after an answer that is none (cut, late, 5xx)"},
    {"patience_s", DF_OPT_INT, AT(patience_s), "3600", 0, 604800,
     "longest time that all servers may be busy or loading (429, 503), seconds"},
    {"batch_requests", DF_OPT_INT, AT(batch_requests), "50000", 1, 50000,
     "most requests in a batch file (OpenAI: 50,000); fewer where a limit on enqueued tokens is "
     "lower"},
    {0},
};
static const char *const aside[] = {"url",         "api_key_file",   "ca_file",
                                    "concurrency", "timeout_s",      "retries",
                                    "patience_s",  "batch_requests", NULL};

typedef struct {
    df_engine base;
    const df_engine_config *shared;          /* borrowed, like own and stop */
    const df_openai_config *own;
    const atomic_bool *stop;
    char *key;
    df_fleet *fleet;
    atomic_int refused, put_off;             /* in a row */
    atomic_bool answered;                    /* any record */
} openai;

/* ---- opening ---- */

static void openai_close(df_engine *e)
{
    openai *o = (openai *)e;
    if (!o)
        return;
    df_fleet_close(o->fleet);
    free(o->key);
    free(o);
}

/* Opens the servers of caption.openai.url. */
static df_status openai_open(df_engine **out, const df_engine_setup *setup, df_error *err)
{
    const df_openai_config *config = setup->own;
    df_error why = {""};
    DF_TRY(df_openai_request_check(config->extra, err));
    if (config->ca_file && *config->ca_file && df_file_check(config->ca_file, &why) != DF_OK)
        return df_fail(err, DF_CONFIG, "caption.openai.ca_file: %s", why.message);
    openai *o = calloc(1, sizeof *o);
    if (!o)
        return df_no_memory(err, "open the openai engine");
    *o = (openai){.shared = setup->shared, .own = config, .stop = setup->stop};
    o->base.ops = &df_engine_openai;
    o->base.n_at_once = (int)config->concurrency;
    o->base.retries = config->retries;
    const df_fleet_options servers = {.urls = config->url ? config->url : "",
                                      .in_flight_max = config->concurrency,
                                      .retries = config->retries,
                                      .patience_s = config->patience_s,
                                      .stop = setup->stop};
    /* Without a server: all answers are there already, from batch files. */
    const bool asks = !config->url || strcmp(config->url, "none") != 0;
    df_status status = asks ? df_fleet_open(&o->fleet, &servers, err) : DF_OK;
    if (status == DF_OK)
        status = df_openai_key_read(config->api_key_file, &o->key, err);
    if (status == DF_OK)
        *out = &o->base;
    else
        openai_close(&o->base);
    return status;
}

/* ---- one request ---- */

static df_http_request request_to(const openai *o, const char *url)
{
    const bool own = o->own->ca_file && *o->own->ca_file;
    return (df_http_request){.url = url,
                             .bearer = o->key,
                             .ca_file = own ? o->own->ca_file : NULL,
                             .answer_max = ANSWER_BYTES_MAX,
                             .timeout_s = o->own->timeout_s,
                             .stop = o->stop};
}

/* GET /v1/models beside the chat URL: it costs nothing. */
static df_status ask_models(const openai *o, df_http *http, const char *chat_url,
                            df_http_answer *answer)
{
    df_str url = {0};
    const size_t path = strcspn(chat_url, "?");
    df_str_append_n(&url, chat_url, path - strlen("/chat/completions"));
    df_str_append(&url, "/models");
    df_str_append(&url, chat_url + path);
    df_http_request get = request_to(o, df_str_text(&url));
    get.timeout_s = get.timeout_s < PROBE_S ? get.timeout_s : PROBE_S;
    df_status status = url.failed ? DF_NOMEM : df_http_ask(http, &get, answer, NULL);
    df_str_free(&url);
    return status;
}

/* "; it has: a, b"; nothing when the server does not tell. */
static void append_models(const openai *o, const df_seat *seat, df_str *words)
{
    df_http_answer answer = {0};
    df_json *root = NULL;
    if (ask_models(o, seat->http, seat->url, &answer) == DF_OK && answer.code == 200 &&
        df_json_parse(&root, answer.body, answer.size, "models", NULL) == DF_OK) {
        const df_json *list = df_json_member(root, "data");
        for (size_t i = 0; i < df_json_count(list) && i < 8; i++) {
            const char *id = df_json_text(df_json_member(df_json_item(list, i), "id"));
            df_str_append(words, i ? ", " : "; it has: ");
            df_str_append_clean(words, id ? id : "?", id ? strlen(id) : 1, 60);
        }
    }
    df_json_close(root);
    free(answer.body);
}

/* Whether a server that had no answer to a record is there at all: the HTTP status of something
 * easy, 0 when it has none. */
static long ask_easy(const openai *o, const char *chat_url)
{
    df_http *http = NULL;
    df_http_answer answer = {0};
    if (df_http_open(&http, NULL) != DF_OK || ask_models(o, http, chat_url, &answer) != DF_OK)
        answer.code = 0;
    free(answer.body);
    df_http_close(http);
    return answer.code;
}

static bool is_there(const openai *o, const char *chat_url)
{
    const long code = ask_easy(o, chat_url);
    return code > 0 && code < 500;
}

/* What the user should do about what stops the stage. */
static const char *advise(const openai *o, const df_seat *seat, long code, df_answer_kind kind,
                          const char *words, df_arena *arena)
{
    df_str text = {0};
    df_str_append(&text, words);
    if (kind == DF_ANSWER_NO_MODEL) {
        append_models(o, seat, &text);
        df_str_append(&text, "; see caption.model and caption.openai.url");
    } else if (code == 401 || code == 403) {
        df_str_append(
            &text,
            o->key ? "; the key of OPENAI_API_KEY or caption.openai.api_key_file does not open it"
                   : "; it wants a key: set OPENAI_API_KEY or caption.openai.api_key_file");
    }
    const char *copy = df_arena_strdup(arena, df_str_text(&text));
    df_str_free(&text);
    return copy ? copy : words;
}

static df_seat_outcome outcome_of(df_answer_kind kind)
{
    return kind == DF_ANSWER_BUSY    ? DF_SEAT_BUSY
           : kind == DF_ANSWER_AGAIN ? DF_SEAT_SPOILT
                                     : DF_SEAT_FINE;
}

static const char *server_name(const df_seat *seat, df_arena *arena)
{
    const char *copy = df_arena_strdup(arena, seat->name);
    return copy ? copy : "";
}

/* A record while it is asked for. */
typedef struct {
    const df_caption_request *request;
    df_str body;                             /* of the request at work */
    df_arena *arena;
    df_caption *out;
    df_answer_kind kind;                     /* of the last answer */
    const char *url;                         /* asked last; the fleet's */
} asking;

/* A request without an answer. The server's own limit and health learn of it; untrusted and too
 * large are for the user. */
static void no_answer(openai *o, asking *a, df_seat *seat, const char *words)
{
    const df_http_failure failure = df_http_failed(seat->http);
    const bool untrusted = failure == DF_HTTP_UNTRUSTED;
    const char *copy = df_arena_printf(
        a->arena, "%s%s", words,
        untrusted ? "; for an authority of your own set caption.openai.ca_file" : "");
    a->out->error = copy ? copy : "out of memory";
    const df_seat_outcome outcome = failure == DF_HTTP_UNREACHED ? DF_SEAT_UNREACHED
                                    : failure == DF_HTTP_LATE    ? DF_SEAT_LATE
                                                                 : DF_SEAT_SPOILT;
    df_fleet_give(o->fleet, seat, outcome, -1, words);
    a->kind = untrusted                      ? DF_ANSWER_STOP
              : failure == DF_HTTP_UNREACHED ? DF_ANSWER_BUSY
                                             : DF_ANSWER_AGAIN;
}

/* Refusals are free. A server that broke down, or what lies before it, may have done the work. */
static df_request_end end_of(df_answer_kind kind, long code)
{
    if (kind == DF_ANSWER_DONE)
        return DF_REQUEST_ANSWERED;
    const bool broke = kind == DF_ANSWER_AGAIN || kind == DF_ANSWER_BUSY;
    return broke && code != 409 && code != 429 && code != 503 && code != 529 ? DF_REQUEST_LOST
                                                                             : DF_REQUEST_FREE;
}

static void read_answer(openai *o, asking *a, df_seat *seat, const df_http_answer *answer)
{
    char words[512];
    const df_caption *out = a->out;
    a->kind = df_openai_answer_read(answer->code, answer->body, answer->size, a->arena, a->out);
    if (a->kind == DF_ANSWER_STOP || a->kind == DF_ANSWER_NO_MODEL)
        a->out->error = advise(o, seat, answer->code, a->kind, out->error, a->arena);
    snprintf(words, sizeof words, "%.150s: %.300s", seat->name, out->error ? out->error : "");
    df_fleet_give(o->fleet, seat, outcome_of(a->kind), answer->retry_after_s, words);
}

/* Sends the request and takes what comes. *end: what it may have cost. */
static df_status post(openai *o, asking *a, df_seat *seat, df_request_end *end, df_error *err)
{
    df_http_answer answer = {0};
    df_error why = {""};
    const int64_t began = df_now_ns() / 1000000, others = df_fleet_answers(o->fleet);
    df_http_request request = request_to(o, seat->url);
    request.body = df_str_text(&a->body);
    request.body_size = a->body.size;
    const df_status status = df_http_ask(seat->http, &request, &answer, &why);
    if (status != DF_OK) {
        *end = df_http_was_sent(seat->http) ? DF_REQUEST_LOST : DF_REQUEST_FREE;
        if (status == DF_REMOTE)
            no_answer(o, a, seat, why.message);
        else
            df_fleet_give(o->fleet, seat, DF_SEAT_UNUSED, -1, "");
        return status == DF_REMOTE ? DF_OK : df_fail(err, status, "%s", why.message);
    }
    read_answer(o, a, seat, &answer);
    *end = end_of(a->kind, answer.code);
    a->out->ms = df_now_ns() / 1000000 - began;
    if ((answer.code == 502 || answer.code == 504) &&
        (df_fleet_answers(o->fleet) > others || ask_easy(o, seat->url) == 200))
        /* what lies behind the gateway works: it may be this record */
        a->kind = DF_ANSWER_AGAIN;
    free(answer.body);
    return DF_OK;
}

/* Takes a seat at a server and asks once; the payer hears of it before and after. */
static df_status ask_once(openai *o, asking *a, df_error *err)
{
    const df_payer *payer = a->request->payer;
    df_request_end end = DF_REQUEST_FREE;
    df_seat seat;
    df_error why = {""};
    df_status status = df_fleet_take(o->fleet, &seat, &why);
    if (status == DF_REMOTE)
        return df_fail(err, status, "%.400s; finished captions are kept, run again to go on",
                       why.message);
    if (status != DF_OK)
        return df_fail(err, status, "%s", why.message);
    a->url = seat.url;
    a->out->server = server_name(&seat, a->arena);
    status = payer ? payer->begin(payer->ctx, err) : DF_OK;
    if (status != DF_OK) {
        df_fleet_give(o->fleet, &seat, DF_SEAT_UNUSED, -1, "");
        return status;
    }
    status = post(o, a, &seat, &end, err);
    const df_status booked =
        payer ? payer->end(payer->ctx, end, status == DF_OK ? err : NULL) : DF_OK;
    return status == DF_OK ? booked : status;
}

/* ---- one record ---- */

/* Asks until there is an answer that no further asking changes, or the record's attempts are used
 * up. */
static df_status ask(openai *o, asking *a, const df_caption_request *request, df_error *err)
{
    int64_t spoilt = 0;
    /* After a record that was put off one attempt tells whether the next one fares better; it has
     * more later. */
    const int64_t retries =
        request->vain == DF_VAIN_LATER && atomic_load(&o->put_off) > 0 ? 0 : o->own->retries;
    df_str_clear(&a->body);
    df_status status = df_openai_request_append(o->shared, o->own->extra, request, &a->body, err);
    for (bool again = true; status == DF_OK && again;) {
        status = ask_once(o, a, err);
        a->out->attempts++;
        spoilt += a->kind == DF_ANSWER_AGAIN;
        again = a->kind == DF_ANSWER_BUSY || (a->kind == DF_ANSWER_AGAIN && spoilt <= retries);
        if (status == DF_OK && again && a->kind == DF_ANSWER_AGAIN &&
            !df_fleet_pause(o->fleet, df_fleet_pause_ms(spoilt)))
            status = df_stopped(err);
    }
    return status;
}

/* While the context is too small, with less evidence; *out says how much less. */
static df_status ask_shorter(openai *o, asking *a, df_error *err)
{
    const df_caption_request *request = a->request;
    df_status status = ask(o, a, request, err);
    for (int i = 1; status == DF_OK && a->kind == DF_ANSWER_TOO_LONG && i <= SHORTENED_MAX; i++) {
        df_str prompt = {0};
        const double keep = i == SHORTENED_MAX ? 0 : 1.0 / (1 << i);
        status = df_prompt_shorten(request->prompt, request->evidence, keep, &prompt,
                                   &a->out->n_shortened, err);
        df_caption_request shorter = *request;
        shorter.prompt = df_str_text(&prompt);
        if (status == DF_OK && a->out->n_shortened > 0)
            status = ask(o, a, &shorter, err);
        df_str_free(&prompt);
    }
    return status;
}

/* A record's own error, unless all are refused alike. */
static bool all_are_refused(openai *o, const asking *a)
{
    if (a->request->vain == DF_VAIN_RECORD)
        return false;
    const int in_a_row = atomic_fetch_add(&o->refused, 1) + 1;
    return in_a_row >= (atomic_load(&o->answered) ? REFUSED_LATER : REFUSED_AT_FIRST);
}

/* All attempts were in vain. Whose failure that is, the record's or the server's, shows by how
 * others fare: those that are answered meanwhile, else those that come after it. False: it is the
 * server's. */
static bool is_bearable(openai *o, asking *a, int64_t before)
{
    if (df_fleet_answers(o->fleet) > before)
        return true;
    if (a->request->vain == DF_VAIN_STOP || !is_there(o, a->url))
        return false;
    df_fleet_wake(o->fleet, a->url);
    a->out->put_off = a->request->vain == DF_VAIN_LATER;
    return !a->out->put_off || atomic_fetch_add(&o->put_off, 1) + 1 < PUT_OFF_MAX;
}

/* False: what is wrong with this record is wrong with all. */
static bool may_go_on(openai *o, asking *a, int64_t before)
{
    switch (a->kind) {
    case DF_ANSWER_DONE:
        atomic_store(&o->refused, 0);
        atomic_store(&o->put_off, 0);
        atomic_store(&o->answered, true);
        return true;
    case DF_ANSWER_RECORD:
    case DF_ANSWER_TOO_LONG:
        return !all_are_refused(o, a);
    case DF_ANSWER_AGAIN:
        return is_bearable(o, a, before);
    case DF_ANSWER_BUSY:
    case DF_ANSWER_STOP:
    case DF_ANSWER_NO_MODEL:
        break;
    }
    return false;
}

/* Asks for one caption, with less evidence where it does not fit, until there is an answer or
 * all attempts are in vain. */
static df_status openai_caption(df_engine *e, const df_caption_request *request, df_arena *arena,
                                df_caption *out, df_error *err)
{
    openai *o = (openai *)e;
    if (!o->fleet)
        return df_fail(
            err, DF_REMOTE,
            "there are images without an answer, and caption.openai.url is none: `densefusion "
            "batch write` "
            "writes what is missing; or give a server");
    df_caption got = {.model = "",
                      .finish = "",
                      .server = "",
                      .prompt_tokens = -1,
                      .completion_tokens = -1,
                      .cached_tokens = -1};
    asking a = {.request = request, .arena = arena, .out = &got, .kind = DF_ANSWER_AGAIN};
    const int64_t before = df_fleet_answers(o->fleet);
    df_status status = ask_shorter(o, &a, err);
    df_str_free(&a.body);
    DF_TRY(status);
    if (!may_go_on(o, &a, before)) {
        df_error why;
        snprintf(why.message, sizeof why.message, "%.100s: %.300s (%lld attempts)", got.server,
                 got.error, (long long)got.attempts);
        df_fleet_shut(o->fleet, why.message);
        return df_fail(err, DF_REMOTE, "%.400s; finished captions are kept, run again to go on",
                       why.message);
    }
    *out = got;
    return DF_OK;
}

const df_engine_ops df_engine_openai = {
    .name = "openai",
    .summary = "OpenAI-compatible servers: SGLang, vLLM, llama.cpp, OpenAI",
    .needs_jpeg = true,
    .remote = true,
    .options = options,
    .aside = aside,
    .config_size = sizeof(df_openai_config),
    .open = openai_open,
    .caption = openai_caption,
    .close = openai_close,
};
