/* The servers that answer: any number of them, each with its own limit of requests at once and its
 * own health. A thread that wants to ask takes a seat at the server with most room and gives it
 * back with what came of it. A server that refuses, cuts or is silent rests for growing pauses, or
 * as long as it asked for, and comes back by the next request. */
#ifndef DF_ENGINE_OPENAI_FLEET_H
#define DF_ENGINE_OPENAI_FLEET_H
#include <stdatomic.h>
#include <stdbool.h>
#include "base/status.h"
#include "io/http.h"

typedef struct df_fleet df_fleet;
typedef struct {
    /* comma-separated base URLs, with or without /v1 or the whole path */
    const char *urls;
    /* requests at once at one server, 1 to DF_FLEET_SEATS_MAX */
    int64_t in_flight_max;
    /* how long unreachable servers are waited for: so many growing pauses */
    int64_t retries;
    /* how long servers may go on saying that they are busy */
    int64_t patience_s;
    const atomic_bool *stop;                 /* may be NULL */
} df_fleet_options;
enum { DF_FLEET_SERVERS_MAX = 256, DF_FLEET_SEATS_MAX = 1024 };

/* A place for one request. Text and http belong to the fleet; http is for this seat's thread alone.
 * name: as the user wrote it, but for its query, which may hold a key; url: of its chat
 * completions. */
typedef struct {
    int server;
    const char *name, *url;
    df_http *http;
    int64_t since_ns;
} df_seat;

typedef enum {
    /* the server did its work, whatever it thought of the record */
    DF_SEAT_FINE,
    /* too much at once, or still loading: 429, 502, 503, 504 */
    DF_SEAT_BUSY,
    /* it had the request and did not answer in time: too much, perhaps */
    DF_SEAT_LATE,
    /* it had the request and gave no answer: cut, 500, no JSON */
    DF_SEAT_SPOILT,
    DF_SEAT_UNREACHED, /* no connection */
    DF_SEAT_UNUSED, /* stopped: nothing learnt */
} df_seat_outcome;

/* DF_CONFIG naming caption.openai.url; DF_NOMEM. options are copied, their text is not kept. */
df_status df_fleet_open(df_fleet **out, const df_fleet_options *options, df_error *err);
void df_fleet_close(df_fleet *f);
/* Waits for a seat. Thread-safe. DF_STOPPED after stop; DF_REMOTE when all servers were busy or out
 * of reach for too long: the last server's words. */
df_status df_fleet_take(df_fleet *f, df_seat *seat, df_error *err);
/* retry_after_s: -1 when the server did not say; words: why, when not fine. */
void df_fleet_give(df_fleet *f, df_seat *seat, df_seat_outcome outcome, int64_t retry_after_s,
                   const char *words);
/* From now on nobody gets a seat: DF_REMOTE with these words. What is wrong with every record is
 * asked once. */
void df_fleet_shut(df_fleet *f, const char *words);
/* The server at url, a seat's, has answered something easy: it need not rest. */
void df_fleet_wake(df_fleet *f, const char *url);
/* How often a server has done its work so far. */
int64_t df_fleet_answers(df_fleet *f);
/* Sleeps, interruptibly: false when stopped. */
bool df_fleet_pause(const df_fleet *f, int64_t ms);
/* Half a second, doubling with each attempt from 1 on up to a minute, spread over its upper half so
 * that many clients do not come back in step. */
int64_t df_fleet_pause_ms(int64_t attempt);
#endif
