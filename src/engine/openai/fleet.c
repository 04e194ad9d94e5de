#include "engine/openai/fleet.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "engine/openai/access.h"
#include "engine/openai/limit.h"
#include "io/secret.h"

#define NS_PER_MS ((int64_t)1000000)
#define NS_PER_S ((int64_t)1000000000)
enum {
    PAUSE_MIN_MS = 500,
    PAUSE_MAX_MS = 60000,
    RETRY_AFTER_MAX_S = 3600,
    FAILS_TO_REST = 3,
    WORDS_MAX = 400
};

typedef struct {
    char *name, *url;
    df_http *idle[DF_FLEET_SEATS_MAX];       /* connections kept alive */
    int n_idle, in_flight;
    df_limit limit;
    int fails, level;                        /* failures in a row; rests in a row */
    int64_t rest_until_ns, rested_ns;        /* rested: when the last rest was decided */
    /* it said so since its last good answer: a storm, whatever else fails in it */
    bool busy;
} server;

struct df_fleet {
    df_fleet_options options;
    pthread_mutex_t lock;
    pthread_cond_t room;
    server *servers;
    int n_servers, in_flight;
    /* failing: since when nothing but failures came, 0 when not */
    int64_t answers, failing_ns;
    bool shut;
    char words[WORDS_MAX];                   /* of the last failure, or of what shut it */
};

/* ---- opening ---- */

/* Adds a server by its address. */
static df_status add_server(df_fleet *f, const char *base, size_t n, df_error *err)
{
    if (f->n_servers == DF_FLEET_SERVERS_MAX)
        return df_fail(err, DF_CONFIG, "caption.openai.url: more than %d servers",
                       DF_FLEET_SERVERS_MAX);
    server *s = &f->servers[f->n_servers];
    f->n_servers++;                          /* freed from now on */
    char shown[DF_URL_SHOWN];
    DF_TRY(df_openai_url(base, n, "/chat/completions", &s->url, err));
    df_url_show(base, n, shown);
    s->name = strdup(shown);
    if (!s->name)
        return df_no_memory(err, "caption.openai.url");
    for (int i = 0; i + 1 < f->n_servers; i++)
        if (strcmp(f->servers[i].url, s->url) == 0)
            return df_fail(err, DF_CONFIG, "caption.openai.url: %s is there twice", shown);
    df_limit_init(&s->limit, (int)f->options.in_flight_max, df_now_ns());
    return DF_OK;
}

static df_status add_servers(df_fleet *f, df_error *err)
{
    static const char between[] = ", \t\r\n";
    for (const char *at = f->options.urls; *(at += strspn(at, between));) {
        const size_t n = strcspn(at, between);
        DF_TRY(add_server(f, at, n, err));
        at += n;
    }
    return f->n_servers > 0
               ? DF_OK
               : df_fail(err, DF_CONFIG,
                         "caption.openai.url: the openai engine needs a server, such as "
                         "http://127.0.0.1:8080");
}

static bool init_locks(df_fleet *f)
{
    pthread_condattr_t clock;
    if (pthread_condattr_init(&clock) != 0)
        return false;
    bool good = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&f->room, &clock) == 0;
    pthread_condattr_destroy(&clock);
    if (good && pthread_mutex_init(&f->lock, NULL) != 0) {
        pthread_cond_destroy(&f->room);
        good = false;
    }
    return good;
}

df_status df_fleet_open(df_fleet **out, const df_fleet_options *options, df_error *err)
{
    df_fleet *f = calloc(1, sizeof *f);
    if (f)
        f->servers = calloc(DF_FLEET_SERVERS_MAX, sizeof *f->servers);
    if (!f || !f->servers || !init_locks(f)) {
        free(f ? f->servers : NULL);
        free(f);
        return df_no_memory(err, "caption.openai.url");
    }
    f->options = *options;
    df_status status = add_servers(f, err);
    f->options.urls = NULL;
    if (status == DF_OK)
        *out = f;
    else
        df_fleet_close(f);
    return status;
}

void df_fleet_close(df_fleet *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->n_servers; i++) {
        for (int k = 0; k < f->servers[i].n_idle; k++)
            df_http_close(f->servers[i].idle[k]);
        free(f->servers[i].name);
        free(f->servers[i].url);
    }
    pthread_cond_destroy(&f->room);
    pthread_mutex_destroy(&f->lock);
    free(f->servers);
    free(f);
}

/* ---- pauses ---- */

static int64_t longest_pause_ms(int64_t attempt)
{
    const int64_t ms =
        attempt < 8 ? (int64_t)PAUSE_MIN_MS << (attempt > 1 ? attempt - 1 : 0) : PAUSE_MAX_MS;
    return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

int64_t df_fleet_pause_ms(int64_t attempt)
{
    const int64_t longest = longest_pause_ms(attempt), clock = df_now_ns();
    return longest / 2 + (int64_t)(df_hash_64(&clock, sizeof clock) >> 1) % (longest / 2 + 1);
}

static bool stopped(const df_fleet *f)
{
    return f->options.stop && atomic_load(f->options.stop);
}

bool df_fleet_pause(const df_fleet *f, int64_t ms)
{
    for (; ms > 0 && !stopped(f); ms -= 50)
        nanosleep(&(struct timespec){0, (ms < 50 ? ms : 50) * NS_PER_MS}, NULL);
    return !stopped(f);
}

/* ---- seats ---- */

/* The rested server with the largest share of its seats free; NULL: none now. */
static server *choose(df_fleet *f, int64_t now)
{
    server *best = NULL;
    for (int i = 0; i < f->n_servers; i++) {
        server *s = &f->servers[i];
        if (now < s->rest_until_ns || s->in_flight >= s->limit.now)
            continue;
        if (!best ||
            (int64_t)s->in_flight * best->limit.now < (int64_t)best->in_flight * s->limit.now)
            best = s;
    }
    return best;
}

/* Nothing is under way and nothing has worked for longer than anyone would wait. */
static bool given_up(const df_fleet *f, int64_t now)
{
    if (f->in_flight > 0 || !f->failing_ns)
        return false;
    int64_t wait = 0;
    for (int64_t i = 1; i <= f->options.retries; i++)
        wait += longest_pause_ms(i) * NS_PER_MS;
    for (int i = 0; i < f->n_servers; i++)
        if (f->servers[i].busy && wait < f->options.patience_s * NS_PER_S)
            wait = f->options.patience_s * NS_PER_S;
    return now - f->failing_ns > wait;
}

static void wait_for_room(df_fleet *f, int64_t now)
{
    const int64_t until = now + 100 * NS_PER_MS; /* a rest may end, the user may stop */
    pthread_cond_timedwait(&f->room, &f->lock,
                           &(struct timespec){until / NS_PER_S, until % NS_PER_S});
}

static df_status wait_for_server(df_fleet *f, server **found, df_error *err)
{
    for (;;) {
        const int64_t now = df_now_ns();
        if (stopped(f))
            return df_stopped(err);
        if (f->shut || given_up(f, now))
            return df_fail(err, DF_REMOTE, "%s", f->words);
        *found = choose(f, now);
        if (*found)
            return DF_OK;
        wait_for_room(f, now);
    }
}

df_status df_fleet_take(df_fleet *f, df_seat *seat, df_error *err)
{
    server *s = NULL;
    pthread_mutex_lock(&f->lock);
    df_status status = wait_for_server(f, &s, err);
    if (status == DF_OK) {
        *seat = (df_seat){(int)(s - f->servers), s->name, s->url,
                          s->n_idle > 0 ? s->idle[--s->n_idle] : NULL, df_now_ns()};
        f->in_flight++;
        df_limit_sent(&s->limit, ++s->in_flight);
        /* a limit that has grown has room for more than the one that was woken */
        if (choose(f, seat->since_ns))
            pthread_cond_signal(&f->room);
    }
    pthread_mutex_unlock(&f->lock);
    if (status == DF_OK && !seat->http) {
        status = df_http_open(&seat->http, err);
        if (status != DF_OK)
            df_fleet_give(f, seat, DF_SEAT_UNUSED, -1, "");
    }
    return status;
}

/* Notes that a request failed: how many may be in flight there, and how long the server rests. */
static void note_failure(df_fleet *f, server *s, const df_seat *seat, df_seat_outcome outcome,
                         int64_t retry_after_s)
{
    const int64_t now = df_now_ns();
    int64_t rest_ms = 0;
    s->fails++;
    s->busy |= outcome == DF_SEAT_BUSY;
    if (outcome == DF_SEAT_SPOILT || outcome == DF_SEAT_LATE)
        /* it is there: whoever asked has a number of attempts */
        f->failing_ns = 0;
    else
        f->failing_ns = f->failing_ns ? f->failing_ns : now;
    /* one cut connection is no sign of too much */
    if (outcome != DF_SEAT_SPOILT || s->fails >= FAILS_TO_REST)
        df_limit_cut(&s->limit, seat->since_ns, now, outcome == DF_SEAT_UNREACHED);
    if (retry_after_s > 0) {
        rest_ms = (retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S) * 1000;
    } else if (outcome == DF_SEAT_UNREACHED || s->fails >= FAILS_TO_REST) {
        /* else it is of the crowd that made the last rest */
        if (seat->since_ns >= s->rested_ns) {
            s->rested_ns = now;
            rest_ms = df_fleet_pause_ms(++s->level);
        }
    }
    if (now + rest_ms * NS_PER_MS > s->rest_until_ns)
        s->rest_until_ns = now + rest_ms * NS_PER_MS;
}

void df_fleet_give(df_fleet *f, df_seat *seat, df_seat_outcome outcome, int64_t retry_after_s,
                   const char *words)
{
    /* a broken connection is not kept */
    const bool keep = outcome == DF_SEAT_FINE || outcome == DF_SEAT_BUSY;
    pthread_mutex_lock(&f->lock);
    server *s = &f->servers[seat->server];
    s->in_flight--;
    f->in_flight--;
    if (outcome == DF_SEAT_FINE) {
        s->fails = s->level = 0;
        s->busy = false;
        f->failing_ns = 0;
        f->answers++;
        df_limit_fine(&s->limit, df_now_ns());
    } else if (outcome != DF_SEAT_UNUSED) {
        if (!f->shut)
            snprintf(f->words, sizeof f->words, "%.*s", WORDS_MAX - 1, words);
        note_failure(f, s, seat, outcome, retry_after_s);
    }
    if (keep && s->n_idle < DF_FLEET_SEATS_MAX) {
        s->idle[s->n_idle++] = seat->http;
        seat->http = NULL;
    }
    pthread_cond_signal(&f->room);
    pthread_mutex_unlock(&f->lock);
    df_http_close(seat->http);
    seat->http = NULL;
}

void df_fleet_shut(df_fleet *f, const char *words)
{
    pthread_mutex_lock(&f->lock);
    if (!f->shut)
        snprintf(f->words, sizeof f->words, "%.*s", WORDS_MAX - 1, words);
    f->shut = true;
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
}

void df_fleet_wake(df_fleet *f, const char *url)
{
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < f->n_servers; i++)
        if (strcmp(f->servers[i].url, url) == 0)
            f->servers[i].fails = f->servers[i].level = 0, f->servers[i].rest_until_ns = 0;
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
}

int64_t df_fleet_answers(df_fleet *f)
{
    pthread_mutex_lock(&f->lock);
    const int64_t n = f->answers;
    pthread_mutex_unlock(&f->lock);
    return n;
}
