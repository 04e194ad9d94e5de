/* How many requests a server should have at once, found by trying: more as long as more get done,
 * half when it says that it is too much. Servers that refuse (429) and servers that only queue are
 * both met: the one is cut, the other does not gain. */
#ifndef DF_ENGINE_OPENAI_LIMIT_H
#define DF_ENGINE_OPENAI_LIMIT_H
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int now, max;                            /* requests at once; at least 1 */
    /* the rest is limit.c's */
    int known; /* what `now` falls back to when a try gains nothing */
    double known_rate; /* answers a second at `known` */
    int64_t since_ns, cut_ns, done; /* of the window at work; of the last cut */
    int held; /* windows since the last try */
    bool trying, doubling, full;
} df_limit;

/* Times are of a monotonic clock. */
void df_limit_init(df_limit *l, int max, int64_t now_ns);
/* A request leaves and in_flight, with it, are now at the server. */
void df_limit_sent(df_limit *l, int in_flight);
/* A good answer came. */
void df_limit_fine(df_limit *l, int64_t now_ns);
/* Too much: a request sent at sent_ns was refused or lost. What was sent before the last cut does
 * not cut again. to_one: the server may just be coming back. */
void df_limit_cut(df_limit *l, int64_t sent_ns, int64_t now_ns, bool to_one);
#endif
